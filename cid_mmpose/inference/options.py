"""How people are found in images that nobody has annotated, each option in one place."""

from dataclasses import dataclass
from typing import Any

from cid_mmpose.errors import BadInput

PRECISION_NAMES = ('float32', 'bfloat16', 'float16')


@dataclass(frozen=True)
class PredictOptions:
    """What can be set when a model is loaded; None leaves an option as the model's config has it.

    Args:
        min_score: people with a lower score are left out, in [0, 1]; an evaluation keeps them from 0.01.
        flip: looks at the mirror image too, which takes twice as long and finds a little more.
        max_people: of an image at most.
        nms: of two people whose OKS lies above it only the better one stays, in (0, 1].
        size: short side of the network's input in pixels; smaller is faster and misses small people.
        precision: of the backbone, 'float32', 'bfloat16' or 'float16'.
        batch_size: images of one size that go through the network together; None takes 1 on a CPU, 8 on a GPU.

    Raises:
        BadInput: a value is outside its range.
    """

    min_score: float = 0.3
    flip: bool | None = None
    max_people: int | None = None
    nms: float | None = None
    size: int | None = None
    precision: str | None = None
    batch_size: int | None = None

    def __post_init__(self) -> None:
        _check_share('min_score', self.min_score)
        if self.nms is not None:
            _check_share('nms', self.nms)
        if self.flip not in (None, True, False):
            raise BadInput(f'flip must be True or False, got {self.flip!r}')
        for name in ('max_people', 'size', 'batch_size'):
            value = getattr(self, name)
            if value is not None and (type(value) is not int or value < 1):
                raise BadInput(f'{name} must be a whole number of at least 1, got {value!r}')
        if self.precision not in (None, *PRECISION_NAMES):
            raise BadInput(f'precision must be one of {PRECISION_NAMES}, got {self.precision!r}')

    def test_cfg(self) -> dict[str, Any]:
        """The options that are the head's, for ``model.test_cfg``.

        A person's score is at most that of the root, because the root's multiplies it. So roots below ``min_score``
        need not be looked at, and NMS is the same without them: they could take away nobody better.
        """
        given = dict(
            min_score=self.min_score,
            flip_test=self.flip,
            max_people=self.max_people,
            nms=self.nms,
            precision=self.precision,
        )
        return {name: value for name, value in given.items() if value is not None}


def _check_share(name: str, value: Any) -> None:
    """BadInput unless a value is a number in [0, 1]; for ``nms`` 0 is refused by the head."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise BadInput(f'{name} must be a number from 0 to 1, got {value!r}')
