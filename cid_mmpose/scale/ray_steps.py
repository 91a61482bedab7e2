"""What the processes of a cluster do for ``on_ray.py``: read and decode images, find people, write files of rows."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cid_mmpose.errors import BadInput, RunStopped
from cid_mmpose.files import partial_path, put_in_place
from cid_mmpose.inference.finder import PeopleFinder
from cid_mmpose.inference.sources import Item

from .in_hand import InHand, rows_with
from .names import items_of
from .parquet import arrow_of, schema_of, table_of, write_parquet

NAMES_OF_BLOCK = 64  # at most; what is done again when a process dies
BLOCKS_OF_WORKER = 8  # at least, so that all have work until the end
IMAGES_AT_ONCE = 16  # decoded ones that are handed over together
FILES = 200  # as many are aimed at
ROWS_OF_FILE = (256, 16_384)  # at least and at most; multiples of ``NAMES_OF_BLOCK``, so that no few rows are left over
LOCK = '.ray'  # folder below that of results with the lock of a run, and which run it is
RUN = 'run'
IN_HAND = '.in_hand.jsonl'  # end of the names of files there, of what tasks and workers have in hand


def blocks_of(names: Sequence[str], workers: int) -> list[Any]:
    """Names as tables, each of which is read by one task.

    Args:
        names: of images.
        workers: that share them.
    """
    wanted = len(names) // (workers * BLOCKS_OF_WORKER) // IMAGES_AT_ONCE * IMAGES_AT_ONCE
    size = min(max(wanted, IMAGES_AT_ONCE), NAMES_OF_BLOCK)
    blocks = []
    for start in range(0, len(names), size):
        paths = [_bytes(name) for name in names[start : start + size]]
        blocks.append(arrow_of().table(dict(path=arrow_of().array(paths, arrow_of().binary()))))
    return blocks


def rows_of_file(num_images: int) -> int:
    """How many rows a file has: so many that there are not too many files.

    Args:
        num_images: of the run.
    """
    least, most = ROWS_OF_FILE
    wanted = num_images // FILES // NAMES_OF_BLOCK * NAMES_OF_BLOCK
    return min(max(wanted, least), most)


def read_images(table: Any, folder: str, results: str) -> Iterator[Any]:
    """Reads and decodes images; called by tasks.

    Args:
        table: of ``blocks_of``.
        folder: from which paths go.
        results: folder of results.

    Yields:
        A table with one decoded image, or why there is none; texts as bytes, which names of files are.
    """
    if os.path.isdir(folder):
        os.chdir(folder)
    arrow = arrow_of()
    columns = [
        ('path', arrow.binary()),
        ('height', arrow.int32()),
        ('width', arrow.int32()),
        ('image', arrow.large_binary()),
        ('error', arrow.binary()),
    ]
    paths = table['path'].to_pylist()
    with InHand(_hand_path(results, 'read', paths)) as hand:
        for path in paths:
            yield arrow.Table.from_pylist([_decoded(path, hand)], schema=arrow.schema(columns))


def _hand_path(results: str, step: str, paths: Sequence[bytes]) -> Path:
    """Of the notes on these images, which is the same when a step is done again."""
    return Path(results, LOCK, f'{step}-{_digest(paths)}{IN_HAND}')


def _digest(paths: Sequence[bytes]) -> str:
    """A name for some images."""
    names = hashlib.sha256()
    for path in paths:
        names.update(path + b'\0')
    return names.hexdigest()[:16]


def _decoded(path: bytes, hand: InHand) -> dict[str, Any]:
    """A row of ``read_images``."""
    name = _text(path)
    complaint = hand.complaint(name)
    if complaint is not None:
        return dict(path=path, error=_bytes(complaint))
    (item,) = items_of(name)
    assert item.load is not None
    hand.begin(name)
    try:
        image = item.load()
    except BadInput as error:
        return dict(path=path, error=_bytes(str(error)))
    finally:
        hand.done(name)
    height, width = image.shape[:2]
    return dict(path=path, height=height, width=width, image=image.tobytes())


def _bytes(text: str) -> bytes:
    return text.encode('utf-8', 'surrogateescape')


def _text(content: bytes) -> str:
    return content.decode('utf-8', 'surrogateescape')


class Finder:
    """A worker with a model, which it loads once.

    Args:
        load: arguments of ``cid_mmpose.load``, by name.
        about: of ``about.about_of``.
        results: folder of results.
    """

    def __init__(self, load: dict[str, Any], about: dict[str, Any], results: str) -> None:
        import cid_mmpose

        self.finder: PeopleFinder = cid_mmpose.load(**load)
        self.schema = schema_of(about)
        self.results = results

    def __call__(self, table: Any) -> Any:
        """The rows of decoded images.

        Args:
            table: of ``read_images``.
        """
        images = table.to_pylist()
        items = {_text(image['path']): _item_of(image) for image in images}
        with InHand(_hand_path(self.results, 'find', [image['path'] for image in images])) as hand:
            rows = rows_with(hand, self.finder, list(items), lambda name: [items[name]])
            return table_of(rows, self.schema)


def _item_of(row: dict[str, Any]) -> Item:
    """A row of ``read_images`` as an item."""

    def load() -> np.ndarray:
        if row['error'] is not None:
            raise BadInput(_text(row['error']))
        return np.frombuffer(row['image'], np.uint8).reshape(row['height'], row['width'], 3)

    return Item(load, _text(row['path']))


def write_file(table: Any, folder: str, about: dict[str, Any], run: str) -> dict[str, np.ndarray]:
    """Writes rows into a file of their own; called by tasks.

    Args:
        table: with the columns of ``schema_of``.
        folder: of results, on a file system that every node has.
        about: of ``about.about_of``.
        run: which one writes.

    Returns:
        ``images``, ``people`` and ``errors``, each (1,) int.

    Raises:
        RunStopped: another run has begun since; this one's driver is gone.
    """
    digest = _digest([path.encode() for path in table['path'].to_pylist()])
    target = Path(folder) / f'people-{digest}.parquet'
    partial = partial_path(target)
    try:
        write_parquet(partial, [table], schema_of(about))
        if Path(folder, LOCK, RUN).read_text(encoding='utf-8') != run:
            raise RunStopped(f'{folder}: another run has begun')
        put_in_place(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    num_images = table['people'].length() - table['people'].null_count
    num_people = sum(len(chunk.flatten()) for chunk in table['people'].chunks)
    counts = dict(images=num_images, people=num_people, errors=len(table) - num_images)
    return {name: np.array([count]) for name, count in counts.items()}
