"""A stand-in for ``xtcocotools`` where it cannot be imported (numpy 2, Python 3.12), on top of ``xthotcoco``.

``stack.prepare`` puts the finder of this module in its place; ``hotcoco.py`` holds the classes that it hands out.
"""

import contextlib
import io
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec, module_from_spec, spec_from_loader
from types import ModuleType

from .notes import NOTES

PACKAGE = 'xtcocotools'


class CocoStandIn(MetaPathFinder, Loader):
    """Finds ``xtcocotools`` and its modules in ``hotcoco.py`` when the real one cannot be imported."""

    NAMES = (PACKAGE, 'xtcocotools.coco', 'xtcocotools.cocoeval', 'xtcocotools.mask')

    def __init__(self) -> None:
        self.reason: str | None = None  # why the real one is out; '' if it works; None until somebody asks

    def find_spec(self, name: str, path=None, target=None) -> ModuleSpec | None:
        if name not in self.NAMES:
            return None
        if self.reason is None:
            self.reason = why_no_xtcocotools()
        if not self.reason:
            return None
        return spec_from_loader(name, self, is_package=name == PACKAGE)

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ == PACKAGE:
            self._check_hotcoco()
            NOTES.append(f'xtcocotools cannot be used ({self.reason}); evaluation goes through xthotcoco')
            return

        stand_in = import_module('.hotcoco', __package__)
        short_name = module.__name__.partition('.')[2]
        module.__dict__.update(stand_in.contents(short_name))

    def _check_hotcoco(self) -> None:
        if find_spec('xthotcoco') is None:
            raise ImportError(
                f'xtcocotools cannot be used ({self.reason}), and its replacement is not installed: '
                'pip install "cid_mmpose[hotcoco]", or pip install xthotcoco',
                name=PACKAGE,
            )


def why_no_xtcocotools() -> str:
    """Why the installed xtcocotools does not work here, '' if it does.

    Its compiled part fails at import when built for another numpy, or later, in ``decode``, when rebuilt with
    Cython 3; so one mask goes there and back.
    """
    package = PathFinder.find_spec(PACKAGE)
    if package is None:
        return 'it is not installed'
    try:
        return _try_masks(package.submodule_search_locations)
    except Exception as error:  # a wrong build fails in any of five ways; all mean the same
        lines = str(error).splitlines() or ['']
        return f'{type(error).__name__}: {lines[0] or "no reason given"}'


def _try_masks(folders: list[str]) -> str:
    import numpy as np

    spec = PathFinder.find_spec('xtcocotools._mask', folders)
    if spec is None:
        return 'it has no compiled part'

    mask = np.ones((2, 2, 1), dtype=np.uint8, order='F')
    with contextlib.redirect_stderr(io.StringIO()):  # numpy 2 prints 40 lines here before it raises
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        encoded = module.encode(mask)
        back = module.decode(encoded)

    if (back == mask).all():
        return ''
    return 'its masks come back changed'
