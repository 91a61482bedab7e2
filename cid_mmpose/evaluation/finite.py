"""Predictions that are no numbers are refused: NaN loses every comparison, so it would count as right."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cid_mmpose.errors import BadInput

WAY_OUT = (
    'the weights or the arithmetic went wrong: give another checkpoint, or leave out half precision '
    '(model.test_cfg.precision)'
)


def check_prediction(people: Mapping[str, Any], image: Any) -> None:
    """BadInput if a prediction holds NaN or infinity.

    Args:
        people: field -> array, tensor or list, of the people found in an image; what is no number is passed over.
        image: its id, for the message.
    """
    field = first_not_finite(people)
    if field is not None:
        raise BadInput(f'prediction of image {image}: {field} is NaN or infinite; {WAY_OUT}')


def first_not_finite(people: Mapping[str, Any]) -> str | None:
    """The first field that holds NaN or infinity, None if none does.

    Args:
        people: as for ``check_prediction``.
    """
    for field, values in people.items():
        if hasattr(values, 'detach'):  # a tensor
            values = values.detach().cpu()
        array = np.asarray(values)
        if array.dtype.kind == 'f' and not np.isfinite(array).all():
            return field
    return None
