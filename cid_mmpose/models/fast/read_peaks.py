"""Everyone's keypoints in testing, a few rows of a few people's maps at a time.

What it saves: the maps of a crowd, and any whole map. Why it is equal: of a map only its peak is asked for, the peak of
a map is the highest one of its rows, and smoothing reaches a few rows beyond them.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from cid_mmpose.codecs import Peaks, find_peaks, higher_peaks

from ..roots import smooth
from .chunks import Chunk, people_part


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
