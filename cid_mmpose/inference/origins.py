"""Which image each file of results is from, so that two images of one name are not taken for each other.

It stands in ``.origins.jsonl`` of the folder of results, a line of JSON for each file, written before the file itself.
Of several lines about a file the last one counts; a line that was not written to its end is passed over.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

FILE = '.origins.jsonl'


class Origin(NamedTuple):
    """An image or a video."""

    path: str  # absolute, or a URL; '' for what has none
    state: tuple[int, int] | None  # size and time of the last change, which tell a file from a later one; None: unknown


def state_of(path: str) -> tuple[int, int] | None:
    """Size in bytes and time of the last change in nanoseconds of a file; None where there is none."""
    if not os.path.isfile(path):
        return None
    about = os.stat(path)
    return about.st_size, about.st_mtime_ns


def origin_of(path: str | None) -> Origin:
    """What is there now under the path of an image.

    Args:
        path: as ``sources.Item`` has it.
    """
    if path is None:
        return Origin('', None)
    if '://' in path:
        return Origin(path, None)
    return Origin(os.path.abspath(path), state_of(path))


class Origins:
    """The origins of the files in a folder of results.

    Args:
        folder: of results; need not exist until ``claim`` is called.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known: dict[str, Origin] = {}  # name below the folder -> origin
        if folder.joinpath(FILE).is_file():
            for line in folder.joinpath(FILE).read_bytes().splitlines():
                self._read(line)

    def _read(self, line: bytes) -> None:
        try:
            name, path, state = json.loads(line)
            self.known[name] = Origin(path, None if state is None else (state[0], state[1]))
        except (ValueError, TypeError, LookupError):  # broken off, or the empty line before each
            return

    def claim(self, name: str, path: str | None) -> None:
        """Says that a file is about to be written; an older one from another image goes first.

        Args:
            name: of the file, below the folder.
            path: of the image.
        """
        origin = origin_of(path)
        if self.known.get(name) == origin:
            return
        self.folder.joinpath(name).unlink(missing_ok=True)
        with self.folder.joinpath(FILE).open('a', encoding='utf-8') as file:
            file.write('\n' + json.dumps([name, *origin]))  # the end of the line before may be missing
        self.known[name] = origin

    def is_done(self, name: str, path: str | None) -> bool:
        """Whether a file is there and from the image that a path names now.

        Args:
            name: of the file, below the folder.
            path: of the image.
        """
        return path is not None and self.known.get(name) == origin_of(path) and self.folder.joinpath(name).exists()

    def is_others(self, names: Iterable[str], path: str | None) -> bool:
        """Whether one of several files is there and from another image.

        Args:
            names: of the files, below the folder.
            path: of the image.
        """
        own = origin_of(path).path
        found = [name for name in names if name in self.known and self.known[name].path != own]
        return any(self.folder.joinpath(name).exists() for name in found)

    def files(self) -> frozenset[str]:
        """The real paths of all files that were ever claimed."""
        folder = os.path.realpath(self.folder)
        return frozenset(os.path.join(folder, name) for name in self.known)
