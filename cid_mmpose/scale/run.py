"""``cid predict --jsonl`` and ``--parquet``: the rows of a shard in one file, which is there when it is whole.

Until then each row goes to a file beside it when it is known (``lines.py``), from which a shard that was killed goes
on. Shards know nothing of each other but ``about.py``.
"""

import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from cid_mmpose.files import check_writable, only_run_in, put_in_place
from cid_mmpose.inference.finder import PeopleFinder
from cid_mmpose.inference.journal import remove_folder
from cid_mmpose.inference.predict import writing_to
from cid_mmpose.inference.screen import tell

from .about import about_of, agree
from .in_hand import InHand, rows_with
from .lines import Counts, Lines, rows_in
from .names import Shard, items_of
from .parquet import pyarrow_parquet, schema_of, tables_of, write_parquet

FORMATS = ('jsonl', 'parquet')
LINES = 'people.jsonl'  # in the folder of a shard that is not finished
IN_HAND = 'in_hand.jsonl'
QUIET = 30.0  # seconds between lines about progress where nobody watches a screen


class Table(NamedTuple):
    """Where the rows of a shard go."""

    folder: Path  # of results
    shard: Shard
    format: str  # of ``FORMATS``

    @property
    def path(self) -> Path:
        """The file that is there when it is whole."""
        return self.folder / f'{self.shard.stem}.{self.format}'

    @property
    def unfinished(self) -> Path:
        """The folder of what is needed to take the shard up."""
        return self.folder / f'.{self.shard.stem}.unfinished'


def check_table(out: str, format: str) -> None:
    """BadInput if rows of this format cannot be written into a folder.

    Args:
        out: folder of results; need not exist.
        format: of ``FORMATS``.
    """
    check_writable(out, 'folder of results')
    if format == 'parquet':
        pyarrow_parquet()


def write_shard(
    finder: PeopleFinder, names: Sequence[str], table: Table, model: Sequence[str | None], strict: bool = False
) -> Counts:
    """Finds the people in the images of a shard; one that is there already is left as it is.

    Args:
        finder: of ``cid_mmpose.load``.
        names: of ``names_of_shard``.
        table: where the rows go.
        model: what the user named the model by, and the checkpoint.
        strict: an image that cannot be read stops the run.

    Returns:
        What the rows amount to; zeros where nothing was left to do.

    Raises:
        BadInput: the folder was begun with other settings, another process writes this shard, or an image cannot be
            read and ``strict`` is set.
    """
    about = about_of(finder, model, 'local', table.shard.count, table.format)
    with writing_to(str(table.folder)):
        table.folder.mkdir(parents=True, exist_ok=True)
        agree(table.folder, about)
        with only_run_in(str(table.unfinished), doing='writing this shard'):
            if table.path.exists():
                tell(f'{table.path} is there already; nothing to do')
                shutil.rmtree(table.unfinished, ignore_errors=True)
                return Counts()
            lines = Lines(table.unfinished / LINES)
            with InHand(table.unfinished / IN_HAND) as hand:
                _add_rows(finder, names, lines, hand, strict)
            _finish(table, lines, about)
            remove_folder(table.unfinished)
    tell(f'results: {table.path}')
    return lines.counts


def _add_rows(finder: PeopleFinder, names: Sequence[str], lines: Lines, hand: InHand, strict: bool) -> None:
    """Adds what is missing; a video that was begun comes first, so that its rows stay together."""
    before = lines.counts
    left = [name for name in names if name not in lines.done]
    after = dict([lines.begun]) if lines.begun is not None else {}
    left.sort(key=lambda name: name not in after)  # stable
    start = time.monotonic()
    interval = 0.1 if sys.stderr.isatty() else QUIET
    num_known = before.images + before.errors
    with tqdm(total=len(names), initial=len(names) - len(left), unit=' images', mininterval=interval) as bar:
        for row in rows_with(hand, finder, left, lambda name: items_of(name, after.get(name)), strict):
            lines.add(row)
            if row.get('frame', 0) == 0:  # an image, or a video
                bar.update()
    lines.close()
    tell(summary(lines.counts, num_known, time.monotonic() - start))


def _finish(table: Table, lines: Lines, about: dict[str, Any]) -> None:
    """Makes the file of the lines."""
    if table.format == 'jsonl':
        put_in_place(lines.path, table.path)
        return
    partial = table.unfinished / table.path.name
    schema = schema_of(about)
    write_parquet(partial, tables_of(rows_in(lines.path), schema), schema)
    put_in_place(partial, table.path)
    lines.path.unlink()


def summary(counts: Counts, num_known: int, seconds: float) -> str:
    """The last line but one: how much, and how fast.

    Args:
        counts: of all rows.
        num_known: rows that are from a run before.
        seconds: that this run took.
    """
    new = counts.images + counts.errors - num_known
    parts = [f'{counts.images} images, {counts.people} people']
    if new > 0 and seconds > 0:
        rate = new / seconds
        parts.append(f'{rate:.1f} images/s' if rate >= 10 else f'{rate:.2f} images/s')
    if counts.errors:
        parts.append(f'{counts.errors} rows with an error')
    if num_known:
        parts.append(f'{num_known} rows from the run before')
    return ', '.join(parts)
