"""The files of the images: are they there, complete, as large as annotated, and is any of them a copy of another."""

import hashlib
import os
import os.path as osp
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from cid_mmpose.data.headers import INCOMPLETE, lacks_reader, problem_of_header, size_of
from cid_mmpose.data.image_file import decode_image, may_be, read_file
from cid_mmpose.data.problems import problem_of_sides, sides_of
from cid_mmpose.errors import BadInput

BLOCK = 1 << 20  # bytes read at once for a hash
ENDINGS = ('.bmp', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp')


class Look(NamedTuple):
    """What the file of an image holds."""

    present: bool
    decoded: bool = False  # it was tried
    shape: tuple[int, int] | None = None  # (H, W) in pixels; None if it is no complete image
    problem: str = ''  # why there is no shape
    needs_pillow: bool = False  # it was not tried: nothing here reads its header


def look_at(images: Sequence[dict], folder: str, sample: int | None = None) -> dict[str, Look]:
    """Looks for every file and decodes it.

    Args:
        images: of ``images``.
        folder: where their files are.
        sample: how many are decoded, chosen at random but always the same; None decodes all.

    Returns:
        Look by file name.
    """
    chosen = {image['file_name'] for image in some(images, sample)}
    annotated: dict[str, tuple | None] = {}
    for image in images:
        is_usable = not problem_of_sides(image)
        annotated[image['file_name']] = sides_of(image) if is_usable else None

    def look(name: str) -> Look:
        path = osp.join(folder, name)
        if not osp.isfile(path):
            return Look(present=False)
        if name not in chosen:
            return Look(present=True)
        return look_into(path, annotated[name])

    names = list(annotated)
    looks = in_threads(look, names, f'images in {folder}')
    return dict(zip(names, looks))


def look_into(path: str, annotated: tuple | None) -> Look:
    """What a file holds, read as in training.

    Args:
        path: of the file.
        annotated: (H, W) in pixels; None if the annotation says nothing of use.
    """
    try:
        data = read_file(path)
    except BadInput as error:
        after_path = str(error)[len(path) + 2 :]
        return Look(present=True, decoded=True, problem=after_path)
    if lacks_reader(data):
        return Look(present=True, needs_pillow=True)

    stored = size_of(data)
    problem = problem_of_header(data, stored)
    if problem:
        return Look(present=True, decoded=True, problem=problem.text)
    if not may_be(stored, annotated):
        return Look(present=True, decoded=True, shape=stored)

    image = decode_image(data, annotated)
    if image is None:
        return Look(present=True, decoded=True, problem=INCOMPLETE)
    return Look(present=True, decoded=True, shape=image.shape[:2])


def some(images: Sequence[dict], sample: int | None) -> Sequence[dict]:
    """All images, or that many of them."""
    if sample is None or sample >= len(images):
        return images
    return random.Random(0).sample(list(images), sample)


def in_threads(work: Callable, items: Sequence, what: str) -> list:
    """``work`` of each item, in order, on all cores; a line on a terminal says how far it is.

    Args:
        work: takes an item; reading and decoding run beside each other.
        items: to work on.
        what: for the line.
    """
    is_shown = sys.stderr.isatty() and len(items) > 0
    done = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for result in pool.map(work, items):
            done.append(result)
            if is_shown:
                print(f'\r{what}: {len(done)} of {len(items)}', end='', file=sys.stderr, flush=True)
    if is_shown:
        print(file=sys.stderr)
    return done


def same_content(paths: Iterable[str]) -> dict[str, bytes]:
    """Path -> sha256, for the files whose content occurs more than once.

    Only files of one size are read, so that data without copies costs no more than a listing.
    """
    paths_of_size = defaultdict(list)
    for path in dict.fromkeys(paths):
        if osp.isfile(path):
            size = osp.getsize(path)
            paths_of_size[size].append(path)

    candidates = []
    for group in paths_of_size.values():
        if len(group) > 1:
            candidates += group
    digests = in_threads(sha256_of, candidates, 'files of the same size')

    times = Counter(digests)
    return {path: digest for path, digest in zip(candidates, digests) if times[digest] > 1}


def sha256_of(path: str) -> bytes:
    """Hash of a file's content."""
    made = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(BLOCK):
            made.update(block)
    return made.digest()


def images_below(folder: str) -> list[str]:
    """Paths of the image files in a folder and the folders in it, in order."""
    paths = []
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.lower().endswith(ENDINGS):
                paths.append(osp.join(parent, name))
    return sorted(paths)
