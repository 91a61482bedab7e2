"""Features of each person: GFD against cutting them out with RoIAlign (figure 5b)."""

from collections.abc import Iterator
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from mmpose.models.necks import FeatureMapProcessor
from torchvision.ops import roi_align

from cid_mmpose.models import Roots
from cid_mmpose.models.fast.branches import sample_branches
from cid_mmpose.models.fast.chunks import how_many, image_part, people_and_rows, people_part
from cid_mmpose.models.fast.gfd import FactoredGFD

from .measure import Row, in_turns
from .subjects import TRAIN_SIZE, branches, our_model

PLUS, STAR = 14, 56  # cells a side: RoIAlign+ upsamples 14 to 56, RoIAlign* cuts out 56 at once


def roialign(options: SimpleNamespace) -> Iterator[Row]:
    """One image of 512 x 512; GFD's time holds the keypoint maps too, RoIAlign's only the features.

    RoIAlign reads the stacked F of 480 channels, whose stacking is not counted.
    """
    gfd = FactoredGFD(our_model(30, None, options.device).head.gfd)
    feats = branches(1, TRAIN_SIZE, options.device)
    (stack,) = FeatureMapProcessor(concat=True)(feats)
    rng = torch.Generator().manual_seed(0)
    for people in options.counts:
        cell = torch.randint(8, 120, (people, 2), generator=rng).to(options.device)
        roots = Roots(cell, torch.zeros(people, dtype=torch.int64, device=options.device))
        side = 4.0 + 60 * torch.rand(people, 2, generator=rng).to(options.device)
        boxes = [torch.cat([cell - side / 2, cell + side / 2], 1)]

        def decouple() -> None:
            image = gfd.image_terms(feats)
            everyone = gfd.person_terms(sample_branches(feats, roots), roots)
            cells = how_many(gfd.floats_to_test(), None, options.device)
            for chunk in people_and_rows(roots.image, 1, feats[0].shape[-2:], cells):
                gfd.scores(image_part(image, chunk), people_part(everyone, chunk))

        programs = {
            'GFD': decouple,
            'RoIAlign+': lambda: F.interpolate(roi_align(stack, boxes, PLUS), STAR, mode='bilinear'),
            'RoIAlign*': lambda: roi_align(stack, boxes, STAR),
        }
        with torch.no_grad():
            times = in_turns(programs, max(options.repeats // 2, 1), options.device)
        for name, time in times.items():
            yield Row('figure 5b', f'{people} people', f'{name}, ms', time, None)
