"""An exported file that is called with images."""

import os
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cid_mmpose.data.resize import Placing, Resizing, place, placing_of
from cid_mmpose.errors import BadInput
from cid_mmpose.inference.finder import PeopleFinder
from cid_mmpose.inference.options import PredictOptions
from cid_mmpose.oks import Best, best_people

from .about import MULTIPLE, About
from .session import Rows, Session

MAX_INPUT_PIXELS = 2**24  # of the network's input, as ``data.packing.ResizeImage`` has it


class Packed(NamedTuple):
    """An image as the graph takes it."""

    image: np.ndarray  # (h', w', 3) uint8 BGR
    placing: Placing


class ExportedPredictor(PeopleFinder):
    """An exported CID that is called with images, see ``PeopleFinder``.

    Args:
        session: of the file.
        options: how people are found.
        name: of the file.

    Raises:
        BadInput: an option is not possible with this file.
    """

    def __init__(self, session: Session, options: PredictOptions, name: str) -> None:
        about = session.about
        check_options(options, about, name)
        self.session = session
        self.about = about
        self.resizing = resizing_of(options.size, about, name)
        self.max_people = options.max_people or about.max_people
        self.nms = about.nms if options.nms is None else options.nms
        super().__init__(about.keypoint_set, options, name, options.batch_size or about.batch or 1)

    def __repr__(self) -> str:
        return f'CID exported to {self.weights}, {len(self.keypoint_set)} keypoints, on {self.session.where}'

    def pack(self, image: np.ndarray, path: str | None = None) -> Packed:
        """See ``PeopleFinder``.

        Raises:
            BadInput: the input would be larger than ``MAX_INPUT_PIXELS``.
        """
        height, width = image.shape[:2]
        placing = placing_of((width, height), self.resizing)
        input_width, input_height = placing.size
        if input_width * input_height > MAX_INPUT_PIXELS:
            raise BadInput(
                f"{path or 'image'}: is {width} x {height} pixels, for which the network's input would be "
                f'{input_width} x {input_height} pixels, more than {MAX_INPUT_PIXELS}; leave the image out, or cut it '
                'into pieces'
            )
        return Packed(place(image, placing, self.resizing.padding), placing)

    def explain(self, source: Any, *, channels: str = 'bgr') -> Any:
        """BadInput: a graph hands over people alone.

        Args:
            source: as for a model of torch.
            channels: as for a model of torch.
        """
        raise BadInput(f'{self.weights}: is an exported file, which shows nothing of its way; give the checkpoint')

    def size_of(self, packed: Packed) -> tuple[int, ...]:
        """See ``PeopleFinder``."""
        return packed.image.shape

    def compute(self, packed: list[Packed]) -> list[Best]:
        """See ``PeopleFinder``.

        Raises:
            BadInput: the graph gave NaN.
        """
        images = np.stack([each.image for each in packed])
        rows = self._rows(images)
        if np.isnan(rows.scores).any():
            raise BadInput(f'{self.weights}: gave NaN for an image; export the model again, in float32')
        return [self._best(rows, number, each.placing) for number, each in enumerate(packed)]

    def _rows(self, images: np.ndarray) -> Rows:
        """The rows of B images; where the file takes another number of them, black ones are added."""
        missing = (self.about.batch or len(images)) - len(images)
        if not missing:
            return self.session.run(images)
        filled = np.concatenate([images, np.zeros((missing, *images.shape[1:]), np.uint8)])
        rows = self.session.run(filled)
        return Rows(*(each[: len(images)] for each in rows))

    def _best(self, rows: Rows, number: int, placing: Placing) -> Best:
        """The people of one image of a batch, in pixels of the image."""
        is_found = rows.scores[number, : self.max_people] > 0
        kept = np.flatnonzero(is_found)
        best = best_people(
            rows.keypoints[number, kept],
            rows.keypoint_scores[number, kept],
            rows.centers[number, kept],
            np.asarray(self.keypoint_set.sigmas, np.float32),
            self.nms,
        )
        boxes = placing.to_image(best.boxes.reshape(-1, 2, 2)).reshape(-1, 4)
        return best._replace(
            keypoints=placing.to_image(best.keypoints), boxes=boxes, centers=placing.to_image(best.centers)
        )


