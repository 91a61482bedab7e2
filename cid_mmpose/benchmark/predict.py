"""The whole network in testing: end to end, in batches, by parts (figure 5a)."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import torch
from mmengine.structures import InstanceData
from mmpose.models.heads.heatmap_heads import cid_head
from torch import nn

from cid_mmpose.errors import BadInput
from cid_mmpose.models.fast import person_peaks
from cid_mmpose.models.fast.gfd import FactoredGFD

from .dekr import dekr_model
from .measure import Row, Stopwatch, agreement, in_turns
from .subjects import TEST_SIZE, mmpose_model, our_model, random_images, test_samples

FOLDED_PRECISIONS = ('float32', 'bfloat16')  # of the folded backbone


def predict(options: SimpleNamespace) -> Iterator[Row]:
    """The whole network with flip test on images of 704 x 512, of random pixels."""
    counts = (10, 30)
    if options.quick:
        counts = (30,)

    image = random_images(1, TEST_SIZE, options.device)
    for people in counts:
        yield from predict_people(options, image, people)
    yield from batches(options)


def predict_people(options: SimpleNamespace, image: torch.Tensor, people: int) -> Iterator[Row]:
    """Times, and how far the keypoints agree, of networks that find ``people`` people in the image (1, 3, h, w)."""
    case = f'{people} people'
    ours = our_model(people, options.checkpoint, options.device)
    mine = our_programs(ours, image, compiled=people == 30 and not options.quick)
    others = dict(mmpose=tester(mmpose_model(ours), image))
    if not options.quick:
        others['dekr'] = tester(dekr_model(ours, people), image)

    programs = dict(mine, **others)
    times = in_turns(programs, options.repeats, options.device)
    for name in mine:
        yield Row('predict', case, f'{name}, ms', times[name], times['mmpose'])
    if 'dekr' in times:
        yield Row('predict', case, "as it is, ms, beside MMPose's DEKR-W32", times['as it is'], times['dekr'])

    found = {name: first_people(program) for name, program in mine.items()}
    expected = first_people(others['mmpose'])
    for name, instances in found.items():
        if 'bfloat16' not in name:
            yield from agreement('predict', f'{case}, {name}', instances, expected)

    yield from half_error(case, found['as it is'], found['precision=bfloat16'])
    changed = heatmap_error(ours, image)
    yield Row('predict', case, 'bfloat16: largest change of the heatmaps', changed, None)


def first_people(program: Callable) -> InstanceData:
    """The people in the first image of a program of ``tester``."""
    samples = program()
    return samples[0].pred_instances


def our_programs(ours: nn.Module, image: torch.Tensor, compiled: bool) -> dict[str, Callable]:
    """Ours as it is and with the options of ``test_cfg``, by name; compiled ones only where torch.compile works."""
    programs = {'as it is': tester(ours, image)}
    for precision in FOLDED_PRECISIONS:
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
    """A call that predicts the people of some images.

    Args:
        model: ours or MMPose's.
        images: (B, 3, h, w).
        precision: of the folded backbone; None for the backbone as it is. This and what follows are for ours alone.
        mode: of ``compile``; None for none.
        heatmaps: whether the heatmaps are handed over too.
    """

    def call() -> list:
        model.test_cfg['flip_test'] = True
        if hasattr(model, 'other_keypoints'):  # ours
            model.test_cfg.update(precision=precision, insist=True, compile=mode, output_heatmaps=heatmaps)
        with torch.no_grad():
            return model.predict(images, test_samples(len(images), TEST_SIZE))

    return call


def half_error(case: str, full: InstanceData, half: InstanceData) -> Iterator[Row]:
    """What bfloat16 changes: distance of the keypoints of people who are matched by their nearest middle.

    Args:
        case: for the rows.
        full: people in float32, with ``keypoints`` (N, K, 2) in pixels and ``keypoint_scores`` (N, K).
        half: the same people in bfloat16.
    """
    middle = full.keypoints.mean(1)  # (N, 2)
    other_middle = half.keypoints.mean(1)
    distance = np.linalg.norm(middle[:, None] - other_middle, axis=-1)  # (N, N)
    nearest = distance.argmin(1)

    apart = np.abs(full.keypoints - half.keypoints[nearest]).max(-1)  # (N, K)
    moved = (apart > 2).mean()
    yield Row('predict', case, 'bfloat16: keypoints moved by more than 2 px, %', 100 * float(moved), None)

    score = np.abs(full.keypoint_scores - half.keypoint_scores[nearest]).max()
    yield Row('predict', case, 'bfloat16: largest change of a score', float(score), None)


def heatmap_error(ours: nn.Module, image: torch.Tensor) -> float:
    """The largest change of a heatmap that bfloat16 brings about for the people of the image (1, 3, h, w)."""
    maps = []
    for precision in FOLDED_PRECISIONS:
        program = tester(ours, image, precision, heatmaps=True)
        sample = program()[0]
        maps.append(sample.pred_fields.heatmaps)

    full, rounded = maps
    return float((full - rounded).abs().max())


def batches(options: SimpleNamespace, count: int = 8) -> Iterator[Row]:
    """Eight images in one call and one by one."""
    ours = our_model(10, options.checkpoint, options.device)
    images = random_images(count, TEST_SIZE, options.device)
    batch = tester(ours, images)
    singles = [tester(ours, image[None]) for image in images]
    found = {}  # of the last calls

    def together() -> None:
        found['together'] = batch()

    def one_by_one() -> None:
        found['apart'] = [single()[0] for single in singles]

    rounds = max(options.repeats // 2, 1)
    times = in_turns(dict(together=together, apart=one_by_one), rounds, options.device)
    for name, time in times.items():
        yield Row('predict', f'{count} images {name}', 'images/s', 1e3 * count / time.median, None)

    largest = 0.0  # pixels
    for one, other in zip(found['together'], found['apart']):
        steps = one.pred_instances.keypoints - other.pred_instances.keypoints
        largest = max(largest, np.abs(steps).max())
    yield Row('predict', f'{count} images', 'together against apart, px', float(largest), None)


def parts_of_time(options: SimpleNamespace) -> Iterator[Row]:
    """Figure 5a: where the time goes, against the number of people."""
    for people in options.counts:
        ours = our_model(people, options.checkpoint, options.device)
        theirs = mmpose_model(ours)
        image = random_images(1, TEST_SIZE, options.device)

        rounds = max(options.repeats // 2, 1)
        spent = time_parts([watched_ours(ours), watched_mmpose(theirs)], image, rounds)
        for name in spent[0]:
            yield Row('figure 5a', f'{people} people', f'{name}, ms', spent[0][name], spent[1][name])


class Watched(NamedTuple):
    """A network with the stopwatch of its parts."""

    model: nn.Module
    watch: Stopwatch


def watched_ours(model: nn.Module) -> Watched:
    """Our CID with a stopwatch."""
    head = model.head
    parts = dict(
        backbone=[(model, 'extract_feat')],
        IIA=[(head, '_centers')],
        GFD=[(FactoredGFD, 'image_terms'), (FactoredGFD, 'person_terms'), (FactoredGFD, 'scores')],
        decode=[(person_peaks, 'smooth'), (person_peaks, 'find_peaks'), (head.decoder, 'decode_peaks')],
    )
    return Watched(model, Stopwatch(parts, device_of(model)))


def watched_mmpose(model: nn.Module) -> Watched:
    """MMPose's CID with a stopwatch, whose parts have the names of ours."""
    head = model.head
    parts = dict(
        backbone=[(model, 'extract_feat')],
        IIA=[(head.iia_module, 'forward_test')],
        GFD=[(head.gfd_module, 'forward')],
        decode=[(cid_head, 'smooth_heatmaps'), (head, 'decode')],
    )
    return Watched(model, Stopwatch(parts, device_of(model)))


def device_of(model: nn.Module) -> torch.device:
    """Where a network is."""
    return next(model.parameters()).device


def time_parts(programs: list[Watched], image: torch.Tensor, rounds: int) -> list[dict[str, float]]:
    """Tests networks in turns, after one call of each to warm up.

    Args:
        programs: the networks.
        image: (1, 3, h, w).
        rounds: calls of each.

    Returns:
        For each network, part -> median of its milliseconds.
    """
    calls = [tester(program.model, image) for program in programs]
    for call in calls:
        call()

    taken = [[] for _ in programs]  # part -> milliseconds, of each round
    for _ in range(rounds):
        for call, program, of_program in zip(calls, programs, taken):
            with program.watch:
                call()
            of_program.append(program.watch.spent)

    return [median_of_parts(of_program) for of_program in taken]


def median_of_parts(rounds: list[dict[str, float]]) -> dict[str, float]:
    """part -> median of its milliseconds over the rounds."""
    medians = {}
    for name in rounds[0]:
        times = [spent[name] for spent in rounds]
        medians[name] = float(np.median(times))
    return medians
