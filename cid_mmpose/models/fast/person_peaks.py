"""Each person's keypoints in testing, a few rows of a few people's maps at a time.

What it saves: the maps of a crowd, and any whole map. Why it is equal: of a map only its peak is asked for, the peak of
a map is the highest one of its rows, and smoothing reaches a few rows beyond them.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from cid_mmpose.codecs import Peaks, find_peaks, higher_peaks, no_peaks

from ..options import TestOptions
from ..roots import Roots, smooth
from ..views import View, mean_of
from .branches import sample_branches
from .chunks import Chunk, how_many, image_part, people_and_rows, people_part
from .gfd import FactoredGFD


def person_peaks(
    gfd: FactoredGFD, views: Sequence[View], roots: Roots, options: TestOptions, budget: int | None = None
) -> tuple[Peaks, Tensor | None]:
    """The keypoints' peaks of N people, in the mean of what the views say of each.

    Args:
        gfd: gives the heatmaps.
        views: of B images.
        roots: of N people.
        options: of testing; ``blur`` and ``output_heatmaps`` count here.
        budget: MiB, see ``how_many``.

    Returns:
        The peaks of N people; with ``output_heatmaps`` the larger value of all people, (B, K, H, W) float32, else None.
    """
    first = views[0].branches[0]
    num_images, _, height, width = first.shape
    num_people = len(roots.image)
    num_keypoints = gfd.num_keypoints

    images = [gfd.image_terms(view.branches) for view in views]
    people = [gfd.person_terms(sample_branches(view.branches, roots), roots) for view in views]

    def scores_of(chunk: Chunk) -> Tensor:
        scores = []
        for view, image, person in zip(views, images, people):
            scores.append(gfd.scores(image_part(image, chunk), people_part(person, chunk), view.keypoints))
        return mean_of(scores)

    heatmaps = None
    if options.output_heatmaps:
        heatmaps = first.new_zeros(num_images, num_keypoints, height, width, dtype=torch.float32)
    cells = how_many(gfd.floats_to_test(), budget, first.device)
    chunks = people_and_rows(roots.image, num_images, (height, width), cells)
    unread = no_peaks(num_people, num_keypoints, first.device)
    peaks = read_peaks(scores_of, chunks, unread, options.blur, height, heatmaps)
    return peaks, heatmaps


def read_peaks(
    scores_of: Callable, chunks: Sequence[Chunk], peaks: Peaks, blur: int, height: int, heatmaps: Tensor | None = None
) -> Peaks:
    """The peaks of the smoothed maps of N people.

    Args:
        scores_of: chunk -> scores (n, K, h, W) of its people in its rows.
        chunks: all rows of everyone.
        peaks: of N people, changed in place.
        blur: see ``smooth``.
        height: H, rows of the maps.
        heatmaps: (B, K, H, W), changed in place to the larger value of all people, before smoothing; None if not
            wanted.
    """
    for chunk in chunks:
        outer = with_margin(chunk.rows, blur // 2 + 1, height)
        inner = slice(chunk.rows.start - outer.start, chunk.rows.stop - outer.start)
        scores = scores_of(chunk._replace(rows=outer))
        if heatmaps is not None:
            so_far = heatmaps[chunk.image, :, chunk.rows]
            torch.maximum(so_far, scores[:, :, inner].amax(0), out=so_far)

        found = find_peaks(smooth(scores, blur), inner)
        found.cell[..., 1] += outer.start
        highest = higher_peaks(people_part(peaks, chunk), found)
        for of_everyone, of_chunk in zip(peaks, highest):
            of_everyone[chunk.people] = of_chunk
    return peaks


def with_margin(rows: slice, margin: int, height: int) -> slice:
    """Rows and some more on either side, as far as there are any.

    Args:
        rows: with start and stop.
        margin: rows on either side.
        height: H, rows of the map.
    """
    return slice(max(rows.start - margin, 0), min(rows.stop + margin, height))
