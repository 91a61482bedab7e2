from .gaussian import gaussian_axes, render_max, render_people, whole_gaussian
from .people import PersonTargets, gather_targets
from .size_adaptive import SizeAdaptiveHeatmap

__all__ = [
    'PersonTargets', 'SizeAdaptiveHeatmap', 'gather_targets', 'gaussian_axes', 'render_max', 'render_people',
    'whole_gaussian'
]
