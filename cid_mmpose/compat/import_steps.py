"""What follows the import of parts of the stack.

Checkpoints are loaded safely, MMPose finds and draws our models, and the stack runs on Python 3.14.

MMPose's inferencer reads the weights before it builds the model, so that a registration along with our classes would
come too late. ``stack.prepare`` puts the finder of this module in its place.
"""

import pkgutil
import sys
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace
from typing import Any

SCOPE = 'cid_mmpose'  # of our registries; the name of the package
ASK_FOR_COMPILED_OPS = ('mmengine.utils.dl_utils.misc', 'mmcv.utils.ext_loader')


class AfterImport(MetaPathFinder):
    """Lets the steps of ``AFTER_IMPORT`` follow the import of their modules, whoever imports those."""

    def find_spec(self, name: str, path=None, target=None) -> ModuleSpec | None:
        """The module as it would be found without us, with a loader that takes the step after it."""
        if name not in AFTER_IMPORT:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is not None:
            spec.loader = _LoaderWithStep(spec.loader.name, spec.loader.path)
        return spec


class _LoaderWithStep(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        step = AFTER_IMPORT[self.name]
        step()


def secure_checkpoints() -> None:
    """From now on mmengine loads checkpoints by ``weights/loaders.py``: see there for what is allowed and what refused.

    Nobody has to call it: ``stack.prepare`` does, as soon as mmengine's loaders are imported, whoever imports them.
    """
    from mmengine.runner import CheckpointLoader

    from cid_mmpose.weights.loaders import LOADERS

    for prefixes, loader in LOADERS.items():
        CheckpointLoader.register_scheme(prefixes=prefixes, loader=loader, force=True)


def name_scope() -> None:
    """From now on MMPose's inferencers find the models of our index by name: ``scope='cid_mmpose'``."""
    inferencers = import_module('mmengine.infer.infer')
    inferencers.MODULE2PACKAGE = {**inferencers.MODULE2PACKAGE, SCOPE: SCOPE}


def draw_by_numbers() -> None:
    """From now on MMPose draws keypoints with numpy 2.5 too, which no longer takes an array of one number for a number.

    MMPose hands the radius of a circle over in such an array, and its own visualizer asks for ``int`` of it.
    """
    visualizer = import_module('mmpose.visualization.opencv_backend_visualizer').OpencvBackendVisualizer
    theirs = visualizer.draw_circles
    if theirs.__module__ == __name__:  # done before
        return

    def draw_circles(self, center: Any, radius: Any, *args, **kwargs) -> None:
        size = getattr(radius, 'size', 0)
        if self.backend == 'opencv' and size == 1:
            radius = radius.item()
        theirs(self, center, radius, *args, **kwargs)

    visualizer.draw_circles = draw_circles


def find_compiled_ops() -> None:
    """From now on mmengine and mmcv can ask whether mmcv has compiled ops, also where Python has no ``find_loader``.

    They compare ``pkgutil.find_loader(name)`` with None, which the spec of a module answers as well. They alone get
    it: other libraries may ask whether ``pkgutil`` has it.
    """
    if hasattr(pkgutil, 'find_loader'):  # up to Python 3.13
        return
    for name in ASK_FOR_COMPILED_OPS:
        if name in sys.modules:
            sys.modules[name].pkgutil = SimpleNamespace(**vars(pkgutil), find_loader=find_spec)


# module of the stack -> the step that follows its import
AFTER_IMPORT = {
    **dict.fromkeys(ASK_FOR_COMPILED_OPS, find_compiled_ops),
    'mmengine.runner': secure_checkpoints,
    'mmengine.infer.infer': name_scope,
    'mmpose.visualization.opencv_backend_visualizer': draw_by_numbers,
}
