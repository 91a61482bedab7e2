"""Reading everyone's keypoints in testing, a few rows of a few people's maps at a time.

Of a map only its peak is asked for, so that the maps of a crowd never live at once, nor does any whole map.
"""
from typing import Callable, Optional, Sequence

import torch
from torch import Tensor

from cid_mmpose.codecs import Peaks, find_peaks, higher
from cid_mmpose.models.roots import smooth

from .chunks import Chunk


def read_peaks(scores_of: Callable, chunks: Sequence[Chunk], peaks: Peaks, blur: int, height: int,
               fields: Optional[Tensor] = None) -> Peaks:
    """The peaks of the smoothed maps of N people.

    Args:
        scores_of: chunk -> scores (n, K, h, W) of its people in its rows. chunks: all rows of everyone.
        peaks: of N people, changed in place. blur: see ``smooth``. height: H, rows of the maps.
        fields: (B, K, H, W), changed in place to the larger value of all people, before smoothing; None if not wanted.
    """
    for chunk in chunks:
        outer = with_margin(chunk.rows, blur // 2 + 1, height)
        inner = slice(chunk.rows.start - outer.start, chunk.rows.stop - outer.start)
        scores = scores_of(chunk._replace(rows=outer))
        if fields is not None:
            seen = fields[chunk.image, :, chunk.rows]
            torch.maximum(seen, scores[:, :, inner].amax(0), out=seen)
        found = find_peaks(smooth(scores, blur), inner)
        found.cell[..., 1] += outer.start
        for all_of_them, mine in zip(peaks, higher(Peaks(*(each[chunk.people] for each in peaks)), found)):
            all_of_them[chunk.people] = mine
    return peaks


def with_margin(rows: slice, margin: int, height: int) -> slice:
    """``rows`` and ``margin`` more on either side, as far as there are any."""
    return slice(max(rows.start - margin, 0), min(rows.stop + margin, height))
