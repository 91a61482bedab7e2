"""The options of testing, each set in one place: ``model.head.test`` of a config, or MMPose's ``model.test_cfg``."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch

from cid_mmpose.compat.metainfo import coco_sigmas
from cid_mmpose.errors import BadInput

DTYPES = {None: None, 'float32': torch.float32, 'bfloat16': torch.bfloat16, 'float16': torch.float16}
COMPILE_MODES = (None, 'default', 'reduce-overhead')  # torch.compile's names; the last one records CUDA graphs


@dataclass(frozen=True)
class TestOptions:
    """How people are found (section 4.2; values of the authors' configuration), and how fast.

    Args:
        max_people: roots kept an image.
        min_score: a root's score lies above it, in [0, 1].
        blur: side in cells, odd, of the box blur of center and keypoint maps; 11 for OCHuman with COCO weights.
        nms: of two people whose OKS lies above it only the better one stays, in (0, 1]; 0.7 for OCHuman.
        sigmas: (K,) OKS fall-off of the keypoints. None takes those of ``model.metainfo``, and COCO's where a model has
            none.
        flip_test: averages with what the mirror images say.
        output_heatmaps: hands over the heatmaps too, the largest value of all people.
        precision: of the backbone: None as its weights, 'float32', 'bfloat16' or 'float16' by a folded copy.
        compile: 'default' or 'reduce-overhead' hands the backbone to torch.compile.
        insist: True keeps half precision on a CPU that only emulates it, instead of taking float32.

    Raises:
        ValueError: a value outside its range.
    """

    __test__ = False  # no class of tests, whatever its name tells pytest

    max_people: int = 30
    min_score: float = 0.01
    blur: int = 3
    nms: float = 0.8
    sigmas: tuple[float, ...] | None = None
    flip_test: bool = False
    output_heatmaps: bool = False
    precision: str | None = None
    compile: str | None = None
    insist: bool = False

    def __post_init__(self) -> None:
        if self.max_people < 1 or not 0 <= self.min_score <= 1:
            raise ValueError('test: max_people must be at least 1 and min_score lie in [0, 1]')
        if self.blur < 1 or self.blur % 2 == 0 or not 0 < self.nms <= 1:
            raise ValueError('test: blur must be odd and positive, and nms lie in (0, 1]')
        for name in ('flip_test', 'output_heatmaps', 'insist'):
            value = getattr(self, name)
            if not isinstance(value, bool):  # 'False' would count as true
                raise ValueError(f'{name} must be True or False, got {value!r}')
        _check_choice('precision', self.precision, DTYPES)
        _check_choice('compile', self.compile, COMPILE_MODES)

    def with_test_cfg(self, test_cfg: Mapping[str, Any] | None) -> 'TestOptions':
        """These options with those that ``model.test_cfg`` of a config sets.

        Args:
            test_cfg: name -> value; None for none.

        Raises:
            BadInput: an option or a value is not known.
        """
        given = dict(test_cfg or {})
        known = [field.name for field in fields(self)]
        unknown = sorted(given.keys() - set(known))
        if unknown:
            raise BadInput(f'model.test_cfg: unknown {unknown}; it takes {sorted(known)}')
        try:
            return replace(self, **given)
        except (TypeError, ValueError) as error:
            raise BadInput(f'model.test_cfg: {error}') from None

    def keypoint_sigmas(self, num_keypoints: int) -> np.ndarray:
        """The OKS fall-off of each keypoint.

        Args:
            num_keypoints: K.

        Returns:
            (K,) float32.

        Raises:
            ValueError: they are missing, or not K.
        """
        sigmas = coco_sigmas() if self.sigmas is None else self.sigmas
        if len(sigmas) != num_keypoints:
            raise ValueError(
                f'test: sigmas has {len(sigmas)} values for {num_keypoints} keypoints; '
                "give the model the data set's meta information, model.metainfo, or set head.test.sigmas to one value "
                'a keypoint'
            )
        return np.asarray(sigmas, np.float32)


def _check_choice(name: str, value: str | None, known: Collection[str | None]) -> None:
    if value not in list(known):  # of a list: a value that is not hashable is answered as well
        raise ValueError(f'{name} must be one of {list(known)}, got {value!r}')
