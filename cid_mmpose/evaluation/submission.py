"""What COCO's evaluation server takes for a test set whose annotations nobody has: one zip with one JSON file."""

import json
import os
import os.path as osp
import re
import tempfile
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from cid_mmpose.errors import BadInput

from .finite import check_prediction

# person_keypoints_[test set]_[algorithm]_results, as the server's upload page asks for; the same name for zip and JSON
NAME = re.compile(r'person_keypoints_(?:val2017|test-dev2017|test-challenge2017)_[^_/\\]+_results\.zip')
KEYPOINTS = 17  # the server knows COCO's people only
DECIMALS = 2  # of a pixel; rounding moves the OKS of a person of 32 x 32 pixels by 0.0013 at worst


def check_submission(path: str) -> None:
    """BadInput if a submission could not be written to a path, or the server would not know what it is.

    A run that ends in a submission takes hours, so this is asked before it starts; the folder is made.
    """
    if not NAME.fullmatch(osp.basename(path)):
        raise BadInput(
            f'submission {path}: the server goes by the name; call it '
            'person_keypoints_test-dev2017_NAME_results.zip with a NAME of yours that has no underscore'
        )
    folder = osp.dirname(osp.abspath(path))
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):  # root passes every check of permission bits, so try
            pass
    except OSError as error:
        raise BadInput(
            f'submission {path}: its folder cannot be written to ({error.strerror}); name another'
        ) from error


def check_keypoint_count(path: str, number: int) -> None:
    """BadInput if the people of a submission do not have the keypoints that the server knows."""
    if number != KEYPOINTS:
        raise BadInput(
            f'submission {path}: the server takes {KEYPOINTS} keypoints, the data set under test has '
            f'{number}; use a configuration of COCO'
        )


def submission_rows(people: dict[int, list[dict]]) -> Iterator[dict]:
    """A row a person in the server's format.

    ``keypoints`` are x, y in pixels and 1 for each of the 17 keypoints: the server asks for a third number and does not
    read it. The score is not rounded, because its order counts. Source: COCO, "results format".

    Args:
        people: image id -> people with ``keypoints`` (K, 2 or more), x and y in pixels first, and ``score``.

    Raises:
        BadInput: a number is NaN or infinite.
    """
    for image, found in people.items():
        for person in found:
            check_prediction(person, image)
            yield dict(
                image_id=int(image),
                category_id=1,
                keypoints=_triples(person['keypoints']),
                score=float(person['score']),
            )


def _triples(keypoints: Any) -> list[float]:
    """x, y and 1 of each keypoint, one after the other.

    Args:
        keypoints: (K, 2 or more), x and y in pixels first.
    """
    points = np.asarray(keypoints, float)
    triples = []
    for x, y in np.round(points[:, :2], DECIMALS).tolist():
        triples += [x, y, 1]
    return triples


def write_submission(path: str, rows: Iterator[dict]) -> int:
    """Writes the zip. Until it is complete, no file of that name changes.

    Args:
        path: of the zip, see ``check_submission``.
        rows: of ``submission_rows``, written one by one.

    Returns:
        Number of people in it.
    """
    stem = osp.basename(path)[: -len('.zip')]
    partial = path + '.partial'
    number = 0
    try:
        with zipfile.ZipFile(partial, 'w', zipfile.ZIP_DEFLATED) as archive, archive.open(stem + '.json', 'w') as file:
            file.write(b'[')
            for number, row in enumerate(rows, 1):
                if number > 1:
                    file.write(b',\n')
                text = json.dumps(row, allow_nan=False)
                file.write(text.encode())
            file.write(b']\n')
        os.replace(partial, path)
    finally:
        if osp.exists(partial):
            os.remove(partial)
    return number
