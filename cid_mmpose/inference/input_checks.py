"""Inputs of ``cid predict`` that are refused before anything is written."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cid_mmpose.errors import BadInput

from .outputs import IMAGES, VIDEOS
from .sources import FoundItems


def check_names(inputs: Sequence[Any]) -> None:
    """BadInput for arrays and other inputs without a name: the results of all would get the same one.

    Args:
        inputs: of ``predict``.
    """
    for each in inputs:
        if not isinstance(each, (str, os.PathLike, int)):
            raise BadInput(
                f'results of a {type(each).__name__} have no name to be written under; give the path of a file, or '
                'call the model with it in a program, whose People have to_json and save'
            )


def check_inputs_stay(found: FoundItems, folder: Path) -> None:
    """BadInput if an input lies where results are written, and could be written over.

    Args:
        found: of the inputs.
        folder: of results.
    """
    results = {os.path.realpath(folder / name) for name in (IMAGES, VIDEOS)}
    for path in found.files:
        if results & {os.path.realpath(os.path.dirname(path)), os.path.dirname(os.path.realpath(path))}:
            raise BadInput(f'{path}: lies where results are written, which would replace it; choose another --out')
