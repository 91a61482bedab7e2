"""Where the images of an annotation file are, and how large."""

import os.path as osp
from collections.abc import Sequence

import numpy as np

from cid_mmpose.data.problems import sides_of
from cid_mmpose.errors import BadInput

LARGEST = 512  # pixels; the configs' short side of the input
STEP = 64  # pixels; inputs are multiples of it in testing, and of 32 in training
SMALLEST = 256  # pixels; keypoints are found to a cell of 4, so that smaller images are enlarged


def image_folder(data: dict, path: str, given: str | None = None) -> str:
    """Folder that holds every image of an annotation file.

    Args:
        data: of ``read_annotations``.
        path: of the file.
        given: folder that the user has named, which comes first; then those where tools put images.

    Raises:
        BadInput: an image is missing from the folder, or from all folders.
    """
    candidates = likely_folders(path)
    if given:
        candidates.insert(0, given)
    names = [image['file_name'] for image in data['images']]
    missing = {}
    for folder in candidates:
        missing[folder] = [name for name in names if not osp.isfile(osp.join(folder, name))]
        if not missing[folder]:
            return folder

    fewest = min(candidates, key=lambda folder: len(missing[folder]))
    raise BadInput(
        f'{path}: {len(missing[fewest])} of its {len(names)} images are not in {fewest}, first {missing[fewest][0]}; '
        '--images names the folder that holds them'
    )


def likely_folders(path: str) -> list[str]:
    """Folders in which tools put the images of an annotation file: with it, or in 'images' beside it or its folder.

    Args:
        path: of the file.
    """
    folder = osp.dirname(osp.abspath(path))
    above = osp.dirname(folder)
    subset = osp.splitext(osp.basename(path))[0].rsplit('_', 1)[-1]  # CVAT: person_keypoints_SUBSET.json
    return [
        folder,
        osp.join(folder, 'images'),
        osp.join(above, 'images'),
        osp.join(above, 'images', subset),
        osp.join(folder, 'images', subset),
    ]


def input_side(images: Sequence[dict]) -> int:
    """Short side in pixels of the network's input: that of half of the images, in steps, and 512 at most.

    Args:
        images: of ``read_annotations``.
    """
    short_sides = [min(sides_of(image)) for image in images]
    median = float(np.nanmedian(short_sides)) if np.isfinite(short_sides).any() else LARGEST
    in_steps = int(np.ceil(median / STEP)) * STEP
    return min(max(in_steps, SMALLEST), LARGEST)
