"""The files of the images: are they there, complete, as large as annotated, and is any of them a copy of another."""

import hashlib
import os
import os.path as osp
import random
import sys
from collections import defaultdict
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
    shapes = {p['file_name']: None if problem_of_sides(p) else sides_of(p) for p in images}

    def look(name: str) -> Look:
        path = osp.join(folder, name)
        if not osp.isfile(path):
            return Look(False)
        return look_into(path, shapes[name]) if name in chosen else Look(True)

    return dict(zip(shapes, in_threads(look, list(shapes), f'images in {folder}')))


def look_into(path: str, annotated: tuple | None) -> Look:
    """What a file holds, read as in training.

    Args:
        path: of the file.
        annotated: (H, W) in pixels; None if the annotation says nothing of use.
    """
    try:
        data = read_file(path)
    except BadInput as error:
        return Look(True, True, problem=str(error)[len(path) + 2 :])
    if lacks_reader(data):
        return Look(True, needs_pillow=True)
    stored = size_of(data)
    if problem := problem_of_header(data, stored):
        return Look(True, True, problem=problem.text)
    if not may_be(stored, annotated):
        return Look(True, True, stored)
    image = decode_image(data, annotated)
    if image is None:
        return Look(True, True, problem=INCOMPLETE)
    return Look(True, True, image.shape[:2])


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
    sizes = defaultdict(list)
    for path in dict.fromkeys(paths):
        if osp.isfile(path):
            sizes[osp.getsize(path)].append(path)
    same_size = [path for group in sizes.values() if len(group) > 1 for path in group]
    digests = dict(zip(same_size, in_threads(sha256_of, same_size, 'files of the same size')))
    times = defaultdict(int)
    for digest in digests.values():
        times[digest] += 1
    return {path: digest for path, digest in digests.items() if times[digest] > 1}


def sha256_of(path: str) -> bytes:
    """Hash of a file's content."""
    made = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(BLOCK):
            made.update(block)
    return made.digest()


def images_below(folder: str) -> list[str]:
    """Paths of the image files in a folder and the folders in it, in order."""
    return sorted(
        osp.join(parent, name)
        for parent, _, names in os.walk(folder)
        for name in names
        if name.lower().endswith(ENDINGS)
    )
