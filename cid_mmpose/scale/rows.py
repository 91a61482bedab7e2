"""One row an image: what JSON lines and Parquet files hold of it.

A row has the fields of ``People.to_dict``, with every number as ``--json`` writes it; or, of an image that cannot be
read, its ``path`` and the ``error``.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from cid_mmpose.errors import BadInput
from cid_mmpose.inference.finder import PeopleFinder
from cid_mmpose.inference.keypoints import KeypointSet
from cid_mmpose.inference.people import People
from cid_mmpose.inference.sources import Item

Row = dict[str, Any]
KEY = 'cid_mmpose'  # of what a Parquet file says of itself in its metadata


def rows_of(finder: PeopleFinder, items: Iterable[Item], strict: bool = False) -> Iterator[Row]:
    """A row for each item, in order.

    Args:
        finder: of ``cid_mmpose.load``.
        items: images and frames.
        strict: an image that cannot be read raises its error.

    Raises:
        BadInput: an image cannot be read, and ``strict`` is set.
    """
    failed: list[Row] = []

    def note(item: Item, error: BadInput) -> None:
        if strict:
            raise error
        failed.append(dict(path=item.path, error=str(error)))

    for people in finder.people_of(items, note, keep_frames=False):
        yield from failed  # those before this image
        failed.clear()
        yield people.to_dict()
    yield from failed


def people_in(path: str) -> Iterator[People]:
    """The people of each image in a Parquet file of ``cid predict``, in order; images with an error are left out.

    Args:
        path: of the file.

    Raises:
        BadInput: pyarrow is missing, or the file is none that ``cid predict`` wrote.
    """
    from .parquet import ROWS_AT_ONCE, opened

    with opened(path) as file:
        keypoint_set = keypoint_set_of(json.loads(file.schema_arrow.metadata[KEY.encode()]))
        for batch in file.iter_batches(batch_size=ROWS_AT_ONCE):
            for row in batch.to_pylist():
                if row['error'] is None:
                    yield People.from_dict(dict(row, names=keypoint_set.names), keypoint_set)


def keypoint_set_of(about: dict[str, Any]) -> KeypointSet:
    """The keypoints of which ``about.about_of`` tells.

    Args:
        about: as read from JSON.
    """
    said = about['keypoints']
    links = tuple((start, end) for start, end in said['links'])
    return KeypointSet(tuple(said['names']), links, tuple(said['swaps']), tuple(said['sigmas']))
