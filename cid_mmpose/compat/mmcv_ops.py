"""``mmcv.ops`` where the installed mmcv has no compiled ops: MMPose and MMDetection import names of it, CID calls none.

``stack.prepare`` puts the finder of this module in its place.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder
from types import SimpleNamespace
from typing import Any

from .notes import NOTES

COMPILED = '_ext'  # the module of mmcv's compiled functions
# asked for by mmcv where it prints its environment, with what it prints itself when it has no compiled ops
COMPILER_VERSIONS = ('get_compiler_version', 'get_compiling_cuda_version')


class OpsStandIn(MetaPathFinder):
    """Makes ``mmcv.ops`` import where the installed mmcv has no compiled ops (mmcv-lite).

    mmcv-lite holds the Python files of ``mmcv.ops`` too, but each of them asks for its compiled functions when it is
    imported, and MMPose and MMDetection import them all over. Here they get functions that say what is missing when
    they are called, so that every class and function is mmcv's own, to import, to subclass and to compare with.

    ``mmcv._ext`` stays missing: mmengine and MMPose ask for that to see whether the full mmcv is there.
    """

    def find_spec(self, name: str, path=None, target=None) -> None:
        """Acts before ``mmcv.ops`` is imported, and leaves it to the others to find it."""
        if name != 'mmcv.ops':
            return
        mmcv = import_module('mmcv')
        if PathFinder.find_spec(f'mmcv.{COMPILED}', mmcv.__path__):
            return
        ext_loader = import_module('mmcv.utils.ext_loader')
        if isinstance(ext_loader.load_ext, LoadMissing):
            return

        ext_loader.load_ext = LoadMissing(ext_loader.load_ext)
        NOTES.append('this mmcv has no compiled ops; what needs them says so when it is called (CID needs none)')


class LoadMissing:
    """In place of mmcv's ``load_ext``: the module of compiled functions, or one of functions that are missing.

    Args:
        load: mmcv's own, for every other name than that of the compiled ops.
    """

    def __init__(self, load: Callable) -> None:
        self.load = load

    def __call__(self, name: str, functions: Sequence[str]) -> Any:
        """As mmcv's ``load_ext``.

        Args:
            name: of the module below ``mmcv``.
            functions: that are asked of it.
        """
        if name != COMPILED:
            return self.load(name, functions)

        module = SimpleNamespace()
        for function in functions:
            setattr(module, function, missing_op(function))
        return module


def missing_op(name: str) -> Callable:
    """A function that takes the place of a compiled one.

    Args:
        name: of the compiled function.
    """
    if name in COMPILER_VERSIONS:
        return _no_compiler

    def op(*args, **kwargs) -> None:
        raise RuntimeError(
            f'{name} is one of the compiled ops of mmcv, which this environment does not have; CID '
            'needs none of them, for what does install the full mmcv'
        )

    return op


def _no_compiler() -> str:
    return 'n/a'
