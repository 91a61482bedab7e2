"""What an unfinished run has found, so that the same command goes on where it was stopped.

One line of JSON for each image, in the order of the images, written when its people are known. A line that was not
written to its end is dropped, with what comes after it.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from cid_mmpose.files import LOCK

FOLDER = '.unfinished'  # inside the folder of results, as long as the run is not finished
ENTRIES = 'people.jsonl'
SETTINGS = 'settings.json'


class Entry(NamedTuple):
    """What was found in one image."""

    key: str  # of the image, see ``predict.key_of``
    people: dict[str, Any] | None  # ``People.to_dict`` without rounding; None where the image could not be read
    error: str = ''  # why it could not be read


class Journal:
    """The entries of a run.

    Args:
        out: folder of results; it is there.
        settings: plain values on which the results depend. Entries of a run with others are not taken over.
    """

    def __init__(self, out: Path, settings: dict[str, Any]) -> None:
        self.folder = out / FOLDER
        self.path = self.folder / ENTRIES
        self.folder.mkdir(exist_ok=True)
        text = json.dumps(settings, sort_keys=True)
        about = self.folder / SETTINGS
        self.is_other = about.exists() and about.read_text(encoding='utf-8') != text
        if self.is_other or not about.exists():
            self.path.unlink(missing_ok=True)
            about.write_text(text, encoding='utf-8')
        self._cut_to_whole_lines()
        self.file = self.path.open('a', encoding='utf-8')

    def _cut_to_whole_lines(self) -> None:
        if not self.path.exists():
            return
        with self.path.open('rb+') as file:
            whole = 0
            for line in file:
                if not line.endswith(b'\n') or not _is_entry(line):
                    break
                whole += len(line)
            file.truncate(whole)

    def entries(self) -> Iterator[Entry]:
        """What is there so far, one by one."""
        self.file.flush()
        with self.path.open(encoding='utf-8') as file:
            for line in file:
                yield Entry(**json.loads(line))

    def add(self, entry: Entry) -> None:
        """Writes an entry; it is there after any end of the process."""
        self.file.write(json.dumps(entry._asdict()) + '\n')
        self.file.flush()

    def keep(self, count: int) -> None:
        """Drops all entries but the first ``count``."""
        self.file.close()
        lines = 0
        with self.path.open('rb+') as file:
            while lines < count:
                file.readline()
                lines += 1
            file.truncate(file.tell())
        self.file = self.path.open('a', encoding='utf-8')

    def finish(self) -> None:
        """Nothing is left to go on with."""
        self.file.close()
        self.path.unlink()
        self.folder.joinpath(SETTINGS).unlink()


def _is_entry(line: bytes) -> bool:
    try:
        Entry(**json.loads(line))
    except (TypeError, ValueError):  # what a machine that lost its power had not written
        return False
    return True


def remove_folder(folder: Path) -> None:
    """Removes the folder of a finished run, and that of its results if it is empty.

    Args:
        folder: with nothing but its lock, which this run still holds.
    """
    with suppress(OSError):
        folder.joinpath(LOCK).unlink(missing_ok=True)
        folder.rmdir()
        folder.parent.rmdir()  # where no image could be read nothing is in it
