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
                with archive.open(member) as source, open(folder / name, 'wb') as target:
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
        raise BadInput(f'{downloads}: holds no {" or ".join(names)}, neither as a file nor in {archives}; {AGAIN}')
    return found


def look_for(downloads: Path, names: Sequence[str], archives: str = '*.zip') -> Download | None:
    """The first of the files ``names`` that is there: in the folder, one folder below, or in an archive.

    Args: downloads: folder. names: file names, the preferred one first. archives: pattern of the archives to look in.

    Raises BadInput: an archive that had to be looked into cannot be read.
    """
    for name in names:
        for path in (downloads / name, *sorted(downloads.glob(f'*/{name}'))):
            if path.is_file():
                return Download(path)
    for path in sorted(downloads.glob(archives)):
        with open_archive(path) as archive:
            found = {PurePosixPath(member).name: member for member in archive.namelist()}
        for name in names:
            if name in found:
                return Download(path, found[name])
    return None


def find_images(downloads: Path, name: str) -> Images:
    """The images of the folder ``name``, or of ``name``.zip; BadInput if there are none."""
    folder, archive = downloads / name, downloads / f'{name}.zip'
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
    with os.scandir(folder) as entries:
        sizes = {entry.name: entry.stat().st_size for entry in entries if _is_image(entry.name) and entry.is_file()}
    return Images(folder, sizes, {})


def list_archive(path: Path) -> Images:
    """The images of a zip archive, whatever folder inside they are in; they will be written by their names alone.

    Raises BadInput: the archive cannot be read, a member leads out of its folder, or two images share a name.
    """
    with open_archive(path) as archive:
        members = [member for member in archive.infolist() if _is_image(PurePosixPath(member.filename).name)]
    sizes, names = {}, {}
    for member in members:
        name = PurePosixPath(member.filename).name
        if LEADS_OUT.search(member.filename):
            raise BadInput(
                f'{path}: its member {member.filename!r} leads out of the folder, which no official archive '
                f'does; {AGAIN}'
            )
        if name in names:
            raise BadInput(f'{path}: holds {names[name]!r} and {member.filename!r}, two images of one name; {AGAIN}')
        sizes[name], names[name] = member.file_size, member.filename
    return Images(path, sizes, names)


def _is_image(name: str) -> bool:
    return name.lower().endswith('.jpg') and not name.startswith('.')  # macOS packs a '._x.jpg' beside each x.jpg


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive to read from; BadInput if it is none, cut off, damaged, or packed in a way Python cannot read."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise BadInput(f'{path}: {_why_no_archive(path)} ({error}); {AGAIN}') from error


def _why_no_archive(path: Path) -> str:
    with open(path, 'rb') as file:
        start = file.read(64).lstrip()
    if not start:
        return 'is empty'
    if start.startswith(b'<'):
        return 'is a web page, not a zip archive'
    return 'is cut off or damaged' if start.startswith(b'PK') else 'is not a zip archive'
