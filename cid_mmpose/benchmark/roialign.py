"""Features of each person: GFD against cutting them out with RoIAlign (figure 5b)."""
from types import SimpleNamespace
from typing import Iterator

import torch
import torch.nn.functional as F
from mmpose.models.necks import FeatureMapProcessor
from torchvision.ops import roi_align

from cid_mmpose.models import Roots, sample_at
from cid_mmpose.models.fast.chunks import how_many, part_of, people_and_rows

from .measure import Row, in_turns
from .subjects import TRAIN_SIZE, branches, our_model

PLUS, STAR = 14, 56  # cells a side: RoIAlign+ upsamples 14 to 56, RoIAlign* cuts out 56 at once


def roialign(options: SimpleNamespace) -> Iterator[Row]:
    """One image of 512 x 512; GFD's time holds the keypoint maps too, RoIAlign's only the features.

    RoIAlign reads the stacked F of 480 channels, whose stacking is not counted.
    """
    gfd = our_model(30, None, options.device).head.gfd
    feats = branches(1, TRAIN_SIZE, options.device)
    stack, = FeatureMapProcessor(concat=True)(feats)
    rng = torch.Generator().manual_seed(0)
    for people in options.counts:
        cell = torch.randint(8, 120, (people, 2), generator=rng).to(options.device)
        roots = Roots(cell, torch.zeros(people, dtype=torch.int64, device=options.device))
        side = 4.0 + 60 * torch.rand(people, 2, generator=rng).to(options.device)
        boxes = [torch.cat([cell - side / 2, cell + side / 2], 1)]

        def decouple() -> None:
            shared, own = gfd.share(feats), gfd.address(sample_at(feats, roots), roots)
            cells = how_many(gfd.floats_to_read(), None, options.device)
            for chunk in people_and_rows(roots.image, 1, feats[0].shape[-2:], cells):
                gfd.read_scores([(*part_of(shared, own, chunk), None)])

        programs = {
            'GFD': decouple,
            'RoIAlign+': lambda: F.interpolate(roi_align(stack, boxes, PLUS), STAR, mode='bilinear'),
            'RoIAlign*': lambda: roi_align(stack, boxes, STAR)}
        with torch.no_grad():
            times = in_turns(programs, max(options.repeats // 2, 1), options.device)
        for name, time in times.items():
            yield Row('figure 5b', f'{people} people', f'{name}, ms', time, None)
