"""What can be given to a model, as one image after the other: files, folders, videos, cameras, URLs, arrays.

An image is only found here; it is loaded when somebody calls ``load``, which a thread that reads ahead can do.
"""

import glob
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np

from cid_mmpose.errors import BadInput
from cid_mmpose.files import mode_at

from .images import download_image, image_of_array, read_image
from .people import People
from .video import Camera, Video, read_camera, read_stream, read_video

IMAGE_ENDINGS = {
    '.bmp',
    '.gif',
    '.jp2',
    '.jpeg',
    '.jpg',
    '.pbm',
    '.pgm',
    '.png',
    '.pnm',
    '.ppm',
    '.tif',
    '.tiff',
    '.webp',
}
VIDEO_ENDINGS = {'.avi', '.m4v', '.mkv', '.mov', '.mp4', '.mpeg', '.mpg', '.ts', '.webm', '.wmv'}
STREAMS = ('rtsp', 'rtmp', 'udp', 'tcp')
CHANNELS = ('bgr', 'rgb')
WILD = '*?['  # what makes a path a pattern


class Item(NamedTuple):
    """One image that will be looked at."""

    load: Callable[[], np.ndarray] | None  # gives (h, w, 3) uint8 BGR, or raises BadInput; None: it is not needed
    path: str | None = None  # of the file, or its URL; 'camera 0' for a camera; None for an array
    frame: int | None = None  # of a video, from 0
    time: float | None = None  # seconds from the video's start
    is_file: bool = False  # whether ``path`` holds just this image
    known: People | None = None  # who is in it, from an earlier run


class FoundItems(NamedTuple):
    """What a source turned out to be."""

    items: Iterator[Item]
    total: int | None  # of items, as far as it is known before
    endless: bool = False  # a camera or a stream
    files: tuple[str, ...] = ()  # the paths among the items, as far as they are known before
    passed_over: tuple[str, ...] = ()  # files of a folder that are neither images nor videos by their names
    num_results: int = 0  # files that a pattern matches and that are left out


def find(source: Any, channels: str = 'bgr', leave_out: frozenset[str] = frozenset()) -> FoundItems:
    """What there is to look at.

    Args:
        source: path of an image or a video, a folder, a pattern such as ``'images/*.jpg'``, a URL, number of a camera
            (0 or '0'), an array (h, w, 3), (h, w, 4) or (h, w) of uint8, several of one size in an array (n, h, w, 3)
            or (n, h, w, 4), a PIL image, or a list of any of these.
        channels: 'bgr' or 'rgb', the order in arrays; files and PIL images have their own.
        leave_out: real paths of files that a pattern is not to give, such as the results of an earlier run.

    Raises:
        BadInput: it is none of these, or there is no such file.
    """
    if channels not in CHANNELS:
        raise BadInput(f"channels must be 'bgr' or 'rgb', got {channels!r}")
    if isinstance(source, (str, os.PathLike)):
        return _of_path(source, leave_out)
    if isinstance(source, (int, np.integer)) and not isinstance(source, bool):
        return FoundItems(_frames(read_camera(int(source)), f'camera {source}'), None, endless=True)
    if isinstance(source, np.ndarray) and source.ndim == 4:
        source = list(source)  # one image each
    if isinstance(source, np.ndarray) or _is_pillow(source):
        return FoundItems(iter([_of_array(source, channels)]), 1)
    if isinstance(source, Iterable) and not isinstance(source, (bytes, dict)):
        return _of_several(source, channels, leave_out)
    raise BadInput(
        f'cannot look at a {type(source).__name__}; give a path, a folder, a URL, an array, a PIL image, the number of '
        'a camera, or a list of these'
    )


def _of_path(source: str | os.PathLike, leave_out: frozenset[str]) -> FoundItems:
    try:
        return _of_text(os.fspath(source), leave_out)
    except BadInput:
        raise
    except (OSError, RuntimeError, TypeError, ValueError) as error:  # no right to read, no such user, no valid URL
        reason = getattr(error, 'strerror', None) or error
        raise BadInput(f'{str(source):.200}: cannot be looked at ({reason}); give another path') from error


def _of_several(sources: Iterable, channels: str, leave_out: frozenset[str]) -> FoundItems:
    if not isinstance(sources, (list, tuple)):  # a generator, which may never end
        items = (item for each in sources for item in find(each, channels, leave_out).items)
        return FoundItems(items, None, endless=True)

    return _one_after_the_other([find(each, channels, leave_out) for each in sources])


