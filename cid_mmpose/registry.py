"""Child registries of MMPose's, under the scope ``cid_mmpose``.

``type='cid_mmpose.CIDHead'`` finds our class from MMPose's default scope without ``custom_imports``: mmengine imports
this module by the prefix, and the registry imports its ``locations``. MMPose's classes of the same name stay as they
are.
"""
from mmengine.registry import Registry
from mmpose import registry as mmpose

SCOPE = 'cid_mmpose'


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
