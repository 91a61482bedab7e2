"""Which images there are, by name alone, and which of them a shard looks at."""

import codecs
import glob
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from cid_mmpose.errors import BadInput
from cid_mmpose.inference.sources import IMAGE_ENDINGS, VIDEO_ENDINGS, WILD, Item, find

WEB = ('http://', 'https://')
TO_MEND = re.compile(r'^~|^file://|(?:^|/)\.?/|/$')  # in a path that ``Path`` would write otherwise
START = 4096  # bytes of a list that are looked at before it is taken for one


@dataclass(frozen=True)
class Shard:
    """One of several parts into which images are shared out.

    Which one an image belongs to depends on its name alone. So the shards have every image once, also where images
    are added between the start of one and that of another.

    Args:
        number: from 1.
        count: how many there are.
    """

    number: int = 1
    count: int = 1

    def holds(self, name: str) -> bool:
        """Whether an image belongs to this shard.

        Args:
            name: of ``names_of``.
        """
        if self.count == 1:
            return True
        digest = hashlib.blake2b(name.encode('utf-8', 'surrogateescape'), digest_size=8).digest()
        return int.from_bytes(digest, 'big') % self.count == self.number - 1

    @property
    def stem(self) -> str:
        """The name of its file without the ending."""
        if self.count == 1:
            return 'people'
        return f'people-{self.number:05d}-of-{self.count:05d}'


def shard_of(text: str) -> Shard:
    """The shard that ``i/n`` names.

    Args:
        text: such as '3/100', the third of a hundred.

    Raises:
        BadInput: it is none.
    """
    match = re.fullmatch(r'([0-9]{1,9})/([0-9]{1,9})', text)
    if match is None:
        raise BadInput(f"--shard {text}: must be i/n, such as 3/100 for the third of a hundred (Slurm's array task 3)")
    number, count = map(int, match.groups())
    if not count:
        raise BadInput(f'--shard {text}: of 0 shards there is none; give the number of all shards behind the /')
    if not 1 <= number <= count:
        raise BadInput(f'--shard {text}: of {count} shards i is from 1 to {count}; a Slurm array is --array=1-{count}')
    return Shard(number, count)


def names_of_shard(inputs: Sequence[str], lists: Sequence[str], shard: Shard) -> list[str]:
    """The images and videos of a shard, each once, in the order of the inputs.

    Args:
        inputs: paths, folders, patterns and URLs.
        lists: text files with a path or URL a line.
        shard: which part.

    Raises:
        BadInput: an input or a list is not there, cannot be shared out, or there is no image at all.
    """
    texts = chain(chain.from_iterable(map(_names_of_input, inputs)), chain.from_iterable(map(_names_of_list, lists)))
    names: dict[str, None] = {}
    is_any = False
    for text in texts:
        is_any = True
        name = plain(text)
        if shard.holds(name):
            names[name] = None
    if not is_any:
        raise BadInput(f'{", ".join([*inputs, *lists])}: names no image and no video')
    return list(names)


def plain(text: str) -> str:
    """A path as results have it: without './', '//' and 'file://', and with the home folder for '~'.

    Args:
        text: a path or a URL.
    """
    if text.startswith(WEB) or not TO_MEND.search(text):
        return text
    return str(Path(text.removeprefix('file://')).expanduser())


def is_video(name: str) -> bool:
    """Whether a name has the ending of a video.

    Args:
        name: path or URL.
    """
    return os.path.splitext(name)[1].lower() in VIDEO_ENDINGS


def _names_of_input(text: str) -> Iterable[str]:
    """The names in one input."""
    if '://' in text and not text.startswith((*WEB, 'file://')):
        raise BadInput(f'{text}: a stream has no end and is not shared out; leave out --jsonl or --parquet')
    path = plain(text)
    if path.startswith(WEB) or os.path.isfile(path):
        return [path]
    if os.path.isdir(path):
        return _names_of_folder(path)
    if any(letter in path for letter in WILD):
        found = sorted(name for name in glob.iglob(path, recursive=True) if os.path.isfile(name))
        if found:
            return found
        raise BadInput(f'{text}: no file has such a name')
    if text.isdecimal():
        raise BadInput(f'camera {text}: has no end and is not shared out; leave out --jsonl or --parquet')
    raise BadInput(f'{text}: no such file or folder')


def _names_of_folder(folder: str) -> list[str]:
    """The images and videos of a folder in order; as ``inference.sources`` has them, without a look at each file."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if not entry.name.startswith('.') and not entry.is_dir()]
    except OSError as error:
        raise BadInput(f'{folder}: cannot be looked at ({error.strerror}); give another path') from error
    endings = IMAGE_ENDINGS | VIDEO_ENDINGS
    return [os.path.join(folder, name) for name in sorted(names) if os.path.splitext(name)[1].lower() in endings]


def _names_of_list(path: str) -> Iterator[str]:
    """The lines of a list that are not empty; editors on Windows put a mark of UTF-8 before the first."""
    try:
        with open(path, 'rb') as file:
            start = file.read(START)
            if b'\0' in start:
                raise BadInput(f'--list {path}: is no text in UTF-8; give a file with a path or URL a line')
            file.seek(len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0)
            for line in file:
                text = line.rstrip(b'\r\n').decode('utf-8', 'surrogateescape')
                if text:
                    yield text
    except OSError as error:
        raise BadInput(f'--list {path}: cannot be read ({error.strerror}); give a file with a path a line') from error


def items_of(name: str, after: int | None = None) -> Iterator[Item]:
    """What there is to look at under a name: an image, or the frames of a video.

    A name that leads to nothing gives an item that cannot be loaded, so that it becomes a row with its error.

    Args:
        name: of ``names_of_shard``.
        after: frames up to this one are left out; None for none.
    """
    try:
        if not name.startswith(WEB) and not os.path.isfile(name):
            raise BadInput(f'{name}: {"is a folder" if os.path.isdir(name) else "no such file"}')
        for item in find(name).items:
            if after is None or item.frame is None or item.frame > after:
                yield item
    except BadInput as error:
        yield Item(_failing(str(error)), name)


def _failing(complaint: str) -> Callable[[], np.ndarray]:
    def load() -> np.ndarray:
        raise BadInput(complaint)

    return load
