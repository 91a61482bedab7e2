"""``cid export --format browser``: a folder that any web server shows, and that finds people in the browser itself.

What runs there lies in ``browser/``; onnxruntime-web is the user's own copy of the npm package.
"""

import errno
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2

from cid_mmpose.errors import BadInput
from cid_mmpose.files import check_writable, put_in_place, unfinished_folder
from cid_mmpose.inference.options import PredictOptions
from cid_mmpose.runtime.about import About
from cid_mmpose.runtime.seal import sha256_of
from cid_mmpose.visualization.colours import PALETTE
from cid_mmpose.visualization.options import DrawOptions

from .accuracy import AccuracyOptions
from .options import ExportOptions
from .run import Exported, export

SOURCES = Path(__file__).parent / 'browser'
PAGE = 'index.html'
MODEL = 'model.onnx'
PACKAGE = 'node_modules/onnxruntime-web'  # where npm puts it
# of its folder dist: what the worker imports, and what that loads
RUNTIME = ('ort.wasm.bundle.min.mjs', 'ort-wasm-simd-threaded.wasm')
INSTALL = 'npm install onnxruntime-web'
SAMPLES = 4  # drawn images on the page
# of SynthCrowd: people so large that a small network finds them
SCENES = dict(image_size=(640, 480), people=(2, 4), person_height=(0.5, 0.9))
NEEDED = ('keypoint_set', 'resizing', 'max_people', 'min_score', 'nms')  # of what the model says of itself


class ExportedPage(NamedTuple):
    """What was written."""

    folder: Path
    model: Exported

    def text(self) -> str:
        """As a user reads it."""
        size = sum(path.stat().st_size for path in self.folder.rglob('*') if path.is_file()) / 2**20
        accuracy = f'; {self.model.accuracy.text()}' if self.model.accuracy is not None else ''
        return (
            f'{self.folder}: a page of {size:.1f} MiB; as torch: {self.model.difference.text()}{accuracy}; show it by: '
            f'python -m http.server -d {self.folder}'
        )


def export_page(
    model: str | os.PathLike,
    out: str | os.PathLike,
    *,
    package: str | os.PathLike = PACKAGE,
    checkpoint: str | os.PathLike | None = None,
    options: ExportOptions | None = None,
    images: Sequence[Any] = (),
    force: bool = False,
    accuracy: AccuracyOptions | None = None,
) -> ExportedPage:
    """Writes a folder with a page and a model, which is held against torch as every export.

    Args:
        model: as ``cid_mmpose.load`` takes it.
        out: the folder.
        package: folder of the npm package onnxruntime-web.
        checkpoint: as ``cid_mmpose.load`` takes it.
        options: of the export.
        images: as ``export`` takes them.
        force: whether files of an existing folder may be replaced.
        accuracy: as ``export`` takes it.

    Raises:
        BadInput: as ``export`` raises it, or the folder is there already, or the package is not.
    """
    folder = Path(out)
    runtime = [_runtime_file(Path(package), name) for name in RUNTIME]
    options = _for_page(options or ExportOptions())
    _check_folder(folder, force)

    folder.parent.mkdir(parents=True, exist_ok=True)
    with unfinished_folder(folder.parent) as unfinished:
        site = unfinished / 'site'
        site.mkdir()
        exported = export(model, site / MODEL, checkpoint=checkpoint, options=options, images=images, accuracy=accuracy)
        for path in (*runtime, *sorted(SOURCES.iterdir())):
            shutil.copyfile(path, site / path.name)
        samples = _draw_samples(site)
        settings = _settings(exported.about, site / MODEL, samples)
        (site / 'page.json').write_text(json.dumps(settings), encoding='utf-8')
        _check_folder(folder, force)  # another export may have written it meanwhile
        _put_folder_in_place(site, folder)
    return ExportedPage(folder, exported._replace(path=folder / MODEL))


def _runtime_file(package: Path, name: str) -> Path:
    """A file of onnxruntime-web."""
    path = package / 'dist' / name
    if not path.is_file():
        raise BadInput(
            f'{path}: is not there; the page needs the npm package onnxruntime-web: {INSTALL}, or name its folder by '
            '--onnxruntime-web'
        )
    return path


def _for_page(options: ExportOptions) -> ExportOptions:
    """The options of a page, which gives the model one image at a time."""
    if options.batch not in (None, 1):
        raise BadInput(f'batch={options.batch}: the page gives its model one image at a time; leave it out')
    if options.precision != 'float32':
        raise BadInput(f'precision {options.precision}: the page computes in float32; leave it out')
    return replace(options, batch=1)


def _check_folder(folder: Path, force: bool) -> None:
    """BadInput if the folder cannot be written, or has something in it."""
    if folder.exists() and not folder.is_dir():
        raise BadInput(f'{folder}: is a file; name a folder for the page')
    check_writable(str(folder), 'folder of the page')
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise BadInput(f'{folder}: is already there; choose another name, or --force to replace files of it')


def _draw_samples(site: Path) -> list[str]:
    """Writes drawn crowds, and gives their names in the folder."""
    from cid_mmpose.data import SynthCrowd

    (site / 'samples').mkdir()
    dataset = SynthCrowd(length=SAMPLES, pipeline=[], **SCENES)
    names = []
    for number in range(SAMPLES):
        name = f'samples/{number + 1}.png'
        cv2.imwrite(str(site / name), dataset.scene(number).image)
        names.append(name)
    return names


def _settings(about: About, model: Path, samples: list[str]) -> dict[str, Any]:
    """What the page is told beside the model."""
    said = json.loads(about.to_json())
    return dict(
        about={name: said[name] for name in NEEDED},
        sha256=sha256_of(model),
        samples=samples,
        min_score=max(PredictOptions().min_score, about.min_score),
        min_keypoint_score=DrawOptions().min_keypoint_score,
        palette=[f'rgb({red} {green} {blue})' for blue, green, red in PALETTE],
    )


def _put_folder_in_place(site: Path, folder: Path) -> None:
    """Gives a whole folder its name; of one that is there the files are replaced, the page last."""
    if not folder.exists() and _renamed(site, folder):
        return
    names = sorted(path.relative_to(site) for path in site.rglob('*') if path.is_file())
    names.sort(key=lambda name: name == Path(PAGE))
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        put_in_place(site / name, folder / name)


def _renamed(site: Path, folder: Path) -> bool:
    """Whether a folder could be given its name; false where another process has made one of that name meanwhile."""
    try:
        site.rename(folder)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            return False
        raise
    return True
