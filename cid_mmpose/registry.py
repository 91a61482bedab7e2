"""Child registries of MMPose's, under the scope ``cid_mmpose``.

``type='cid_mmpose.CIDHead'`` finds our class from MMPose's default scope without ``custom_imports``: mmengine imports
this module by the prefix, and the registry imports its ``locations``. MMPose's classes of the same name stay as they
are.
"""

from cid_mmpose.compat.stack import SCOPE, check_versions

check_versions()  # whatever is built goes through here, so that a missing or wrong part of the stack is named first

from mmengine.registry import Registry  # noqa: E402
from mmpose import registry as mmpose  # noqa: E402


def _child(parent: Registry, *locations: str) -> Registry:
    modules = [f'{SCOPE}.{location}' for location in locations]
    return Registry(parent.name, parent=parent, scope=SCOPE, locations=modules)


MODELS = _child(mmpose.MODELS, 'models')
DATASETS = _child(mmpose.DATASETS, 'data.coco_people', 'data.synth_crowd')
TRANSFORMS = _child(mmpose.TRANSFORMS, 'data.augment', 'data.loading', 'data.loss_mask', 'data.packing')
KEYPOINT_CODECS = _child(mmpose.KEYPOINT_CODECS, 'codecs')
METRICS = _child(mmpose.METRICS, 'evaluation')
HOOKS = _child(mmpose.HOOKS, 'engine.hooks')
LOOPS = _child(mmpose.LOOPS, 'engine.loops')
OPTIM_WRAPPERS = _child(mmpose.OPTIM_WRAPPERS, 'engine.optim')
