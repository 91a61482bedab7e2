"""Images of a data set: people an image, box sizes against heatmap radius, overlap."""

import os
import os.path as osp
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pycocotools.mask as coco_mask
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from cid_mmpose.codecs import STRIDE, whole_gaussian

from .case import Case
from .numbers import as_number

SMALL = 32  # input pixels, root of the codec's small_person_area in the reference recipe: below it nobody gets a root
LIMITS = (0.2, 0.8)  # crowdIndex between easy and medium, medium and hard; docs/evaluation.md
BINS = 50
LOWEST = 0.5  # of logarithmic axes, so that a bar of 1 is seen


def draw(case: Case, folder: str) -> list[str]:
    """Writes the plots of a file into a folder; returns their paths."""
    os.makedirs(folder, exist_ok=True)
    file = Path(case.source.path)
    stem = '_'.join(case.source.roles + (file.stem,))

    paths = []
    for name, plot in dict(people=draw_people, sizes=draw_sizes, overlap=draw_overlap).items():
        figure = Figure(figsize=(11, 4.5), layout='constrained')
        FigureCanvasAgg(figure)
        left, right = figure.subplots(1, 2)
        plot(case, left, right)
        figure.suptitle(file.name)

        path = osp.join(folder, f'{stem}_{name}.png')
        figure.savefig(path, dpi=100)
        paths.append(path)
    return paths


def people_per_image(case: Case) -> dict[str, np.ndarray]:
    """(images,) numbers of people: 'with labelled keypoints', and 'all' including crowds."""
    number = {image['id']: place for place, image in enumerate(case.images)}
    places = np.array([number.get(a['image_id'], -1) for a in case.people], int)
    is_known = places >= 0

    labelled = places[is_known & case.is_labelled]
    everyone = places[is_known]
    return {
        'with labelled keypoints': np.bincount(labelled, minlength=len(case.images)),
        'all': np.bincount(everyone, minlength=len(case.images)),
    }


def edges_around(values: np.ndarray) -> np.ndarray:
    """Edges of the bins of a histogram of whole numbers, a bin for each from 0 to the largest."""
    bins = values.max(initial=0) + 1
    return np.arange(bins + 1) - 0.5


def draw_people(case: Case, left: Axes, right: Axes) -> None:
    """People an image, and keypoints a labelled person.

    Args:
        case: the file.
        left: axes of the people.
        right: axes of the keypoints.
    """
    for name, counts in people_per_image(case).items():
        label = f'{name}: {counts.sum()}'
        left.hist(counts, edges_around(counts), alpha=0.6, log=len(counts) > 0, label=label)
    left.set(xlabel='people an image', ylabel='images')
    left.set_ylim(bottom=LOWEST)
    left.legend()

    keypoints = case.labelled[case.is_labelled].sum(1)
    right.hist(keypoints, np.arange(case.num_keypoints + 2) - 0.5)
    right.set(xlabel='labelled keypoints a person', ylabel='people')


class Radii(NamedTuple):
    """Sizes of P people, in images scaled so that the short side is that of the input."""

    side: np.ndarray  # (P,) input pixels, of a square as large as the box
    radius: np.ndarray  # (P,) heatmap cells, of the target Gaussian


def radii(case: Case) -> Radii:
    """Box sizes and Gaussians of the P labelled people with a usable box."""
    is_sized = np.isfinite(case.sides).all(1)
    used = case.is_labelled & case.has_size & is_sized
    scale = case.source.short_side / case.sides[used].min(1)
    width = case.box[used, 2] * scale
    height = case.box[used, 3] * scale

    stride = case.source.stride or STRIDE
    radius, _ = whole_gaussian(width / stride, height / stride)
    return Radii(np.sqrt(width * height), radius)


def draw_sizes(case: Case, left: Axes, right: Axes) -> None:
    """Box sizes against radius, and people by radius.

    Args:
        case: the file.
        left: axes of sizes against radius.
        right: axes of the radius.
    """
    side, radius = radii(case)
    small = (side < SMALL).sum()
    label = f'below {SMALL} px: {small} (no root, unless small_person_area=0)'
    left.scatter(side, radius, s=4, alpha=0.3, rasterized=True)
    left.axvline(SMALL, color='r', linewidth=1, label=label)
    left.set(
        xlabel=f'root of the box area, input pixels (short side {case.source.short_side})',
        ylabel='radius of the Gaussian, heatmap cells',
    )
    if len(side):
        left.set_xscale('log')
    left.legend()

    right.hist(radius, edges_around(radius))
    right.set(xlabel='radius of the Gaussian, heatmap cells', ylabel='people')


def overlaps(case: Case) -> np.ndarray:
    """(P,) largest IoU of each labelled person's box with the box of another in the image; 0 for those alone."""
    rows = np.flatnonzero(case.is_labelled & case.has_size)
    rows_of_image = defaultdict(list)
    for row in rows:
        image = case.people[row]['image_id']
        rows_of_image[image].append(row)

    largest = np.zeros(len(case.people))
    for group in rows_of_image.values():
        boxes = case.box[group]
        no_crowds = [0] * len(group)
        iou = coco_mask.iou(boxes, boxes, no_crowds)
        np.fill_diagonal(iou, 0)
        largest[group] = iou.max(1)
    return largest[rows]


def draw_overlap(case: Case, left: Axes, right: Axes) -> None:
    """Overlap of people, and the crowdIndex of images where there is one.

    Args:
        case: the file.
        left: axes of the overlap.
        right: axes of the crowdIndex.
    """
    iou = overlaps(case)
    above_half = (iou > 0.5).sum()
    left.hist(iou, BINS, range=(0, 1), log=len(iou) > 0)
    left.set(
        xlabel='largest IoU with another person in the image',
        ylabel='people',
        title=f'above 0.5: {above_half} of {len(iou)}',
    )
    left.set_ylim(bottom=LOWEST)

    index = np.array([as_number(image.get('crowdIndex')) for image in case.images])
    index = index[np.isfinite(index)]
    right.hist(index, BINS)
    for limit in LIMITS:
        right.axvline(limit, color='r', linewidth=1)
    right.set(
        xlabel='crowdIndex (lines: easy, medium, hard)',
        ylabel='images',
        title=f'{len(index)} images with a crowdIndex',
    )
