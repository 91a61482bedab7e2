"""The whole network in testing: end to end, in batches, by parts (figure 5a)."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import numpy as np
import torch
from mmpose.models.heads.heatmap_heads import cid_head
from torch import nn

from cid_mmpose.errors import BadInput
from cid_mmpose.models.fast import read_peaks
from cid_mmpose.models.fast.gfd import FactoredGFD

from .dekr import dekr_model
from .measure import Row, Stopwatch, agreement, in_turns
from .subjects import TEST_SIZE, mmpose_model, our_model, test_samples

PRECISIONS = ('float32', 'bfloat16')  # of the folded backbone


def predict(options: SimpleNamespace) -> Iterator[Row]:
    """The whole network with flip test on images of 704 x 512, of random pixels."""
    image = torch.randn(1, 3, *TEST_SIZE[::-1], device=options.device)
    for people in (30,) if options.quick else (10, 30):
        case = f'{people} people'
        ours = our_model(people, options.checkpoint, options.device)
        mine = our_programs(ours, image, compiled=people == 30 and not options.quick)
        others = dict(mmpose=tester(mmpose_model(ours), image))
        if not options.quick:
            others['dekr'] = tester(dekr_model(ours, people), image)
        times = in_turns({**mine, **others}, options.repeats, options.device)
        for name in mine:
            yield Row('predict', case, f'{name}, ms', times[name], times['mmpose'])
        if 'dekr' in times:
            yield Row('predict', case, "as it is, ms, beside MMPose's DEKR-W32", times['as it is'], times['dekr'])
        found = {name: program()[0] for name, program in mine.items()}
        expected = others['mmpose']()[0].pred_instances
        for name in mine:
            if 'bfloat16' not in name:
                yield from agreement('predict', f'{case}, {name}', found[name].pred_instances, expected)
        yield from half_error(case, found['as it is'], found['precision=bfloat16'])
        full, rounded = (
            tester(ours, image, precision, heatmaps=True)()[0].pred_fields.heatmaps for precision in PRECISIONS
        )
        changed = float((full - rounded).abs().max())
        yield Row('predict', case, 'bfloat16: largest change of the heatmaps', changed, None)
    yield from batches(options)


def our_programs(ours: nn.Module, image: torch.Tensor, compiled: bool) -> dict[str, Callable]:
    """Ours as it is and with the options of ``test_cfg``, by name; compiled ones only where torch.compile works."""
    programs = {'as it is': tester(ours, image)}
    for precision in PRECISIONS:
        programs[f'precision={precision}'] = tester(ours, image, precision)
        program = tester(ours, image, precision, 'default')
        if compiled and works(program):
            programs[f'precision={precision}, compile=default'] = program
    return programs


def works(program: Callable) -> bool:
    """Whether a program can be run here; what it lacks is printed."""
    try:
        program()
    except BadInput as error:
        print(f'left out: {error}')
        return False
    return True


def tester(
    model: nn.Module,
    images: torch.Tensor,
    precision: str | None = None,
    mode: str | None = None,
    heatmaps: bool = False,
) -> Callable:
    """A call that predicts the people of ``images`` (B, 3, h, w)."""

    def call() -> list:
        model.test_cfg['flip_test'] = True
        if hasattr(model, 'other_keypoints'):  # ours
            model.test_cfg.update(precision=precision, insist=True, compile=mode, output_heatmaps=heatmaps)
        with torch.no_grad():
            return model.predict(images, test_samples(len(images), TEST_SIZE))

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
    """Eight images in one call and one by one."""
    ours = our_model(10, options.checkpoint, options.device)
    images = torch.randn(count, 3, *TEST_SIZE[::-1], device=options.device)
    found = {}  # of the last calls
    programs = dict(
        together=lambda: found.update(together=tester(ours, images)()),
        apart=lambda: found.update(apart=[tester(ours, one[None])()[0] for one in images]),
    )
    times = in_turns(programs, max(options.repeats // 2, 1), options.device)
    for name, time in times.items():
        yield Row('predict', f'{count} images {name}', 'images/s', 1e3 * count / time.median, None)
    apart = max(
        np.abs(one.pred_instances.keypoints - other.pred_instances.keypoints).max()
        for one, other in zip(*found.values())
    )
    yield Row('predict', f'{count} images', 'together against apart, px', float(apart), None)


def parts_of_time(options: SimpleNamespace) -> Iterator[Row]:
    """Figure 5a: where the time goes, against the number of people."""
    for people in options.counts:
        ours = our_model(people, options.checkpoint, options.device)
        theirs = mmpose_model(ours)
        image = torch.randn(1, 3, *TEST_SIZE[::-1], device=options.device)
        watches = [
            Stopwatch(
                dict(
                    backbone=[(ours, 'extract_feat')],
                    IIA=[(ours.head, '_center')],
                    GFD=[(FactoredGFD, name) for name in ('image_terms', 'person_terms', 'scores')],
                    decode=[(read_peaks, 'smooth'), (read_peaks, 'find_peaks'), (ours.head.decoder, 'decode_peaks')],
                ),
                options.device,
            ),
            Stopwatch(
                dict(
                    backbone=[(theirs, 'extract_feat')],
                    IIA=[(theirs.head.iia_module, 'forward_test')],
                    GFD=[(theirs.head.gfd_module, 'forward')],
                    decode=[(cid_head, 'smooth_heatmaps'), (theirs.head, 'decode')],
                ),
                options.device,
            ),
        ]
        for model in (ours, theirs):
            tester(model, image)()  # to warm up
        spent = [{name: [] for name in watches[0].parts} for _ in watches]
        for _ in range(max(options.repeats // 2, 1)):
            for mine, watch, model in zip(spent, watches, (ours, theirs)):
                with watch:
                    tester(model, image)()
                for name, taken in watch.spent.items():
                    mine[name].append(taken)
        for name in watches[0].parts:
            yield Row('figure 5a', f'{people} people', f'{name}, ms', *(float(np.median(m[name])) for m in spent))
