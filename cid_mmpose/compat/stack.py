"""The one place that makes the installed OpenMMLab stack work for CID, whichever line of it is installed.

- a version window for torch, mmengine, mmcv, mmdet and mmpose, under either name a project is published by;
- ``mmcv.ops`` imports when mmcv has no compiled ops: MMPose and MMDetection import names of it, CID calls none;
- a stand-in for ``xtcocotools`` where it cannot be imported (numpy 2, Python 3.12), on top of ``xthotcoco``;
- checkpoints load only what an allow-list names (``weights/loaders.py``);
- MMPose draws keypoints with numpy 2.5.

``prepare``, which importing the package calls, lays all of this ready and imports none of the stack, nor does it ask
whether the stack is there: data preparation and the doctor need no part of it. What does need it calls
``check_versions`` first. Each part acts only where it is needed, and says so in the log file of a run.
"""

import re
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module, metadata
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec, module_from_spec, spec_from_loader
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

from cid_mmpose.errors import BadInput


class Need(NamedTuple):
    """A part of the stack: the module to import, the names it is published under, and which versions fit."""

    module: str
    names: tuple[str, ...]
    least: tuple[int, ...]  # first version that fits
    below: tuple[int, ...]  # first version that no longer fits
    pip: str  # what to install when it is missing or does not fit


SCOPE = 'cid_mmpose'  # of our registries; the name of the package
NEEDS = (
    Need('torch', ('torch',), (2, 0), (3,), 'pip install "torch>=2.0,<3" torchvision'),
    Need('mmengine', ('mmengine', 'onedl-mmengine'), (0, 10), (1,), 'pip install "mmengine>=0.10,<1"'),
    Need('mmcv', ('mmcv', 'mmcv-lite', 'onedl-mmcv'), (2, 0), (3,), 'pip install "mmcv-lite>=2.0,<2.2"'),
    Need('mmdet', ('mmdet', 'onedl-mmdetection'), (3, 0), (4,), 'pip install --no-deps "mmdet>=3.0,<4"'),
    Need('mmpose', ('mmpose',), (1, 3), (2,), 'pip install --no-deps "mmpose>=1.3,<2"'),
)


def prepare() -> None:
    """Lays the stand-ins ready and sees to it that checkpoints are loaded safely; imports none of the stack.

    The stand-ins are finders, which act when a part of the stack is imported: where there is no stack they do nothing.
    ``secure_checkpoints`` and ``name_scope`` follow the import of the modules that they change, or are called at once
    where those are imported already.
    """
    warnings.filterwarnings('ignore', message='pkg_resources is deprecated')  # mmengine imports it; not for users
    for finder in (OpsStandIn(), CocoStandIn(), AfterImport()):
        if not any(isinstance(known, type(finder)) for known in sys.meta_path):
            sys.meta_path.insert(0, finder)
    for module, step in AFTER_IMPORT.items():
        if module in sys.modules:  # imported before us
            step()


def check_versions(needs: Sequence[Need] = NEEDS) -> None:
    """Called by what needs the stack, before it imports any of it: the registry, and each verb of the command.

    Args:
        needs: parts of the stack.

    Raises:
        BadInput: parts are missing or outside their windows; the message names each, and what installs it.
    """
    wrong = [text for text in map(_complaint, needs) if text]
    if wrong:
        raise BadInput('cid_mmpose does not fit the installed packages:\n' + '\n'.join(wrong))


def _complaint(need: Need) -> str:
    """What is wrong with one part, or '' if it fits."""
    name, version = installed(need.names)
    if version is None and find_spec(need.module) is not None:
        return ''  # a source tree on the path has no version to ask for; it is its owner's choice
    if version is not None and need.least <= _numbers(version) < need.below:
        return ''
    window = f'>={_text(need.least)},<{_text(need.below)}'
    found = f'{name} {version} is installed' if version else f'none of {", ".join(need.names)} is installed'
    return f'- {need.module}: {found}, {window} is needed: {need.pip}'


def installed(names: Sequence[str]) -> tuple[str, str | None]:
    """(name, version) of the first of these distributions that is installed; version None if none is."""
    for name in names:
        try:
            return name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return names[0], None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.match(r'[\d.]*\d', version).group().split('.'))


def _text(numbers: tuple[int, ...]) -> str:
    return '.'.join(map(str, numbers))


NOTES: list[str] = []  # which parts are stood in for, and why; a run writes them to its log file


def say(text: str) -> None:
    """One line in mmengine's current log, so that it also lands in the log file of a run that is going on."""
    from mmengine.logging import print_log

    print_log(f'cid_mmpose: {text}', logger='current')


