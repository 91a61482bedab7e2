from .gaussian import gaussian_axes, render_max, render_people, whole_gaussian
from .peaks import Peaks, find_peaks, higher, no_peaks
from .size_adaptive import SizeAdaptiveHeatmap
from .targets import PersonTargets, gather_targets

__all__ = [
    'Peaks', 'PersonTargets', 'SizeAdaptiveHeatmap', 'find_peaks', 'gather_targets', 'gaussian_axes', 'higher',
    'no_peaks', 'render_max', 'render_people', 'whole_gaussian'
]
