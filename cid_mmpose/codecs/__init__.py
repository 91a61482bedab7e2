"""Between people in pixels and heatmaps in cells: the only place where the one becomes the other."""

from .gaussian import Axes, gaussian_axes, render_max, render_people, whole_gaussian
from .peaks import Peaks, find_peaks, higher_peaks, no_peaks
from .render import axes_of_people, render_crowd
from .size_adaptive import STRIDE, SizeAdaptiveHeatmap, to_pixel
from .targets import PersonTargets, gather_targets

__all__ = [
    'STRIDE',
    'Axes',
    'Peaks',
    'PersonTargets',
    'SizeAdaptiveHeatmap',
    'axes_of_people',
    'find_peaks',
    'gather_targets',
    'gaussian_axes',
    'higher_peaks',
    'no_peaks',
    'render_crowd',
    'render_max',
    'render_people',
    'to_pixel',
    'whole_gaussian',
]
