"""The rows of a shard that is not finished, as lines of JSON that are added one by one.

A line that was not written to its end is dropped when the shard is taken up. The order is that of the images, so of
the names with a line only the last may lack some: a video of which not all frames were looked at.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .rows import Row


class Counts(NamedTuple):
    """What some rows amount to."""

    images: int = 0
    people: int = 0
    errors: int = 0

    def with_row(self, row: Row) -> 'Counts':
        """With one more row.

        Args:
            row: of ``rows.rows_of``.
        """
        if 'error' in row:
            return self._replace(errors=self.errors + 1)
        return self._replace(images=self.images + 1, people=self.people + len(row['people']))


class Lines:
    """A file of rows that grows.

    Args:
        path: of the file; what is there is taken up.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: set[str] = set()  # names of which every row is there
        self.begun: tuple[str, int] | None = None  # a video and its last frame that is there
        self.counts = Counts()
        self._take_up()
        self.file = path.open('a', encoding='utf-8')

    def _take_up(self) -> None:
        """Reads what is there, and cuts off a last line that is not whole."""
        if not self.path.exists():
            return
        whole = 0
        with self.path.open('rb+') as file:
            for line in file:
                row = _row_of(line)
                if row is None:
                    break
                whole += len(line)
                self._count(row)
            file.truncate(whole)

    def _count(self, row: Row) -> None:
        self.counts = self.counts.with_row(row)
        name = row['path']
        if self.begun is not None and self.begun[0] != name:
            self.done.add(self.begun[0])
        if 'frame' in row:
            self.begun = (name, row['frame'])
        else:
            self.begun = None
            self.done.add(name)

    def add(self, row: Row) -> None:
        """Writes a row; it is there after any end of the process.

        Args:
            row: of ``rows.rows_of``.
        """
        self.file.write(json.dumps(row) + '\n')
        self.file.flush()
        self.counts = self.counts.with_row(row)

    def close(self) -> None:
        """Nothing more is added."""
        self.file.close()


def _row_of(line: bytes) -> Row | None:
    """The row of a line; None if the line is not whole."""
    if not line.endswith(b'\n'):
        return None
    try:
        row = json.loads(line)
    except ValueError:  # what a machine that lost its power had not written
        return None
    return row if isinstance(row, dict) and 'path' in row else None


def rows_in(path: Path) -> Iterator[Row]:
    """The rows of a file of JSON lines.

    Args:
        path: of the file.
    """
    with path.open(encoding='utf-8') as file:
        for line in file:
            yield json.loads(line)
