"""Which images a process has in hand, in a file that outlives it: so an image that ends processes is found.

A process notes each image when it begins with it. What is noted and not done when the next process looks was in hand
when the one before ended. The next one looks at these images alone, one after the other; the image that ends it as well
gets a row with an error.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cid_mmpose.errors import BadInput
from cid_mmpose.inference.finder import PeopleFinder
from cid_mmpose.inference.sources import Item

from .names import is_video
from .rows import Row, rows_of

ENOUGH = 2  # processes that an image has ended, after which it is left alone
BEGUN = 'begun'
DONE = 'done'


class InHand:
    """A file of notes, which is there as long as the process that writes it has not come to its end.

    Args:
        path: of the file; what is there is taken up.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ended: Counter[str] = Counter()  # name -> processes that ended while they had it in hand
        content = path.read_bytes() if path.exists() else b''
        for line in content.splitlines():
            self._take_up(line)
        self.file = path.open('ab', buffering=0)  # each note is one write, also of several threads
        if not content.endswith(b'\n'):
            self.file.write(b'\n')

    def _take_up(self, line: bytes) -> None:
        try:
            word, name = json.loads(line)
        except ValueError:  # a note that was not written to its end
            return
        if word == BEGUN:
            self.ended[name] += 1
        else:
            del self.ended[name]

    def __enter__(self) -> 'InHand':
        return self

    def __exit__(self, *reason: Any) -> None:
        """Whatever happened, the process lives: no image has ended it."""
        self.file.close()
        self.path.unlink(missing_ok=True)

    def begin(self, name: str) -> None:
        """An image is in hand from here on.

        Args:
            name: of the image.
        """
        self._note(BEGUN, name)

    def done(self, name: str) -> None:
        """It is no more.

        Args:
            name: of the image.
        """
        self._note(DONE, name)

    def _note(self, word: str, name: str) -> None:
        self.file.write(json.dumps([word, name]).encode() + b'\n')

    def complaint(self, name: str) -> str | None:
        """Why an image is not looked at again; None if it may be.

        Args:
            name: of the image.
        """
        if self.ended[name] < ENOUGH:
            return None
        return f'{name}: {self.ended[name]} processes ended while they had it in hand; look at it, or leave it out'

    def noted(self, name: str, items: Iterable[Item]) -> Iterator[Item]:
        """Items that are noted when they are loaded; frames of videos are not.

        Args:
            name: of the image or video.
            items: under this name.
        """
        if is_video(name):
            yield from items
            return
        for item in items:
            yield item._replace(load=self._noting(name, item.load))

    def _noting(self, name: str, load: Callable[[], np.ndarray] | None) -> Callable[[], np.ndarray]:
        assert load is not None  # only items whose people are known come without

        def noting() -> np.ndarray:
            self.begin(name)
            return load()

        return noting


def rows_with(
    hand: InHand,
    finder: PeopleFinder,
    names: Sequence[str],
    items_of: Callable[[str], Iterable[Item]],
    strict: bool = False,
) -> Iterator[Row]:
    """A row for each item, in order; images that ended processes have one with an error.

    Args:
        hand: of this process.
        finder: of ``cid_mmpose.load``.
        names: of images and videos.
        items_of: what there is under a name.
        strict: an image that cannot be read raises its error.

    Raises:
        BadInput: an image cannot be read, and ``strict`` is set.
    """
    suspects = [number for number, name in enumerate(names) if hand.ended[name]]
    num_alone = suspects[-1] + 1 if suspects else 0
    for name in names[:num_alone]:
        complaint = hand.complaint(name)
        if complaint is None:
            yield from rows_of(finder, hand.noted(name, items_of(name)), strict)
            hand.done(name)
        elif strict:
            raise BadInput(complaint)
        else:
            yield dict(path=name, error=complaint)
    together = (item for name in names[num_alone:] for item in hand.noted(name, items_of(name)))
    yield from rows_of(finder, together, strict)