def load(
    path: str | os.PathLike, device: str | None = None, checkpoint: Any = None, **options: Any
) -> ExportedPredictor:
    """An exported file that is called with images; see ``cid_mmpose.load``.

    Args:
        path: of a file .onnx or .engine, or .xml with its .bin beside it.
        device: 'cpu', 'cuda' and others, see docs/export.md.
        checkpoint: must be None.
        **options: of ``PredictOptions``.

    Raises:
        BadInput: the file is none that ``cid export`` wrote, its runtime is missing, or an option is wrong.
    """
    if checkpoint is not None:
        raise BadInput(f'{path}: is an exported file, which holds its weights; leave out the checkpoint')
    known = [field.name for field in fields(PredictOptions)]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise BadInput(f'load: unknown options {unknown}; there are: {", ".join(known)}')
    chosen = PredictOptions(**options)
    name = os.fspath(path)
    return ExportedPredictor(session_of(name, device), chosen, name)


def device_of(path: Path) -> str:
    """Where a file runs on any machine that can write it.

    Args:
        path: of the file.
    """
    return 'cuda' if path.suffix.lower() == '.engine' else 'cpu'


def session_of(name: str, device: str | None) -> Session:
    """What runs a file, by its ending.

    Args:
        name: of the file.
        device: as ``load`` takes it.
    """
    ending = Path(name).suffix.lower()
    if ending == '.xml':
        from .openvino_file import OpenVinoSession

        return OpenVinoSession(name, device)
    if ending == '.engine':
        from .tensorrt_file import TensorRtSession

        return TensorRtSession(name, device)
    from .onnx_file import OnnxSession

    return OnnxSession(name, device)


def check_options(options: PredictOptions, about: About, name: str) -> None:
    """BadInput if an option asks for what is fixed in a file.

    Args:
        options: of the user.
        about: the file.
        name: of the file.
    """
    again = 'export the model again with that'
    if options.flip is not None and options.flip != about.flip:
        has = 'looks' if about.flip else 'does not look'
        raise BadInput(f'{name}: flip={options.flip}: its graph {has} at the mirror image; {again}')
    if options.precision is not None and options.precision != about.precision:
        raise BadInput(f'{name}: precision={options.precision}: its graph computes in {about.precision}; {again}')
    if options.max_people is not None and options.max_people > about.max_people:
        raise BadInput(f'{name}: max_people={options.max_people}: its graph has {about.max_people} rows; {again}')
    if options.min_score < about.min_score:
        raise BadInput(
            f'{name}: min_score={options.min_score:g}: its graph leaves out people below {about.min_score:g}; {again}'
        )
    if options.batch_size is not None and about.batch is not None and options.batch_size != about.batch:
        raise BadInput(f'{name}: batch_size={options.batch_size}: its graph takes {about.batch} at a time; {again}')


def resizing_of(size: int | None, about: About, name: str) -> Resizing:
    """How images are resized for another short side of the input.

    Args:
        size: in pixels; None for that of the file.
        about: the file.
        name: of the file.

    Raises:
        BadInput: the size of the file is fixed, or the input would have fewer cells than the graph has rows.
    """
    resizing = about.resizing
    if size is None:
        return resizing
    if about.size is not None:
        width, height = about.size
        raise BadInput(
            f'{name}: size={size}: its graph takes images of {width} x {height} pixels; export the model again'
        )
    least = least_side(about.max_people, about.stride)
    if size < least:
        raise BadInput(f'{name}: size={size}: its {about.max_people} rows need sides of at least {least} pixels')
    return resizing._replace(input_size=(size, size))


def least_side(max_people: int, stride: int) -> int:
    """The shortest side, in pixels, of images that have a cell for each row; a multiple of 32, two of them at least.

    Args:
        max_people: P.
        stride: pixels per cell.
    """
    side = 2 * MULTIPLE
    while (side // stride) ** 2 < max_people:
        side += MULTIPLE
    return side
