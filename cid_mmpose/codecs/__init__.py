from .gaussian import gaussian_axes, person_radius, render_max, render_people
from .people import PersonTargets, gather_targets
from .size_adaptive import SizeAdaptiveHeatmap

__all__ = [
    'PersonTargets', 'SizeAdaptiveHeatmap', 'gather_targets', 'gaussian_axes', 'person_radius', 'render_max',
    'render_people'
]