class OpsStandIn(MetaPathFinder):
    """Makes ``mmcv.ops`` import where the installed mmcv has no compiled ops (mmcv-lite).

    mmcv-lite holds the Python files of ``mmcv.ops`` too, but each of them asks for its compiled functions when it is
    imported, and MMPose and MMDetection import them all over. Here they get functions that say what is missing when
    they are called, so that every class and function is mmcv's own, to import, to subclass and to compare with.

    ``mmcv._ext`` stays missing: mmengine and MMPose ask for that to see whether the full mmcv is there.
    """

    def find_spec(self, name: str, path=None, target=None) -> None:
        """Acts before ``mmcv.ops`` is imported, and leaves it to the others to find it."""
        if name != 'mmcv.ops' or PathFinder.find_spec('mmcv._ext', import_module('mmcv').__path__):
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
        if name != '_ext':
            return self.load(name, functions)
        return SimpleNamespace(**{function: missing_op(function) for function in functions})


def missing_op(name: str) -> Callable:
    """A function that takes the place of a compiled one.

    Args:
        name: of the compiled function.
    """
    if name in ('get_compiler_version', 'get_compiling_cuda_version'):
        return lambda: 'n/a'  # what mmcv itself prints of its environment when it has no compiled ops

    def op(*args, **kwargs) -> None:
        raise RuntimeError(
            f'{name} is one of the compiled ops of mmcv, which this environment does not have; CID '
            'needs none of them, for what does install the full mmcv'
        )

    return op


class AfterImport(MetaPathFinder):
    """Lets the steps of ``AFTER_IMPORT`` follow the import of their modules, whoever imports those.

    MMPose's inferencer reads the weights before it builds the model, so that a registration along with our classes
    would come too late.
    """

    def find_spec(self, name: str, path=None, target=None) -> ModuleSpec | None:
        """The module as it would be found without us, with a loader that takes the step after it."""
        spec = PathFinder.find_spec(name, path) if name in AFTER_IMPORT else None
        if spec is not None:
            spec.loader = _LoaderWithStep(spec.loader.name, spec.loader.path)
        return spec


class _LoaderWithStep(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        AFTER_IMPORT[self.name]()


class CocoStandIn(MetaPathFinder, Loader):
    """Finds ``xtcocotools`` and its modules in ``hotcoco.py`` when the real one cannot be imported."""

    NAMES = ('xtcocotools', 'xtcocotools.coco', 'xtcocotools.cocoeval', 'xtcocotools.mask')

    def __init__(self) -> None:
        self.reason: str | None = None  # why the real one is out; '' if it works; None until somebody asks

    def find_spec(self, name: str, path=None, target=None) -> ModuleSpec | None:
        if name not in self.NAMES:
            return None
        if self.reason is None:
            self.reason = why_no_xtcocotools()
        return spec_from_loader(name, self, is_package=name == 'xtcocotools') if self.reason else None

    def exec_module(self, module) -> None:
        if module.__name__ == 'xtcocotools':
            self._check_hotcoco()
            NOTES.append(f'xtcocotools cannot be used ({self.reason}); evaluation goes through xthotcoco')
            return
        stand_in = import_module('.hotcoco', __package__)
        module.__dict__.update(stand_in.contents(module.__name__.partition('.')[2]))

    def _check_hotcoco(self) -> None:
        if find_spec('xthotcoco') is None:
            raise ImportError(
                f'xtcocotools cannot be used ({self.reason}), and its replacement is not installed: '
                'pip install "cid_mmpose[hotcoco]", or pip install xthotcoco',
                name='xtcocotools',
            )


def why_no_xtcocotools() -> str:
    """Why the installed xtcocotools does not work here, '' if it does.

    Its compiled part fails at import when built for another numpy, or later, in ``decode``, when rebuilt with
    Cython 3; so one mask goes there and back.
    """
    package = PathFinder.find_spec('xtcocotools')
    if package is None:
        return 'it is not installed'
    try:
        return _try_masks(package.submodule_search_locations)
    except Exception as error:  # a wrong build fails in any of five ways; all mean the same
        return f'{type(error).__name__}: {str(error).splitlines()[0] if str(error) else "no reason given"}'


def _try_masks(folders: list[str]) -> str:
    import contextlib
    import io

    import numpy as np

    spec = PathFinder.find_spec('xtcocotools._mask', folders)
    if spec is None:
        return 'it has no compiled part'
    mask = np.ones((2, 2, 1), dtype=np.uint8, order='F')
    with contextlib.redirect_stderr(io.StringIO()):  # numpy 2 prints 40 lines here before it raises
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        back = module.decode(module.encode(mask))
    return '' if (back == mask).all() else 'its masks come back changed'


def secure_checkpoints() -> None:
    """From now on mmengine loads checkpoints by ``weights/loaders.py``: see there for what is allowed and what refused.

    Nobody has to call it: ``prepare`` does, as soon as mmengine's loaders are imported, whoever imports them.
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
        if self.backend == 'opencv' and getattr(radius, 'size', 0) == 1:
            radius = radius.item()
        theirs(self, center, radius, *args, **kwargs)

    visualizer.draw_circles = draw_circles


AFTER_IMPORT = {
    'mmengine.runner': secure_checkpoints,
    'mmengine.infer.infer': name_scope,
    'mmpose.visualization.opencv_backend_visualizer': draw_by_numbers,
}
