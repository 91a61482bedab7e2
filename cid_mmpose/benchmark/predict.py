"""The whole network in testing: end to end, in batches, by parts (figure 5a)."""
from types import SimpleNamespace
from typing import Callable, Iterator, Optional

import numpy as np
import torch
from mmpose.models.heads.heatmap_heads import cid_head
from torch import nn

from cid_mmpose.models import read_peaks

from .dekr import dekr_model
from .measure import Row, Stopwatch, agreement, in_turns
from .subjects import TEST_SIZE, mmpose_model, our_model, test_samples


def predict(options: SimpleNamespace) -> Iterator[Row]:
    """The whole network with flip test on pictures of 704 x 512, of random pixels."""
    for people in (10, 30):
        ours = our_model(people, options.checkpoint, options.device)
        theirs = mmpose_model(ours)
        picture = torch.randn(1, 3, *TEST_SIZE[::-1], device=options.device)
        programs = dict(ours=tester(ours, picture), mmpose=tester(theirs, picture),
                        bfloat16=tester(ours, picture, 'bfloat16'), dekr=tester(dekr_model(ours, people), picture))
        times = in_turns(programs, options.repeats, options.device)
        case = f'{people} people'
        yield Row('predict', case, 'float32, ms', times['ours'], times['mmpose'])
        yield Row('predict', case, 'bfloat16 backbone, ms', times['bfloat16'], times['mmpose'])
        yield Row('predict', case, "float32, ms, beside MMPose's DEKR-W32", times['ours'], times['dekr'])
        mine, half, other = (programs[name]()[0] for name in ('ours', 'bfloat16', 'mmpose'))
        yield from agreement('predict', case, mine.pred_instances, other.pred_instances)
        yield from half_error(case, mine, half)
        full, rounded = (tester(ours, picture, precision, True)()[0].pred_fields.heatmaps
                         for precision in ('float32', 'bfloat16'))
        changed = float((full - rounded).abs().max())
        yield Row('predict', case, 'bfloat16: largest change of the heatmaps', changed, None)
    yield from batches(options)


def tester(model: nn.Module, pictures: torch.Tensor, precision: Optional[str] = 'float32',
           heatmaps: bool = False) -> Callable:
    """A call that predicts the people of ``pictures`` (B, 3, h, w)."""
    def call() -> list:
        model.test_cfg['flip_test'] = True
        if hasattr(model, 'other_joints'):  # ours
            model.test_cfg.update(precision=precision, output_heatmaps=heatmaps)
        with torch.no_grad():
            return model.predict(pictures, test_samples(len(pictures), TEST_SIZE))
    return call


def half_error(case: str, full, half) -> Iterator[Row]:
    """What bfloat16 changes: distance of the keypoints of people who are matched by their nearest middle."""
    one, other = full.pred_instances, half.pred_instances
    middle = [people.keypoints.mean(1) for people in (one, other)]
    nearest = np.linalg.norm(middle[0][:, None] - middle[1], axis=-1).argmin(1)
    apart = np.abs(one.keypoints - other.keypoints[nearest]).max(-1)
    yield Row('predict', case, 'bfloat16: keypoints moved by more than 2 px, %', 100 * float((apart > 2).mean()), None)
    score = np.abs(one.keypoint_scores - other.keypoint_scores[nearest]).max()
    yield Row('predict', case, 'bfloat16: largest change of a score', float(score), None)


def batches(options: SimpleNamespace, count: int = 8) -> Iterator[Row]:
    """Eight pictures in one call and one by one."""
    ours = our_model(10, options.checkpoint, options.device)
    pictures = torch.randn(count, 3, *TEST_SIZE[::-1], device=options.device)
    programs = dict(together=tester(ours, pictures), apart=lambda: [tester(ours, one[None])()[0] for one in pictures])
    times = in_turns(programs, max(options.repeats // 2, 1), options.device)
    for name, time in times.items():
        yield Row('predict', f'{count} pictures {name}', 'pictures/s', 1e3 * count / time.median, None)
    found = [[one.pred_instances for one in program()] for program in programs.values()]
    apart = max(np.abs(one.keypoints - other.keypoints).max() for one, other in zip(*found))
    yield Row('predict', f'{count} pictures', 'together against apart, px', float(apart), None)


def parts_of_time(options: SimpleNamespace) -> Iterator[Row]:
    """Figure 5a: where the time goes, against the number of people."""
    for people in options.counts:
        ours = our_model(people, options.checkpoint, options.device)
        theirs = mmpose_model(ours)
        picture = torch.randn(1, 3, *TEST_SIZE[::-1], device=options.device)
        watches = [
            Stopwatch(dict(backbone=[(ours, 'extract_feat')], IIA=[(ours.head.iia, 'center')],
                           GFD=[(ours.head.gfd, name) for name in ('share', 'address', 'read_scores')],
                           decode=[(read_peaks, 'smooth'), (read_peaks, 'find_peaks'),
                                   (ours.head.decoder, 'decode_peaks')]), options.device),
            Stopwatch(dict(backbone=[(theirs, 'extract_feat')], IIA=[(theirs.head.iia_module, 'forward_test')],
                           GFD=[(theirs.head.gfd_module, 'forward')],
                           decode=[(cid_head, 'smooth_heatmaps'), (theirs.head, 'decode')]),
                      options.device)]
        for model in (ours, theirs):
            tester(model, picture)()   # to warm up
        spent = [{name: [] for name in watches[0].parts} for _ in watches]
        for _ in range(max(options.repeats // 2, 1)):
            for mine, watch, model in zip(spent, watches, (ours, theirs)):
                with watch:
                    tester(model, picture)()
                for name, taken in watch.spent.items():
                    mine[name].append(taken)
        for name in watches[0].parts:
            yield Row('figure 5a', f'{people} people', f'{name}, ms', *(float(np.median(m[name])) for m in spent))
