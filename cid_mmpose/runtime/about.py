"""What an exported file says of itself, so that it can be used without the config and the checkpoint it was made of."""

import json
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, NamedTuple

from cid_mmpose.data.resize import MODES, Resizing
from cid_mmpose.errors import BadInput
from cid_mmpose.inference.keypoints import KeypointSet
from cid_mmpose.inference.options import PRECISION_NAMES

from .fields import WrongField, hexadecimal, listing, maybe, names, number, one_of, read, text, whole

KEY = 'cid_mmpose'  # under which a file carries it
VERSION = 1  # of this form
OUTPUTS = ('keypoints', 'keypoint_scores', 'scores', 'centers')
WHITE = 255  # the largest value of a color
WIDEST = 1e3  # above any sigma of a keypoint, COCO's are below 0.11, and any mean or deviation of a color
MULTIPLE = 32  # sides of images are multiples of it
LONGEST_SIDE = 2**14  # pixels of an input
PRECISIONS = (*PRECISION_NAMES, 'int8')


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
    def from_json(cls, said: str | None, name: str) -> 'About':
        """What ``to_json`` gave.

        Args:
            said: as the file carries it; None where it carries nothing.
            name: of the file, for the messages.

        Raises:
            BadInput: the file was not written by ``cid export``, or by a newer one, or a field has a value that no
                export writes.
        """
        if said is None:
            raise BadInput(f'{name}: says nothing of itself, so it was not written by cid export; export the model')
        try:
            given = json.loads(said)
            version = read(given, dict(version=whole(1, 2**31)))['version']
            if version > VERSION:
                raise BadInput(f'{name}: was written by a newer cid_mmpose; update this one, or export the model again')
            return cls(**_values(given))
        except WrongField as error:
            raise BadInput(f'{name}: what it says of itself is wrong: {error}; export the model again') from None
        except (ValueError, RecursionError) as error:  # of json
            if isinstance(error, BadInput):
                raise
            raise BadInput(
                f'{name}: what it says of itself is not what cid export writes ({error!r:.100}); export the model again'
            ) from error


SIDE = whole(1, LONGEST_SIDE)
# what each field of ``About`` must be; those of its parts stand below
READERS = dict(
    max_people=whole(1, 2**20),
    min_score=number(0, 1),
    nms=number(0, 1, above=True),
    flip=one_of(True, False),
    blur=whole(1, 999, odd=True),
    stride=whole(1, 2 * MULTIPLE),
    precision=one_of(*PRECISIONS),
    batch=maybe(whole(1, 2**16)),
    size=maybe(listing(whole(MULTIPLE, LONGEST_SIDE, multiple=MULTIPLE), 2)),
    model=text(10**4),
    config_sha256=hexadecimal(64),
    weights_sha256=hexadecimal(64),
    opset=whole(1, 999),
    made_by=names(text(100)),
    license=text(1000),
)
RESIZING = dict(
    input_size=listing(SIDE, 2),
    factor=whole(MULTIPLE, LONGEST_SIDE, multiple=MULTIPLE),
    mode=one_of(*MODES),
    padding=listing(number(0, WHITE), 3),
)
NORMALISATION = dict(
    mean=listing(number(-WIDEST, WIDEST), 3),
    std=listing(number(0, WIDEST, above=True), 3),
    colors=one_of('rgb', 'bgr'),
)


def _keypoint_readers(given: Any) -> dict[str, Any]:
    """What the fields of a set of keypoints must be, which depends on how many there are."""
    found = read(given, dict(names=listing(text(200, printable=True))), 'keypoint_set')
    count = len(found['names'])
    if not count or len(set(found['names'])) != count:
        raise WrongField(f'keypoint_set.names are {count} of which {len(set(found["names"]))} differ, not one or more')
    point = whole(0, count - 1)
    has_partners = bool(given.get('swaps'))
    return dict(
        names=listing(text(200, printable=True)),
        links=listing(listing(point, 2)),
        swaps=listing(point, count if has_partners else 0),
        sigmas=listing(number(0, WIDEST, above=True), count),
    )


def _values(given: dict[str, Any]) -> dict[str, Any]:
    """The fields of ``About``, each read and held against the others.

    Args:
        given: of JSON.

    Raises:
        WrongField: one is missing or wrong.
    """
    optional = [field.name for field in fields(About) if field.default is not MISSING and field.name not in given]
    values = read(given, {name: reader for name, reader in READERS.items() if name not in optional})

    points = given.get('keypoint_set')
    keypoints = KeypointSet(**read(points, _keypoint_readers(points), 'keypoint_set'))
    if keypoints.swaps and sorted(keypoints.swaps) != list(range(len(keypoints))):
        raise WrongField(f'keypoint_set.swaps is {keypoints.swaps}, not each keypoint once')

    resizing = Resizing(**read(given.get('resizing'), RESIZING, 'resizing'))
    has_multiples = all(side % resizing.factor == 0 for side in resizing.input_size)
    if resizing.mode == 'fit' and not has_multiples:
        raise WrongField(f'resizing.input_size is {resizing.input_size}, not multiples of {resizing.factor}')
    fixed = values['size']
    if fixed is not None and (resizing.mode, resizing.input_size) != ('fit', fixed):
        raise WrongField(f'size is {fixed}, not that of resizing.input_size, which is {resizing.input_size}')

    normalisation = Normalisation(**read(given.get('normalisation'), NORMALISATION, 'normalisation'))
    return dict(values, keypoint_set=keypoints, resizing=resizing, normalisation=normalisation)
