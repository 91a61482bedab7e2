"""The benchmark: its statistics, that both programs do the same work, and what it writes. No test of times."""

import csv
import json
import mmap
import re
from types import ModuleType, SimpleNamespace
from unittest import mock

import cv2
import numpy as np
import pytest
import torch

from cid_mmpose.benchmark import device, inference, predict, run, subjects
from cid_mmpose.benchmark.dekr import AdaptiveBlock, dekr_model
from cid_mmpose.benchmark.head import head
from cid_mmpose.benchmark.measure import Row, Stopwatch, Timing, agreement, in_turns, peak_mib, summarise
from cid_mmpose.benchmark.report import line_of, write
from cid_mmpose.cli import main as cid
from cid_mmpose.errors import BadInput

CPU = torch.device('cpu')


def test_median_and_quartiles_worked_out_by_hand():
    assert summarise([5.0, 1.0, 4.0, 2.0, 3.0]) == Timing(3.0, 1.5, 4.5)
    assert summarise([7.0]) == Timing(7.0, 7.0, 7.0)


def test_programs_are_called_in_turns_after_one_call_to_warm_up():
    calls = []
    times = in_turns(dict(a=lambda: calls.append('a'), b=lambda: calls.append('b')), 2, CPU)
    assert ''.join(calls) == 'abababab'[:6] and set(times) == {'a', 'b'}


