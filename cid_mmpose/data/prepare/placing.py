"""New files and folders: complete under their name or not there at all, and never over what is there already."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from cid_mmpose.errors import BadInput

from .downloads import Images, list_folder

IMAGES = ('link', 'copy')  # what to do with folders that are unpacked already
GIB = 2**30


class NewFile(NamedTuple):
    """A file to be written; ``about`` and ``origin`` are what to say of it."""

    target: Path
    content: bytes
    about: str
    origin: str

    @property
    def size(self) -> int:
        """Bytes it will take."""
        return len(self.content)

    def is_there(self) -> bool:
        """Whether the target is this file already."""
        return self.target.is_file() and self.target.read_bytes() == self.content

    def write(self, part: Path) -> None:
        """Writes it under the name ``part``."""
        part.write_bytes(self.content)


class NewFolder(NamedTuple):
    """A folder of images: extracted from an archive; linked to or copied from an unpacked one."""

    target: Path
    images: Images
    unpacked: str  # one of IMAGES: what to do with them where they are unpacked already

    @property
    def about(self) -> str:
        """What is in it."""
        return f'{len(self.images.sizes)} images'

    @property
    def origin(self) -> str:
        """How it is made, and from what."""
        if self.is_link:
            how = 'linked to'
        elif self.images.members:
            how = 'extracted from'
        else:
            how = 'copied from'
        return f'{how} {self.images.path}'

    @property
    def is_link(self) -> bool:
        """Whether no image is written."""
        return self.unpacked == 'link' and not self.images.members

    @property
    def size(self) -> int:
        """Bytes it will take."""
        if self.is_link:
            return 0
        return sum(self.images.sizes.values())

    def is_there(self) -> bool:
        """Whether the target holds images of these names and sizes already, and no others."""
        return self.target.is_dir() and list_folder(self.target).sizes == self.images.sizes

    def write(self, part: Path) -> None:
        """Makes it under the name ``part``."""
        if self.is_link:
            part.symlink_to(self.images.path.resolve(), target_is_directory=True)
        else:
            self.images.write(part)


def out_folder(path: str | Path) -> Path:
    """The folder to be made, which need not exist yet, as a ``Path``; BadInput if it or one above it is a file."""
    wanted = Path(path)
    for folder in [wanted] + list(wanted.parents):
        if os.path.exists(folder) and not os.path.isdir(folder):
            raise BadInput(f'{folder}: is a file; name a folder')
    return wanted


def place(out: Path, things: Sequence[NewFile | NewFolder]) -> None:
    """Makes what is not there yet, and prints a line for each; checks all before it makes the first.

    Args:
        out: the folder they are all in; made when missing.
        things: what to make, in this order: images first, so that the annotation file of a folder tells that its
            images are all there.

    Raises:
        BadInput: something else is in the way, or the disk is full.
    """
    is_there = list(map(_is_there, things))
    new = [thing for thing, there in zip(things, is_there) if not there]
    for thing in new:
        _check_leftover(_part(thing.target))
    _check_space(out, sum(thing.size for thing in new))

    for thing, there in zip(things, is_there):
        how = 'there already' if there else thing.origin
        print(f'{thing.target}: {thing.about}, {how}', flush=True)
        if not there:
            _make(thing)
    print(f'{out}: complete', flush=True)


def _is_there(thing: NewFile | NewFolder) -> bool:
    """Whether a thing is made already; BadInput if something else is in its place."""
    if not os.path.lexists(thing.target):
        return False
    if not thing.is_there():
        raise BadInput(
            f'{thing.target}: is there already and is not what would be made '
            f'({thing.about}, {thing.origin}); move it away or name another folder'
        )
    return True


def _part(target: Path) -> Path:
    """The name under which a thing is made until it is complete."""
    return target.with_name(f'{target.name}.part')


def _check_leftover(part: Path) -> None:
    """BadInput if something has the name of a thing that is being made."""
    if os.path.lexists(part):
        raise BadInput(
            f'{part}: is left from a run that was stopped, or another run is at work; remove it and start again'
        )


def _check_space(out: Path, needed: int) -> None:
    """BadInput if the disk of ``out`` has fewer free bytes than are needed."""
    existing = out.absolute()
    while not existing.exists():
        existing = existing.parent

    free = shutil.disk_usage(existing).free
    if needed > free:
        raise BadInput(
            f'{out}: {needed / GIB:.1f} GiB are needed there and {free / GIB:.1f} GiB are free; '
            'free some space or name a folder on another disk'
        )


def _make(thing: NewFile | NewFolder) -> None:
    """Makes a thing under another name, then gives it its own; what is made half is removed."""
    part = _part(thing.target)
    _check_leftover(part)  # another run may have begun since: it is not to be cleaned up below
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        thing.write(part)
        os.rename(part, thing.target)
    except BaseException:  # also when the user stops it
        if part.is_dir() and not part.is_symlink():
            shutil.rmtree(part)
        else:
            part.unlink(missing_ok=True)
        raise


@contextmanager
def disk_errors(out: Path) -> Iterator[None]:
    """What the disk refuses as BadInput; ``out`` is named where the system names no file, as for a full disk."""
    try:
        yield
    except OSError as error:
        raise BadInput(
            f'{error.filename or out}: {error.strerror}; nothing half-made is left, mend this and run it again'
        ) from error
