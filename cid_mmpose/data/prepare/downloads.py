"""What the user has downloaded: files and images, in zip archives or in the folders unpacked from them."""

import os
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from cid_mmpose.errors import BadInput
from cid_mmpose.files import is_web_page

AGAIN = 'download it again (docs/data.md says from where)'
LEADS_OUT = re.compile(r'(^|[/\\])\.\.([/\\]|$)|^[/\\]|^[A-Za-z]:')  # '..', an absolute path, a drive


class Download(NamedTuple):
    """A downloaded file: on its own, or a member of a zip archive."""

    path: Path
    member: str = ''

    def __str__(self) -> str:
        return f'{self.path}: {self.member}' if self.member else str(self.path)

    def read(self) -> bytes:
        """The file's bytes; BadInput if its archive is cut off or damaged."""
        if not self.member:
            return self.path.read_bytes()
        with open_archive(self.path) as archive:
            return archive.read(self.member)


class Images(NamedTuple):
    """The images (``*.jpg``) of a folder or of a zip archive of one."""

    path: Path
    sizes: dict[str, int]  # file name -> bytes
    members: dict[str, str]  # file name -> name in the archive; empty for a folder

    def write(self, folder: Path) -> None:
        """Writes all images into a new folder; BadInput if the archive is damaged."""
        folder.mkdir()
        if not self.members:
            for name in self.sizes:
                shutil.copyfile(self.path / name, folder / name)
            return
        with open_archive(self.path) as archive:
            for name, member in self.members.items():
                _extract(archive, member, folder / name)


def _extract(archive: zipfile.ZipFile, member: str, path: Path) -> None:
    """Writes a member of an archive into a new file."""
    with archive.open(member) as source, open(path, 'wb') as target:
        shutil.copyfileobj(source, target)


def downloads_folder(path: str | Path) -> Path:
    """The folder of downloads as a ``Path``; BadInput if it is none."""
    if not Path(path).is_dir():
        raise BadInput(f'{path}: no such folder; name the one that holds the downloads')
    return Path(path)


def find_file(downloads: Path, names: Sequence[str], archives: str = '*.zip') -> Download:
    """As ``look_for``; BadInput also if there is none."""
    found = look_for(downloads, names, archives)
    if found is None:
        wanted = ' or '.join(names)
        raise BadInput(f'{downloads}: holds no {wanted}, neither as a file nor in {archives}; {AGAIN}')
    return found


def look_for(downloads: Path, names: Sequence[str], archives: str = '*.zip') -> Download | None:
    """The first of the files ``names`` that is there: in the folder, one folder below, or in an archive.

    Args:
        downloads: folder.
        names: file names, the preferred one first.
        archives: pattern of the archives to look in.

    Raises:
        BadInput: an archive that had to be looked into cannot be read.
    """
    for name in names:
        below = sorted(downloads.glob(f'*/{name}'))
        for path in [downloads / name] + below:
            if path.is_file():
                return Download(path)

    for path in sorted(downloads.glob(archives)):
        with open_archive(path) as archive:
            member_of_name = {_name_of(member): member for member in archive.namelist()}
        for name in names:
            if name in member_of_name:
                return Download(path, member_of_name[name])
    return None


def _name_of(member: str) -> str:
    """The file name of a member of an archive, without the folders it is in."""
    return PurePosixPath(member).name


def find_images(downloads: Path, name: str) -> Images:
    """The images of the folder ``name``, or of ``name``.zip; BadInput if there are none."""
    folder = downloads / name
    archive = downloads / f'{name}.zip'
    if folder.is_dir():
        found = list_folder(folder)
    elif archive.is_file():
        found = list_archive(archive)
    else:
        raise BadInput(f'{downloads}: holds neither {name}.zip nor a folder {name} unpacked from it; {AGAIN}')
    if not found.sizes:
        raise BadInput(f'{found.path}: holds no images (*.jpg); {AGAIN}')
    return found


def list_folder(folder: Path) -> Images:
    """The images directly in a folder."""
    sizes = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            if _is_image(entry.name) and entry.is_file():
                sizes[entry.name] = entry.stat().st_size
    return Images(folder, sizes, {})


def list_archive(path: Path) -> Images:
    """The images of a zip archive, whatever folder inside they are in; they will be written by their names alone.

    Raises:
        BadInput: the archive cannot be read, a member leads out of its folder, or two images share a name.
    """
    with open_archive(path) as archive:
        everything = archive.infolist()

    sizes = {}
    members = {}
    for entry in everything:
        member = entry.filename
        name = _name_of(member)
        if not _is_image(name):
            continue
        if LEADS_OUT.search(member):
            raise BadInput(
                f'{path}: its member {member!r} leads out of the folder, which no official archive does; {AGAIN}'
            )
        if name in members:
            raise BadInput(f'{path}: holds {members[name]!r} and {member!r}, two images of one name; {AGAIN}')
        sizes[name] = entry.file_size
        members[name] = member
    return Images(path, sizes, members)


def _is_image(name: str) -> bool:
    """Whether a file is an image; macOS packs a '._x.jpg', which is none, beside each x.jpg."""
    return name.lower().endswith('.jpg') and not name.startswith('.')


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive to read from; BadInput if it is none, cut off, damaged, or packed in a way Python cannot read."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise BadInput(f'{path}: {_why_no_archive(path)} ({error}); {AGAIN}') from error


def _why_no_archive(path: Path) -> str:
    """What a file is that cannot be read as a zip archive, judged by its first bytes."""
    with open(path, 'rb') as file:
        start = file.read(64).lstrip()
    if not start:
        return 'is empty'
    if is_web_page(start):
        return 'is a web page, not a zip archive'
    if start.startswith(b'PK'):
        return 'is cut off or damaged'
    return 'is not a zip archive'
