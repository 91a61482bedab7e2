"""The loss L_GFD of each person's maps in training, a few people and rows at a time.

It is eq. 16 itself with ``average='person'``; by default all people are averaged together, as in the authors' code.

What it saves: the maps of all people and their targets (``chunks.py``, ``accumulate.py``). Why it is equal: the loss is
a sum over cells, and each map's share of it is known from the targets alone (``losses/heatmap.py``).
"""

from collections.abc import Sequence

from torch import Tensor

from cid_mmpose.codecs import PersonTargets, axes_of_people, render_people

from ..losses import HeatmapLoss
from ..roots import Roots
from .accumulate import sum_over_people
from .chunks import Chunk, cells_in_budget, people_and_rows
from .gfd import FactoredGFD, ImageTerms, PersonTerms


def loss_in_chunks(
    gfd: FactoredGFD,
    loss: HeatmapLoss,
    branches: Sequence[Tensor],
    vectors: Tensor,
    roots: Roots,
    targets: PersonTargets,
    chosen: Tensor,
    budget: int | None = None,
) -> Tensor:
    """``loss(heatmaps, target maps, weight)`` of N people, without their maps ever being there together.

    Args:
        gfd: gives the heatmaps.
        loss: of heatmaps.
        branches: (B, C_i, H_i, W_i) of F.
        vectors: f, (N, C).
        roots: of N people.
        targets: (P, ...) of the batch.
        chosen: (N,) int64, which of the P targets these people are.
        budget: MiB, see ``cells_in_budget``.

    Returns:
        A float32 scalar.
    """
    height, width = branches[0].shape[-2:]
    axes = axes_of_people(targets, chosen, (width, height))
    # Axes are zero where nothing is drawn, so only drawn keypoints have a peak; and it may lie off the map.
    has_peak = axes.x.eq(1).any(-1) & axes.y.eq(1).any(-1)  # (N, K)
    weight = targets.keypoint_drawn[chosen] * loss.shares(has_peak)  # (N, K)

    def term(chunk: Chunk, image_terms: ImageTerms, person_terms: PersonTerms) -> Tensor:
        logits = gfd.logits(image_terms, person_terms)
        target = render_people(axes.x[chunk.people], axes.y[chunk.people, :, chunk.rows])
        return loss.sum_of_cells(logits, target, weight[chunk.people][..., None, None])

    cells = cells_in_budget(gfd.floats_to_train(), budget, vectors.device)
    chunks = people_and_rows(roots.image, len(branches[0]), (height, width), cells)
    image_terms = gfd.image_terms(branches)
    person_terms = gfd.person_terms(vectors, roots)
    return sum_over_people(term, chunks, image_terms, person_terms, gfd.parameters_of_logits())
