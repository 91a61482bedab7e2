"""What an exported file says of itself, so that it can be used without the config and the checkpoint it was made of."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

from cid_mmpose.data.resize import MODES, Resizing
from cid_mmpose.errors import BadInput
from cid_mmpose.inference.keypoints import KeypointSet

KEY = 'cid_mmpose'  # under which a file carries it
VERSION = 1  # of this form
OUTPUTS = ('keypoints', 'keypoint_scores', 'scores', 'centers')
WHITE = 255  # the largest value of a color
WIDEST = 1e3  # above any sigma of a keypoint; COCO's are below 0.11
MULTIPLE = 32  # sides of images are multiples of it


class Normalisation(NamedTuple):
    """What the graph does to the images before all else; it is told for other programs, nobody need do it again.

    ``mean`` and ``std`` are of the colors in the order of ``colors``, 'rgb' or 'bgr'.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    colors: str


@dataclass(frozen=True)
class About:
    """What a file carries beside its graph.

    Args:
        keypoint_set: what its K keypoints are.
        resizing: how images become its input.
        normalisation: what the graph does to them.
        max_people: P, rows of an image.
        min_score: rows whose root scores no more are empty.
        nms: of two people whose OKS lies above it only the better one stays; it is done outside the graph.
        flip: whether the graph looks at the mirror image too.
        blur: side in cells of the blur of maps.
        stride: input pixels per heatmap cell.
        precision: of the backbone.
        batch: images at a time; None for any number.
        size: (w, h) of the images in pixels; None for any multiples of 32.
        model: what the weights were read from.
        config_sha256: of the text of the config.
        weights_sha256: of the weights, name by name.
        opset: of the ONNX graph.
        made_by: the programs and their versions.
        license: of the code; that of the weights is their owner's.
    """

    keypoint_set: KeypointSet
    resizing: Resizing
    normalisation: Normalisation
    max_people: int
    min_score: float
    nms: float
    flip: bool
    blur: int
    stride: int
    precision: str
    batch: int | None
    size: tuple[int, int] | None
    model: str
    config_sha256: str
    weights_sha256: str
    opset: int
    made_by: dict[str, str]
    license: str = 'Apache-2.0'

    def to_json(self) -> str:
        """As text of one line."""
        plain = asdict(self)
        plain['resizing'] = self.resizing._asdict()
        plain['normalisation'] = self.normalisation._asdict()
        return json.dumps(dict(version=VERSION, **plain))

    @classmethod
    def from_json(cls, text: str | None, name: str) -> 'About':
        """What ``to_json`` gave.

        Args:
            text: as the file carries it; None where it carries nothing.
            name: of the file, for the messages.

        Raises:
            BadInput: the file was not written by ``cid export``, or by a newer one.
        """
        if text is None:
            raise BadInput(f'{name}: says nothing of itself, so it was not written by cid export; export the model')
        try:
            given = json.loads(text)
            version = given.pop('version')
            if version > VERSION:
                raise BadInput(f'{name}: was written by a newer cid_mmpose; update this one, or export the model again')
            about = cls(**_converted(given))
            _check(about)
        except BadInput:
            raise
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise BadInput(
                f'{name}: what it says of itself is not what cid export writes ({error!r:.100}); export the model again'
            ) from error
        return about


def _converted(given: dict[str, Any]) -> dict[str, Any]:
    """The fields of ``About``, whose parts JSON has as lists and objects."""
    known = {field.name for field in fields(About)}
    made = {name: value for name, value in given.items() if name in known}
    points = dict(given['keypoint_set'])
    points['links'] = tuple((int(start), int(end)) for start, end in points['links'])
    for name in ('names', 'swaps', 'sigmas'):
        points[name] = tuple(points[name])
    made['keypoint_set'] = KeypointSet(**points)

    resizing = dict(given['resizing'])
    resizing['input_size'] = _size(resizing['input_size'])
    resizing['padding'] = tuple(float(value) for value in resizing['padding'])
    made['resizing'] = Resizing(**resizing)

    values = given['normalisation']
    made['normalisation'] = Normalisation(tuple(values['mean']), tuple(values['std']), values['colors'])
    if given['size'] is not None:
        made['size'] = _size(given['size'])
    return made


def _size(value: Any) -> tuple[int, int]:
    width, height = value
    return int(width), int(height)


def _check(about: About) -> None:
    """ValueError for values that no export writes; they would be computed with."""
    whole = (about.max_people, about.stride, about.resizing.factor, *about.resizing.input_size)
    if not all(type(number) is int and 1 <= number < 2**20 for number in whole):
        raise ValueError(f'numbers out of their range: {whole}')
    if about.batch is not None and (type(about.batch) is not int or about.batch < 1):
        raise ValueError(f'batch is {about.batch!r}')
    if about.resizing.mode not in MODES or about.resizing.factor % MULTIPLE:
        raise ValueError(f'resizing is {about.resizing!r}')
    if not 0 <= about.min_score <= 1 or not 0 < about.nms <= 1:
        raise ValueError('min_score or nms lies outside its range')
    if type(about.flip) is not bool:
        raise ValueError(f'flip is {about.flip!r}')
    padding = about.resizing.padding
    if len(padding) != 3 or not all(0 <= value <= WHITE for value in padding):
        raise ValueError(f'padding is {padding}')
    _check_keypoints(about.keypoint_set)


def _check_keypoints(points: KeypointSet) -> None:
    """ValueError unless links and mirror partners are keypoints, and sigmas numbers that OKS can be computed with."""
    count = len(points)
    if not count or not all(type(name) is str for name in points.names):
        raise ValueError(f'names of keypoints are {points.names}')
    if len(points.sigmas) != count or not all(0 < sigma < WIDEST for sigma in points.sigmas):
        raise ValueError(f'sigmas of the {count} keypoints are {points.sigmas}')
    if points.swaps and sorted(points.swaps) != list(range(count)):
        raise ValueError(f'mirror partners of the {count} keypoints are {points.swaps}')
    if not all(0 <= end < count for link in points.links for end in link):
        raise ValueError(f'links of the {count} keypoints are {points.links}')
