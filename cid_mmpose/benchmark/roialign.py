"""Features of each person: GFD against cutting them out with RoIAlign (figure 5b)."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from mmpose.models.necks import FeatureMapProcessor
from torchvision.ops import roi_align

from cid_mmpose.models import Roots
from cid_mmpose.models.fast.branches import sample_branches
from cid_mmpose.models.fast.chunks import cells_in_budget, image_part, people_and_rows, people_part
from cid_mmpose.models.fast.gfd import FactoredGFD

from .measure import Row, in_turns
from .subjects import TRAIN_SIZE, branches, our_model

PLUS = 14  # cells a side that RoIAlign+ cuts out, to be upsampled to ``STAR``
STAR = 56  # cells a side that RoIAlign* cuts out at once


def roialign(options: SimpleNamespace) -> Iterator[Row]:
    """One image of 512 x 512; GFD's time holds the keypoint maps too, RoIAlign's only the features.

    RoIAlign reads the stacked F of 480 channels, whose stacking is not counted.
    """
    gfd = FactoredGFD(our_model(30, None, options.device).head.gfd)
    feats = branches(1, TRAIN_SIZE, options.device)
    (stack,) = FeatureMapProcessor(concat=True)(feats)
    rng = torch.Generator().manual_seed(0)
    for people in options.counts:
        scene = random_people(people, rng, options.device)

        def decouple() -> None:
            decouple_people(gfd, feats, scene.roots)

        def cut_out_and_upsample() -> None:
            F.interpolate(roi_align(stack, scene.boxes, PLUS), STAR, mode='bilinear')

        def cut_out() -> None:
            roi_align(stack, scene.boxes, STAR)

        programs = {'GFD': decouple, 'RoIAlign+': cut_out_and_upsample, 'RoIAlign*': cut_out}
        rounds = max(options.repeats // 2, 1)
        with torch.no_grad():
            times = in_turns(programs, rounds, options.device)
        for name, time in times.items():
            yield Row('figure 5b', f'{people} people', f'{name}, ms', time, None)


class RandomPeople(NamedTuple):
    """N people of one image of 512 x 512."""

    roots: Roots
    boxes: list[torch.Tensor]  # (N, 4) left, top, right, bottom in cells, for ``roi_align`` a list of one


def random_people(people: int, rng: torch.Generator, device: torch.device) -> RandomPeople:
    """People whose boxes are of 4 to 64 cells a side."""
    cell = torch.randint(8, 120, (people, 2), generator=rng).to(device)
    side = 4.0 + 60 * torch.rand(people, 2, generator=rng).to(device)
    image = torch.zeros(people, dtype=torch.int64, device=device)
    box = torch.cat([cell - side / 2, cell + side / 2], 1)
    return RandomPeople(Roots(cell, image), [box])


def decouple_people(gfd: FactoredGFD, feats: list[torch.Tensor], roots: Roots) -> None:
    """The keypoint maps of all people, computed in chunks as in testing.

    Args:
        gfd: of our head.
        feats: of the branches, (1, C, H, W) each.
        roots: of the people.
    """
    image = gfd.image_terms(feats)
    everyone = gfd.person_terms(sample_branches(feats, roots), roots)

    cells = cells_in_budget(gfd.floats_to_test(), None, feats[0].device)
    size = feats[0].shape[-2:]
    for chunk in people_and_rows(roots.image, 1, size, cells):
        gfd.scores(image_part(image, chunk), people_part(everyone, chunk))