def _one_after_the_other(found: list[FoundItems]) -> FoundItems:
    """Several sources as one."""
    total: int | None = 0
    files: list[str] = []
    passed_over: list[str] = []
    for each in found:
        total = None if total is None or each.total is None else total + each.total
        files += each.files
        passed_over += each.passed_over
    return FoundItems(
        items=_items_of(found),
        total=total,
        endless=any(each.endless for each in found),
        files=tuple(files),
        passed_over=tuple(passed_over),
        num_results=sum(each.num_results for each in found),
    )


def _items_of(found: list[FoundItems]) -> Iterator[Item]:
    for each in found:
        yield from each.items


def _of_text(text: str, leave_out: frozenset[str]) -> FoundItems:
    """A path, a pattern, a URL, or the number of a camera."""
    if not text:
        raise BadInput("an empty path; '.' is the folder that you are in")
    scheme = urlsplit(text).scheme.lower() if '://' in text else ''
    if scheme in STREAMS:
        return FoundItems(_frames(read_stream(text), text), None, endless=True)
    if scheme in ('http', 'https'):
        if _ending(urlsplit(text).path) in VIDEO_ENDINGS:
            return _of_video(text)
        return FoundItems(iter([Item(lambda: download_image(text), text)]), 1)
    if scheme not in ('', 'file'):
        raise BadInput(f'{text}: is read from files, http(s) and {", ".join(STREAMS)}, not from {scheme}://')

    path = Path(text.removeprefix('file://')).expanduser()
    mode = mode_at(path)
    if mode is not None:
        return _of_folder(path) if stat.S_ISDIR(mode) else _of_file(path)
    if any(letter in text for letter in WILD):
        return _of_pattern(path, leave_out)
    if text.isdecimal():
        return FoundItems(_frames(read_camera(int(text)), f'camera {text}'), None, endless=True)
    raise BadInput(f'{text}: no such file or folder')


def _of_pattern(pattern: Path, leave_out: frozenset[str]) -> FoundItems:
    """The files that a pattern matches, in the order of their names."""
    matches = [name for name in sorted(glob.glob(str(pattern), recursive=True)) if os.path.isfile(name)]
    paths = [name for name in matches if os.path.realpath(name) not in leave_out]
    if matches and not paths:
        raise BadInput(f'{pattern}: only results of an earlier run have such a name; name the images')
    if not paths:
        raise BadInput(f'{pattern}: no file has such a name')
    found = _one_after_the_other([_of_file(Path(name)) for name in paths])
    return found._replace(num_results=len(matches) - len(paths))


def _of_folder(folder: Path) -> FoundItems:
    """The images and videos of a folder in the order of their names; hidden files are not looked at."""
    found: list[FoundItems] = []
    passed_over: list[str] = []
    for name in sorted(os.listdir(folder)):
        path = folder / name
        if name.startswith('.') or not _may_be_file(path):
            continue
        if _ending(name) in IMAGE_ENDINGS | VIDEO_ENDINGS:
            found.append(_of_file(path))
        else:
            passed_over.append(str(path))
    if not found:
        raise BadInput(
            f'{folder}: holds no image and no video (by their endings, such as .jpg, .png, .mp4); name another folder, '
            f"or a pattern such as '{folder}/*/*.jpg'"
        )
    return _one_after_the_other(found)._replace(passed_over=tuple(passed_over))


def _may_be_file(path: Path) -> bool:
    """Whether a path names a file, or one that is not there: a broken link is told when its turn comes."""
    return os.path.isfile(path) or not os.path.exists(path)


def _of_file(path: Path) -> FoundItems:
    name = str(path)
    if _ending(name) in VIDEO_ENDINGS:
        return _of_video(name)
    return FoundItems(iter([Item(lambda: read_image(name), name, is_file=True)]), 1, files=(name,))


def _of_video(name: str) -> FoundItems:
    video = read_video(name)
    try:
        total = video.frame_count
    except BadInput:  # said when its turn comes
        total = None
    return FoundItems(_frames(video, name), total, files=(name,))


def _frames(video: Video | Camera, name: str) -> Iterator[Item]:
    """The frames; what is wrong with the video comes last, where it is told as of an image that cannot be read."""
    try:
        for frame in video:
            yield Item(_given(frame.image), name, frame.number, frame.time)
        complaint = getattr(video, 'complaint', None)
    except BadInput as error:
        complaint = str(error)
    if complaint:
        yield Item(_failing(complaint), name)


def _of_array(source: Any, channels: str) -> Item:
    return Item(lambda: image_of_array(source, channels))


def _given(image: np.ndarray) -> Callable[[], np.ndarray]:
    return lambda: image


def _failing(complaint: str) -> Callable[[], np.ndarray]:
    def load() -> np.ndarray:
        raise BadInput(complaint)

    return load


def _ending(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _is_pillow(source: Any) -> bool:
    return type(source).__module__.partition('.')[0] == 'PIL'
