"""Images of a data set: people an image, box sizes against heatmap radius, overlap."""

import os
import os.path as osp
from pathlib import Path

import numpy as np
import pycocotools.mask as coco_mask
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from cid_mmpose.codecs import whole_gaussian

from .case import Case
from .numbers import as_number

SMALL = 32  # input pixels, root of the codec's small_person_area in the reference recipe: below it nobody gets a root
LIMITS = (0.2, 0.8)  # crowdIndex between easy and medium, medium and hard; docs/evaluation.md
BINS = 50
LOWEST = 0.5  # of logarithmic axes, so that a bar of 1 is seen


def draw(case: Case, folder: str) -> list[str]:
    """Writes the plots of a file into a folder; returns their paths."""
    os.makedirs(folder, exist_ok=True)
    stem = '_'.join([*case.source.roles, Path(case.source.path).stem])
    paths = []
    for name, plot in dict(people=draw_people, sizes=draw_sizes, overlap=draw_overlap).items():
        figure = Figure(figsize=(11, 4.5), layout='constrained')
        FigureCanvasAgg(figure)
        plot(case, *figure.subplots(1, 2))
        figure.suptitle(Path(case.source.path).name)
        paths.append(osp.join(folder, f'{stem}_{name}.png'))
        figure.savefig(paths[-1], dpi=100)
    return paths


def people_per_image(case: Case) -> dict[str, np.ndarray]:
    """(images,) numbers of people: 'with labelled keypoints', and 'all' including crowds."""
    number = {image['id']: place for place, image in enumerate(case.images)}
    places = np.array([number.get(a['image_id'], -1) for a in case.people], int)

    def counts(mask: np.ndarray) -> np.ndarray:
        return np.bincount(places[mask], minlength=len(case.images))

    return {'with labelled keypoints': counts(case.is_labelled & (places >= 0)), 'all': counts(places >= 0)}


def draw_people(case: Case, left: Axes, right: Axes) -> None:
    """People an image, and keypoints a labelled person.

    Args: case: the file. left, right: axes to draw on.
    """
    for name, counts in people_per_image(case).items():
        left.hist(
            counts,
            np.arange(counts.max(initial=0) + 2) - 0.5,
            alpha=0.6,
            log=len(counts) > 0,
            label=f'{name}: {counts.sum()}',
        )
    left.set(xlabel='people an image', ylabel='images')
    left.set_ylim(bottom=LOWEST)
    left.legend()
    right.hist(case.labelled[case.is_labelled].sum(1), np.arange(case.num_keypoints + 2) - 0.5)
    right.set(xlabel='labelled keypoints a person', ylabel='people')


def radii(case: Case) -> tuple:
    """Side (P,) in input pixels, of a square as large as the box, and radius (P,) in heatmap cells.

    Of the P labelled people with a usable box, in images scaled so that the short side is that of the input.
    """
    used = case.is_labelled & case.has_size & np.isfinite(case.sides).all(1)
    scale = case.source.short_side / case.sides[used].min(1)
    width, height = (case.box[used, axis] * scale for axis in (2, 3))
    stride = case.source.stride
    radius, _ = whole_gaussian(width / stride, height / stride, case.source.min_overlap)
    return np.sqrt(width * height), radius


def draw_sizes(case: Case, left: Axes, right: Axes) -> None:
    """Box sizes against radius, and people by radius.

    Args: case: the file. left, right: axes to draw on.
    """
    side, radius = radii(case)
    left.scatter(side, radius, s=4, alpha=0.3, rasterized=True)
    left.axvline(
        SMALL,
        color='r',
        linewidth=1,
        label=f'below {SMALL} px: {(side < SMALL).sum()} (no root, unless small_person_area=0)',
    )
    left.set(
        xlabel=f'root of the box area, input pixels (short side {case.source.short_side})',
        ylabel='radius of the Gaussian, heatmap cells',
    )
    if len(side):
        left.set_xscale('log')
    left.legend()
    right.hist(radius, np.arange(radius.max(initial=0) + 2) - 0.5)
    right.set(xlabel='radius of the Gaussian, heatmap cells', ylabel='people')


def overlaps(case: Case) -> np.ndarray:
    """(P,) largest IoU of each labelled person's box with the box of another in the image; 0 for those alone."""
    rows = np.flatnonzero(case.is_labelled & case.has_size)
    groups: dict[object, list] = {}
    for row in rows:
        groups.setdefault(case.people[row]['image_id'], []).append(row)
    largest = np.zeros(len(case.people))
    for group in groups.values():
        iou = coco_mask.iou(case.box[group], case.box[group], [0] * len(group))
        np.fill_diagonal(iou, 0)
        largest[group] = iou.max(1)
    return largest[rows]


def draw_overlap(case: Case, left: Axes, right: Axes) -> None:
    """Overlap of people, and the crowdIndex of images where there is one.

    Args: case: the file. left, right: axes to draw on.
    """
    iou = overlaps(case)
    left.hist(iou, BINS, range=(0, 1), log=len(iou) > 0)
    left.set(
        xlabel='largest IoU with another person in the image',
        ylabel='people',
        title=f'above 0.5: {(iou > 0.5).sum()} of {len(iou)}',
    )
    left.set_ylim(bottom=LOWEST)
    index = np.array([as_number(image.get('crowdIndex')) for image in case.images])
    index = index[np.isfinite(index)]
    right.hist(index, BINS)
    for limit in LIMITS:
        right.axvline(limit, color='r', linewidth=1)
    right.set(
        xlabel='crowdIndex (lines: easy, medium, hard)', ylabel='images', title=f'{len(index)} images with a crowdIndex'
    )
