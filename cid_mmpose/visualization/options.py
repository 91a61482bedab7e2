"""How people are drawn."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from cid_mmpose.errors import BadInput

COLOURS = ('person', 'side')
LABELS = ('score', 'number', 'none')


@dataclass(frozen=True)
class DrawOptions:
    """How people are drawn.

    Args:
        colours: 'person' gives each person a colour that no neighbour has; 'side' gives left, right and middle a
            colour each.
        min_keypoint_score: keypoints with a lower score are left out, in [0, 1].
        min_score: people with a lower score are left out, in [0, 1]; it needs scores of people.
        labels: 'score' writes each person's score above them, 'number' their number in the arrays, 'none' nothing.
        show_boxes: whether a thin box is drawn around each person.
        legend: whether an image without people says so.
        thickness: a factor on the widths of lines and dots, above 0; they follow the sizes of person and image.

    Raises:
        BadInput: an option is out of its range.
    """

    colours: str = 'person'
    min_keypoint_score: float = 0.3
    min_score: float = 0.0
    labels: str = 'score'
    show_boxes: bool = False
    legend: bool = True
    thickness: float = 1.0

    def __post_init__(self) -> None:
        for name, known in dict(colours=COLOURS, labels=LABELS).items():
            value = getattr(self, name)
            if value not in known:
                raise BadInput(f'draw: option {name!r} is {value!r}; give one of {", ".join(map(repr, known))}')
        for name in ('min_keypoint_score', 'min_score'):
            value = getattr(self, name)
            if not _is_number(value) or not 0 <= value <= 1:
                raise BadInput(f'draw: option {name!r} is {value!r}; give a number from 0 to 1')
        for name in ('show_boxes', 'legend'):
            value = getattr(self, name)
            if not isinstance(value, (bool, np.bool_)):
                raise BadInput(f'draw: option {name!r} is {value!r}; give True or False')
        if not _is_number(self.thickness) or not 0 < self.thickness < np.inf:
            raise BadInput(f"draw: option 'thickness' is {self.thickness!r}; give a number above 0")

    @classmethod
    def named(cls, options: dict[str, Any]) -> 'DrawOptions':
        """Options by name.

        Args:
            options: name -> value.

        Raises:
            BadInput: there is no such option, or it is out of its range.
        """
        known = [field.name for field in fields(cls)]
        for name in options:
            if name not in known:
                raise BadInput(f'draw: there is no option {name!r}; there are {", ".join(known)}')
        return cls(**options)


def least_keypoint_score(min_score: float) -> float:
    """From which score on keypoints are drawn, so that everyone who was asked for is seen.

    A person's score is the mean of the keypoints' scores. So where people below the usual threshold of keypoints are
    asked for, all keypoints of some may lie below it too.

    Args:
        min_score: from which on people were asked for, in [0, 1].
    """
    return min(DrawOptions.min_keypoint_score, min_score)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
