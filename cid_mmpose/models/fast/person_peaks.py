"""Each person's keypoints in testing, a few rows of a few people's maps at a time.

What it saves: memory; no map is ever there as a whole. Why it is equal: of a map only its peak is asked for, the peak
of a map is the highest one of its rows, and smoothing reaches a few rows beyond them.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from cid_mmpose.codecs import Peaks, find_peaks, higher_peaks, no_peaks

from ..options import TestOptions
from ..roots import Roots, smooth
from ..views import Views, mean_of
from .branches import sample_branches
from .chunks import Chunk, cells_in_budget, image_part, people_and_rows, people_part, split_terms
from .gfd import FactoredGFD


def person_peaks(
    gfd: FactoredGFD, views: Views, roots: Roots, options: TestOptions, budget: int | None = None
) -> tuple[Peaks, Tensor | None]:
    """The keypoints' peaks of N people, in the mean of what the views say of each.

    Args:
        gfd: gives the heatmaps.
        views: of B images.
        roots: of N people.
        options: of testing; ``blur`` and ``output_heatmaps`` count here.
        budget: MiB, see ``cells_in_budget``.

    Returns:
        The peaks of N people; with ``output_heatmaps`` the largest value of all people, (B, K, H, W) float32, and None
        without.
    """
    num_images = views.num_images
    first = views.branches[0]
    height, width = first.shape[-2:]
    num_people = len(roots.image)
    num_keypoints = gfd.num_keypoints

    # the terms of images and of people, in all views at once
    roots_in_views = in_each_view(roots, num_images, views.num_views)
    vectors = sample_branches(views.branches, roots_in_views)
    image_terms = gfd.image_terms(views.branches)
    person_terms = gfd.person_terms(vectors, roots_in_views)

    # the heatmaps of a chunk: the mean of the views
    image_terms_of_views = split_terms(image_terms, views.num_views)
    person_terms_of_views = split_terms(person_terms, views.num_views)

    def scores_of(chunk: Chunk) -> Tensor:
        scores = []
        for of_images, of_people, map_order in zip(image_terms_of_views, person_terms_of_views, views.map_orders):
            of_rows = image_part(of_images, chunk)
            of_chunk = people_part(of_people, chunk)
            scores.append(gfd.scores(of_rows, of_chunk, map_order))
        return mean_of(scores)

    # their peaks, chunk by chunk
    heatmaps = None
    if options.output_heatmaps:
        heatmaps = first.new_zeros(num_images, num_keypoints, height, width, dtype=torch.float32)
    cells_at_once = cells_in_budget(gfd.floats_to_test(), budget, first.device)
    chunks = people_and_rows(roots.image, num_images, (height, width), cells_at_once)
    peaks = no_peaks(num_people, num_keypoints, first.device)
    read_peaks(scores_of, chunks, peaks, options.blur, height, heatmaps)
    return peaks, heatmaps


def in_each_view(roots: Roots, num_images: int, num_views: int) -> Roots:
    """The roots of N people in every view: V * N, view by view as in ``Views``.

    Args:
        roots: of N people in B images.
        num_images: B.
        num_views: V.
    """
    images = [roots.image + view * num_images for view in range(num_views)]
    return Roots(roots.cell.repeat(num_views, 1), torch.cat(images))


def read_peaks(
    scores_of: Callable, chunks: Sequence[Chunk], peaks: Peaks, blur: int, height: int, heatmaps: Tensor | None = None
) -> None:
    """Puts the peaks of the smoothed maps of N people into ``peaks``.

    Args:
        scores_of: chunk -> scores (n, K, h, W) of its people in its rows.
        chunks: all rows of everyone.
        peaks: of N people, changed in place to the highest ones; at first ``no_peaks``.
        blur: see ``smooth``.
        height: H, rows of the maps.
        heatmaps: (B, K, H, W), changed in place to the largest value of all people, before smoothing; None if not
            wanted.
    """
    for chunk in chunks:
        margin = blur // 2 + 1  # for smoothing, and for the neighbours of a peak
        outer = with_margin(chunk.rows, margin, height)
        inner = slice(chunk.rows.start - outer.start, chunk.rows.stop - outer.start)
        scores = scores_of(chunk._replace(rows=outer))
        if heatmaps is not None:
            so_far = heatmaps[chunk.image, :, chunk.rows]
            torch.maximum(so_far, scores[:, :, inner].amax(0), out=so_far)

        peaks_here = find_peaks(smooth(scores, blur), inner)
        peaks_here.cell[..., 1] += outer.start
        highest_so_far = higher_peaks(people_part(peaks, chunk), peaks_here)
        for of_everyone, of_chunk in zip(peaks, highest_so_far):
            of_everyone[chunk.people] = of_chunk


def with_margin(rows: slice, margin: int, height: int) -> slice:
    """Rows and some more on either side, as far as there are any.

    Args:
        rows: with start and stop.
        margin: rows on either side.
        height: H, rows of the map.
    """
    return slice(max(rows.start - margin, 0), min(rows.stop + margin, height))
