"""Official downloads into the folders that the configs read."""

from .coco import prepare_coco
from .crowdpose import prepare_crowdpose
from .ochuman import prepare_ochuman

__all__ = ['prepare_coco', 'prepare_crowdpose', 'prepare_ochuman']
