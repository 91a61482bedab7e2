"""Where results go: checked before the work, written whole or not at all, one run at a time in a folder."""

import errno
import os
import os.path as osp
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from .errors import BadInput, FolderInUse

try:
    import fcntl
except ImportError:  # not on Windows: there nothing is locked
    fcntl = None

PARTIAL = '.partial'  # the end of the name of a file that is not written to its end
WRITING = '.writing-'  # the start of the name of a folder of such files; shards have folders of another name
UNFINISHED = '.unfinished'  # its end
LOCK = '.lock'  # of a work folder; it stays behind, empty
LONGEST_NAME = 255  # bytes, of any file system
NO_TEXT = re.compile(r'[\x00-\x1f\ud800-\udfff]')  # control characters, and halves of characters
WINDOWS_FORBIDS_NAME = 123  # ERROR_INVALID_NAME
FULL = {errno.ENOSPC: 'no space left on the device', errno.EDQUOT: 'quota exceeded', errno.EFBIG: 'file too large'}


def is_web_page(start: bytes) -> bool:
    """Whether a file that should be JSON or an archive is a page instead, such as a server's error.

    Args:
        start: its first bytes.
    """
    return start.lstrip().startswith(b'<')


def mode_at(path: Path) -> int | None:
    """The mode of what a path leads to, None if nothing is there.

    ``Path.exists`` says so too, but from Python 3.14 on also of what cannot be looked at.

    Args:
        path: of a file or a folder.

    Raises:
        OSError: it cannot be told: there is no right to look, the name is too long, or links lead in a circle.
        ValueError: the path holds a null character.
    """
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if getattr(error, 'winerror', None) == WINDOWS_FORBIDS_NAME:  # such as a pattern
            return None
        raise


def check_writable(folder: str, what: str = 'work dir') -> None:
    """BadInput if a folder has no name or cannot be made or written to; leaves nothing behind, not even the folder.

    Args:
        folder: need not exist yet.
        what: what it is for, for the message.
    """
    if not folder:
        raise BadInput(f"{what}: its name is empty; name a folder, '.' is the one that you are in")
    existing = osp.abspath(folder)
    while not osp.lexists(existing):
        existing = osp.dirname(existing)
    try:
        with tempfile.TemporaryFile(dir=existing):  # root passes every check of permission bits, so try
            pass
    except OSError as error:
        raise BadInput(
            f'{what} {folder}: cannot be written to ({existing}: {error.strerror}); choose another'
        ) from error


def check_file(path: str) -> None:
    """BadInput if a file for results cannot be written; an existing one is not touched.

    Args:
        path: the file; its folder need not exist yet.
    """
    check_writable(osp.dirname(osp.abspath(path)), 'folder of the results')
    if osp.isdir(path):
        raise BadInput(f'{path}: is a folder; name a file')


def write_whole(path: str | Path, content: bytes) -> None:
    """Writes a file under another name first: whoever is interrupted leaves the old file, or none.

    Args:
        path: where to write; its folder is made.
        content: what to write.

    Raises:
        OSError: as ``open`` and ``write`` raise it; then nothing is left of the new file.
    """
    partial = partial_path(path)
    try:
        partial.write_bytes(content)
        put_in_place(partial, path)
    except BaseException:  # a signal may come at any time
        partial.unlink(missing_ok=True)
        raise


def partial_path(path: str | Path) -> Path:
    """Where a file is written until it is whole; whoever writes it removes that if it does not come to its end.

    Args:
        path: what it will be called; its folder is made.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f'.{path.name}.{os.getpid()}{PARTIAL}')


def put_in_place(partial: Path, path: str | Path) -> None:
    """Gives a whole file its name, in place of an older one, once it is on the disk.

    Args:
        partial: as ``partial_path`` gives it; written and closed.
        path: what it is called from now on.
    """
    with partial.open('rb+') as file:
        os.fsync(file.fileno())
    os.replace(partial, path)
    _sync_folder(Path(path).parent)


def _sync_folder(folder: Path) -> None:
    """Brings the new name itself to the disk, where the system can do that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_partial(folder: str | Path) -> None:
    """Removes what killed runs left of files that they were writing.

    Args:
        folder: need not exist.
    """
    for path in Path(folder).glob(f'.*{PARTIAL}'):
        with suppress(OSError):
            path.unlink()


_held: dict[str, IO] = {}  # folders that this process has locked; a lock goes with any close of its file


@contextmanager
def only_run_in(folder: str, doing: str = 'training') -> Iterator[None]:
    """Holds a folder for one run, of which this process may have several one inside the other.

    The system drops the lock of a process that ends in whatever way, so none is ever left behind.

    Args:
        folder: of the run; it is made.
        doing: what the run does, for the message.

    Raises:
        FolderInUse: another process is at work in it; the message names that process.
    """
    key = osp.realpath(folder)
    if fcntl is None or key in _held:
        yield
        return

    file = _locked(folder, doing)
    _held[key] = file
    try:
        yield
    finally:
        del _held[key]
        file.truncate(0)
        file.close()


@contextmanager
def unfinished_folder(parent: str | Path) -> Iterator[Path]:
    """A folder for files until they are whole; it is gone at the end, as are those of runs that were killed.

    Args:
        parent: where it lies; on the disk of what will be put in place.

    Raises:
        BadInput: there is no room for the files.
    """
    for left in Path(parent).glob(f'{WRITING}*{UNFINISHED}'):
        if _is_left_behind(left):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=WRITING, suffix=UNFINISHED, dir=parent))
    try:
        with only_run_in(str(folder), doing='writing'):
            yield folder
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise BadInput(f'{parent}: cannot be written to ({FULL[error.errno]}); make room, or choose another') from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_left_behind(folder: Path) -> bool:
    """Whether a folder was locked by a process that is no more; false where that cannot be known."""
    if fcntl is None or osp.realpath(folder) in _held:
        return False
    try:
        with open(folder / LOCK, 'r+', encoding='utf-8') as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return bool(file.read())  # an empty one may belong to a process that is about to lock it
    except OSError:
        return False


def _locked(folder: str, doing: str) -> IO:
    """The open file that locks a folder for this process."""
    path = osp.join(folder, LOCK)
    while True:
        os.makedirs(folder, exist_ok=True)
        file = open(path, 'a+', encoding='utf-8')
        try:
            _take(file, folder, doing)
            if _is_at(file, path):
                return file
        except BaseException:
            file.close()
            raise
        file.close()  # a run that ended meanwhile has removed it


def _is_at(file: IO, path: str) -> bool:
    """Whether an open file is the one that a path names."""
    try:
        return osp.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _take(file: IO, folder: str, doing: str) -> None:
    """Locks an open file and notes in it who has it."""
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            return  # a file system without locks
        file.seek(0)
        owner = file.read().strip() or 'another process'
        raise FolderInUse(
            f'folder {folder}: {owner} is {doing} into it; wait for its end, stop it, or choose another'
        ) from None
    file.truncate(0)
    file.write(f'process {os.getpid()} on {socket.gethostname()}, since {time.strftime("%Y-%m-%d %H:%M:%S")},')
    file.flush()
