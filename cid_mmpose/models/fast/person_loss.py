"""The loss of each person's maps (eq. 16) in training, a few people and rows at a time.

What it saves: the maps of all people and their targets (``chunks.py``, ``accumulate.py``). Why it is equal: the focal
loss is a sum over cells, and how many of them are peaks is known from the targets alone.
"""

from collections.abc import Sequence

from torch import Tensor

from cid_mmpose.codecs import PersonTargets, axes_of_people, render_people

from ..losses.focal import FocalHeatmapLoss, focal_sum
from ..roots import Roots
from .accumulate import sum_over_people
from .chunks import Chunk, how_many, people_and_rows
from .gfd import FactoredGFD, ImageTerms, PersonTerms


def person_loss(
    gfd: FactoredGFD,
    loss: FocalHeatmapLoss,
    branches: Sequence[Tensor],
    vectors: Tensor,
    roots: Roots,
    targets: PersonTargets,
    chosen: Tensor,
    budget: int | None = None,
) -> Tensor:
    """``loss(heatmaps, targets, weight)`` of N people.

    Args:
        gfd: gives the heatmaps.
        loss: weighs and averages.
        branches: (B, C_i, H_i, W_i) of F.
        vectors: f, (N, C).
        roots: of N people.
        targets: of the batch.
        chosen: (N,) int64, which of the targets these people are.
        budget: MiB, see ``how_many``.

    Returns:
        A float32 scalar.
    """
    height, width = branches[0].shape[-2:]
    axes = axes_of_people(targets, chosen, (width, height))
    peaks = axes.x.eq(1).any(-1) & axes.y.eq(1).any(-1)  # a Gaussian's peak may lie off the map
    weight = targets.keypoint_drawn[chosen] * loss.shares(peaks)

    def term(chunk: Chunk, image: ImageTerms, people: PersonTerms) -> Tensor:
        logits = gfd.logits(image, people)
        target = render_people(axes.x[chunk.people], axes.y[chunk.people, :, chunk.rows])
        return focal_sum(logits, target, weight[chunk.people][..., None, None])

    cells = how_many(gfd.floats_to_train(), budget, vectors.device)
    chunks = people_and_rows(roots.image, len(branches[0]), (height, width), cells)
    return sum_over_people(
        term, chunks, gfd.image_terms(branches), gfd.person_terms(vectors, roots), gfd.parameters_of_logits()
    )