class Clock:
    """In the place of the module ``time``: it goes on by what is slept, and by nothing else."""

    def __init__(self) -> None:
        self.now = 0.0  # seconds

    def perf_counter(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> str:
        self.now += seconds
        return 'up'


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """What the benchmark takes for the time."""
    made = Clock()
    monkeypatch.setattr('cid_mmpose.benchmark.measure.time', made)
    return made


def test_the_time_of_several_calls_in_a_row_is_that_of_one(clock):
    calls = []
    time_of_one = in_turns(dict(a=lambda: calls.append(clock.sleep(0.01))), 1, CPU, calls=5)['a'].median
    assert len(calls) == 1 + 5 and time_of_one == pytest.approx(10)


def test_the_ratio_is_mmposes_median_over_ours_and_there_is_none_without_two_numbers():
    assert Row('p', 'c', 'm', Timing(2.0, 1.0, 3.0), Timing(9.0, 8.0, 10.0)).ratio == 4.5
    assert Row('p', 'c', 'm', 4.0, 2.0).ratio == 0.5
    assert Row('p', 'c', 'm', 4.0, None).ratio is None and Row('p', 'c', 'm', 0.0, 1.0).ratio is None


@pytest.mark.skipif(not __import__('os').path.exists('/proc/self/clear_refs'), reason='Linux tells the peak')
def test_the_peak_of_a_call_counts_what_it_gave_back_again():
    peak = peak_mib(lambda: torch.ones(64 * 2**18).sum(), CPU)  # 64 MiB
    assert 60 < peak < 80


def test_a_stopwatch_adds_up_and_leaves_the_methods_as_they_were(clock):
    with Stopwatch(dict(naps=[(clock, 'sleep')]), CPU) as watch:
        assert [clock.sleep(0.02), clock.sleep(0.03)] == ['up', 'up']
    clock.sleep(1)  # no longer under the watch
    assert watch.spent == dict(naps=pytest.approx(50)) and 'sleep' not in vars(clock)


def test_a_stopwatch_takes_functions_of_modules_too(clock):
    module = ModuleType('bedroom')
    module.sleep = sleep = clock.sleep
    with Stopwatch(dict(naps=[(module, 'sleep')]), CPU) as watch:
        module.sleep(0.02)
    assert watch.spent == dict(naps=pytest.approx(20)) and module.sleep == sleep


@pytest.mark.slow
def test_every_part_of_figure_5a_takes_time_in_both_programs(monkeypatch):
    for module in ('subjects', 'predict'):
        monkeypatch.setattr(f'cid_mmpose.benchmark.{module}.TEST_SIZE', (128, 96))
    found = list(predict.parts_of_time(SimpleNamespace(device=CPU, counts=(3,), repeats=1, checkpoint=None)))
    assert [row.measure for row in found] == ['backbone, ms', 'IIA, ms', 'GFD, ms', 'decode, ms']
    assert all(row.ours > 0 and row.mmpose > 0 for row in found)


def test_agreement_matches_people_by_place_and_counts_moved_keypoints():
    keypoints = np.arange(12.0).reshape(3, 2, 2)
    ours = SimpleNamespace(keypoints=keypoints[[2, 0, 1]] + [[[0, 0], [0, 0.5]], [[0, 0]] * 2, [[0, 0]] * 2])
    mmpose = SimpleNamespace(keypoints=keypoints)
    largest, moved = agreement('p', 'c', ours, mmpose)
    assert largest.ours == 0.5 and moved.ours == pytest.approx(100 / 6)


@pytest.fixture(scope='module')
def rows():
    options = SimpleNamespace(device=CPU, counts=(3,), repeats=1)
    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:  # small maps
        for module in ('subjects', 'head'):
            patch.setattr(f'cid_mmpose.benchmark.{module}.TEST_SIZE', (128, 96))
        patch.setattr('cid_mmpose.benchmark.head.train_head', lambda options: ())
        return list(head(options))


def test_both_heads_find_the_people_asked_for_and_the_same_keypoints(rows):
    by_measure = {row.measure: row for row in rows}
    assert 'people found' not in by_measure
    assert by_measure['largest distance to MMPose, px'].ours < 0.01
    assert by_measure['testing with flip, ms'].ratio > 0


@pytest.mark.slow
def test_the_losses_of_both_heads_are_the_same_so_the_steps_do_the_same_work():
    rng = np.random.default_rng(0)
    scenes = [subjects.crowd(rng, 4) for _ in range(2)]
    ours = subjects.our_model(30, None, CPU)
    theirs = subjects.mmpose_model(ours)
    maps = subjects.branches(2, subjects.TRAIN_SIZE, CPU)
    from cid_mmpose.benchmark.head import STACK

    with mock.patch('cid_mmpose.codecs.size_adaptive.jitter', lambda position, *_: position):  # seeds stay at roots
        mine = ours.head.loss(maps, [subjects.our_sample(scene) for scene in scenes])
    with mock.patch('numpy.random.randint', lambda low, high, shape: np.zeros(shape, int)):
        expected = theirs.head.loss(STACK(maps), [subjects.mmpose_sample(scene) for scene in scenes])
    assert mine['loss_crowd'].item() == pytest.approx(expected['loss/heatmap_coupled'].item(), rel=1e-4)
    assert mine['loss_person'].item() == pytest.approx(expected['loss/heatmap_decoupled'].item(), rel=1e-4)


def test_the_block_of_dekr_is_a_convolution_where_nothing_is_moved_and_reads_where_it_is_told_to():
    block = AdaptiveBlock(4, groups=2).eval()
    for parameter in block.transform_matrix_conv.parameters():
        torch.nn.init.zeros_(parameter)
    features = torch.randn(1, 4, 5, 6)
    plain = torch.nn.functional.conv2d(features, block.adapt_conv.weight, padding=1, groups=2)
    scale = (1 + block.norm.eps) ** -0.5
    torch.testing.assert_close(block(features), (plain * scale + features).relu())
    block.transform_matrix_conv.bias.data.view(2, 2, 3)[:, 1, 2] = 1  # every tap one cell to the right
    moved = torch.nn.functional.conv2d(features, block.adapt_conv.weight, padding=(1, 2), groups=2)[..., 2:]
    torch.testing.assert_close(block(features), (moved * scale + features).relu())


@pytest.mark.slow
def test_dekr_is_built_on_our_backbone_and_finds_the_people_asked_for():
    ours = subjects.our_model(3, None, CPU)
    dekr = dekr_model(ours, 3)
    assert torch.equal(dekr.backbone.conv1.weight, ours.backbone.conv1.weight)
    found = predict.tester(dekr, torch.randn(1, 3, *subjects.TEST_SIZE[::-1]))()
    assert found[0].pred_instances.keypoints.shape[1:] == (17, 2) and 1 <= len(found[0].pred_instances) <= 3


def test_tables_and_figures_are_written_and_read_again(tmp_path):
    rows = [
        Row('head', '30 people', 'testing with flip, ms', Timing(2.0, 1.0, 3.0), Timing(9.0, 8.0, 10.0)),
        Row('figure 5a', '1 people', 'GFD, ms', 1.0, 2.0),
        Row('figure 5a', '9 people', 'GFD, ms', 2.0, 9.0),
        Row('figure 5b', '1 people', 'RoIAlign+, ms', Timing(2.0, 2.0, 2.0), None),
    ]
    paths = write(rows, dict(cpu='x'), tmp_path)
    assert [path.name for path in paths] == ['benchmark.csv', 'benchmark.json', 'figure_5a.png', 'figure_5b.png']
    assert all(path.stat().st_size > 100 for path in paths)
    assert run.read_rows(tmp_path / 'benchmark.json') == rows
    with open(tmp_path / 'benchmark.csv', newline='', encoding='utf-8') as file:
        assert [line['ratio'] for line in csv.DictReader(file)] == ['4.5', '2.0', '4.5', '']
    assert json.loads((tmp_path / 'benchmark.json').read_text())['machine'] == dict(cpu='x')


def test_the_ratio_of_the_tuned_allocator_stands_in_brackets():
    row = Row('head', '30 people', 'ms', 2.0, 9.0)
    assert line_of(row, row._replace(mmpose=5.0)).endswith('4.5x (2.5x)')
    assert line_of(row).endswith('4.5x')


@pytest.mark.parametrize(
    'words',
    [
        ['everything'],
        ['head', '--threads', '0'],
        ['head', '--repeats', '0'],
        ['head', '--device', 'gpu'],
        ['head', '--device', 'meta'],
        ['head', '--out', __file__],
        ['head', '--allocator', 'mine'],
        [],
        ['head', '--checkpoint', 'x.pth'],
        ['predict', '--curves'],
        ['predict', '--images', '.'],
        ['inference', '--images', __file__],
    ],
)
def test_unknown_words_are_refused(words, capsys):
    with pytest.raises(SystemExit) as caught:
        cid(['benchmark', *words])
    assert caught.value.code == 2 and 'error: ' in capsys.readouterr().err.splitlines()[-1]


def test_a_torch_that_does_not_count_operations_measures_the_other_parts(monkeypatch, capsys):
    monkeypatch.setattr(run, 'FlopCounterMode', None)
    assert list(run.parts_of('all')) == ['targets', 'head', 'predict', 'train', 'roialign']
    assert capsys.readouterr().out.startswith(f'table3 is left out: torch {torch.__version__} does not count')
    with pytest.raises(BadInput, match='table3: torch .* does not count operations, 2.1 and newer do; measure another'):
        run.parts_of('table3')


def test_a_folder_that_cannot_be_made_is_named_before_anything_is_measured(tmp_path, capsys):
    (tmp_path / 'file').touch()
    with pytest.raises(SystemExit):
        cid(['benchmark', 'targets', '--out', str(tmp_path / 'file' / 'deeper')])
    said = capsys.readouterr().err
    assert re.fullmatch(r'error: --out: .*file/deeper cannot be made .*; give another folder\n', said)


def test_what_the_call_costs_over_its_network_is_the_median_of_the_rounds():
    # rounds of 10, 20 and 50 %, slowed down by 1, 3 and 2
    assert inference.overhead([1.1, 3.6, 3.0], [1.0, 3.0, 2.0]) == pytest.approx(20)


def test_rounds_take_a_few_images_each_and_times_are_those_of_one_image(clock):
    calls = []

    def programs(piece):
        return dict(a=lambda: calls.append((piece, clock.sleep(0.01 * len(piece)))))

    options = SimpleNamespace(repeats=2, device=CPU)
    taken = inference.of_an_image(programs, options, ['0', '1', '2', '3', '4'], 2)
    assert taken['a'] == pytest.approx([10] * 6)
    assert [''.join(piece) for piece, _ in calls] == ['01', '01', '01', '23', '23', '4', '4']  # the first to warm up


@pytest.mark.skipif(not __import__('os').path.exists('/proc/self/clear_refs'), reason='Linux tells the peak')
@pytest.mark.slow
def test_memory_is_measured_over_the_files_and_frames_of_a_run(monkeypatch):
    pytest.importorskip('av')
    monkeypatch.setattr(inference, 'FEW', 20)
    rows = list(inference.memory(SimpleNamespace(quick=True, device=CPU)))
    assert [row.case for row in rows[::2]] == ['20 images of 96 x 64 px', '20 frames of 96 x 64 px']
    assert all(row.ours > 100 for row in rows[::2]) and all(abs(row.ours) < 100 for row in rows[1::2])


@pytest.mark.skipif(not __import__('os').path.exists('/proc/self/clear_refs'), reason='Linux tells the peak')
def test_memory_that_is_kept_for_each_image_is_seen(monkeypatch):
    kept = []

    def people_of(self, *_):
        for number in range(40):
            kept.append(mmap.mmap(-1, 2**21))  # 2 MiB from the system itself
            kept[-1].write(b'1' * 2**21)
            yield number

    monkeypatch.setattr('cid_mmpose.inference.finder.PeopleFinder.people_of', people_of)
    watched = inference.WatchedPredictor.__new__(inference.WatchedPredictor)
    watched.num_expected = 40
    assert len(list(watched.people_of())) == 40
    first, second = watched.peaks
    assert 30 < second - first < 60


def test_images_are_those_of_the_folder_or_drawn_ones(tmp_path):
    options = SimpleNamespace(quick=True, images=None)
    drawn = inference.image_paths(options, tmp_path)
    assert len(drawn) == inference.FEW_IMAGES and [cv2.imread(path).shape for path in drawn] == [(480, 640, 3)] * 6
    options.images = tmp_path
    assert sorted(inference.image_paths(options, tmp_path)) == sorted(drawn)


@pytest.mark.slow
def test_the_call_and_mmposes_inferencer_find_the_same_people(monkeypatch):
    monkeypatch.setattr(inference, 'FEW_IMAGES', 1)
    monkeypatch.setattr(inference, 'FEW', 20)
    options = SimpleNamespace(quick=True, images=None, device=CPU, repeats=1, checkpoint=None)
    rows = {(row.case, row.measure): row for row in inference.inference(options)}
    assert rows['1 images', 'largest distance to MMPose, px'].ours < 0.01
    for case in ('1 images, batch 1', '1 images, batch 8'):
        assert rows[case, 'from file to people, ms an image'].ratio > 0


class OneWeight(torch.nn.Module):
    """Trains as a pose estimator does; its loss is a square times ``factor``."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))
        self.factor = factor

    def loss(self, images: torch.Tensor, samples: list) -> dict:
        return dict(loss=self.factor * self.weight**2)


def test_training_on_a_device_brings_the_loss_down_or_the_check_fails(monkeypatch):
    options = SimpleNamespace(device=torch.device('cpu'), repeats=1)
    monkeypatch.setattr(device, 'untrained_model', lambda place: OneWeight(1.0))
    measured = {row.measure: row.ours for row in device.training_steps(options)}
    assert measured['first loss'] == 1 > measured[f'loss after {device.STEPS} steps'] > 0.99
    monkeypatch.setattr(device, 'untrained_model', lambda place: OneWeight(float('nan')))
    with pytest.raises(ArithmeticError, match='2 images, float32: the loss went from nan to nan'):
        list(device.training_steps(options))
