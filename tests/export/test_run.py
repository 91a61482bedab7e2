"""An exported file says what torch says, or is not there."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import cid_mmpose
from cid_mmpose.errors import BadInput
from tests.helpers.exported import needs_exporter, smooth_images, tiny_export
from tests.helpers.images import ROOT, tiny_config
from tests.helpers.random_weights import random_checkpoint

needs_exporter()
import onnx  # noqa: E402  where it is installed

from cid_mmpose.export import accuracy  # noqa: E402
from cid_mmpose.export import run as module  # noqa: E402
from cid_mmpose.export.accuracy import AccuracyOptions  # noqa: E402
from cid_mmpose.export.network import ExportedCID  # noqa: E402
from cid_mmpose.export.options import ExportOptions  # noqa: E402
from cid_mmpose.export.run import export  # noqa: E402
from cid_mmpose.export.tensorrt_engine import problems_of  # noqa: E402

SIZES = [(160, 120), (96, 96), (300, 200), (128, 400), (333, 90)]  # (w, h) of images
EVERYONE = dict(min_score=0.0, nms=1.0, device='cpu')


@pytest.fixture(scope='module')
def wrong(checkpoint, tmp_path_factory) -> str:
    """A file whose graph normalises images wrongly; of two people, without flip."""
    right = ExportedCID._normalised
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ExportedCID, '_normalised', lambda self, images: right(self, images) * 1.5)
        patch.setattr(module, 'check', lambda *given: None)
        return tiny_export(tmp_path_factory.mktemp('wrong'), checkpoint, max_people=2, flip=False)


def assert_same(one, other):
    """The same people in the same order: no keypoint is further off than 0.01 px."""
    assert len(one) == len(other) > 0
    assert np.abs(one.keypoints - other.keypoints).max() < 0.01
    assert np.abs(one.boxes - other.boxes).max() < 0.01
    assert np.abs(one.centers - other.centers).max() < 0.01
    assert np.abs(one.keypoint_scores - other.keypoint_scores).max() < 1e-5
    assert np.abs(one.scores - other.scores).max() < 1e-5
    assert one.keypoint_set.names == other.keypoint_set.names and one.image_size == other.image_size


@pytest.mark.parametrize('size', SIZES)
def test_images_of_any_size_show_the_same_people_to_the_file_and_to_torch(checkpoint, exported, size):
    (image,) = smooth_images(size)
    torch_model = cid_mmpose.load(checkpoint, max_people=12, **EVERYONE)
    assert_same(cid_mmpose.load(exported, **EVERYONE)(image)[0], torch_model(image)[0])


def test_another_short_side_is_as_in_torch(checkpoint, exported):
    (image,) = smooth_images((160, 120))
    torch_model = cid_mmpose.load(checkpoint, max_people=12, size=192, **EVERYONE)
    assert_same(cid_mmpose.load(exported, size=192, **EVERYONE)(image)[0], torch_model(image)[0])


def test_fewer_people_and_nms_are_as_in_torch(checkpoint, exported):
    (image,) = smooth_images((160, 120))
    options = dict(EVERYONE, max_people=5, nms=0.02)
    found = cid_mmpose.load(exported, **options)(image)[0]
    assert 0 < len(found) < 5
    assert_same(found, cid_mmpose.load(checkpoint, **options)(image)[0])


def test_four_images_at_a_time_show_whom_they_show_one_by_one(exported):
    images = smooth_images(*[(160, 120)] * 4)
    together = cid_mmpose.load(exported, batch_size=4, **EVERYONE)(images)
    alone = cid_mmpose.load(exported, **EVERYONE)(images)
    for one, other in zip(together, alone):
        assert_same(one, other)
    assert not np.allclose(alone[0].keypoints, alone[1].keypoints)


@pytest.mark.slow
@pytest.mark.parametrize(
    'options',
    [
        dict(fixed_size=(160, 96), batch=2),
        dict(max_people=300, flip=False),
    ],
)
def test_a_graph_of_other_options_says_what_torch_says(checkpoint, tmp_path, monkeypatch, options):
    monkeypatch.setattr(
        'cid_mmpose.export.heatmaps.CHUNK', 80
    )  # of six people each the graph of 300 takes five minutes to write
    path = tiny_export(tmp_path, checkpoint, **options)
    graph = onnx.load(path).graph
    (shape,) = [[side.dim_value for side in each.type.tensor_type.shape.dim] for each in graph.input]
    width, height = options.get('fixed_size', (0, 0))
    assert shape == [options.get('batch', 0), height, width, 3]
    assert problems_of(Path(path)) == []
    if options.get('batch'):
        images = smooth_images((160, 120), (50, 200), (100, 100))
        model = cid_mmpose.load(path, **EVERYONE)
        assert [len(people) > 0 for people in model(images)] == [True] * 3


def test_a_graph_without_flip_says_what_torch_says(checkpoint, exported_without_flip):
    images = smooth_images((160, 120))
    torch_model = cid_mmpose.load(checkpoint, max_people=12, flip=False, **EVERYONE)
    assert_same(cid_mmpose.load(exported_without_flip, **EVERYONE)(images)[0], torch_model(images)[0])
    assert problems_of(Path(exported_without_flip)) == []


@pytest.mark.slow
@pytest.mark.parametrize('recalibration', ['spatial', 'channel'])
def test_the_models_of_table_1_are_exported(tmp_path, recalibration):
    weights = random_checkpoint(
        tmp_path / 'tiny.pth',
        tiny_config(96),
        **{'model.head.recalibration': recalibration, 'model.head.gfd_channels': 8},
    )
    assert Path(tiny_export(tmp_path, weights)).is_file()


def test_the_file_says_what_it_needs_to_be_used(checkpoint, exported):
    proto = onnx.load(exported)
    assert [entry.key for entry in proto.metadata_props] == ['cid_mmpose', 'cid_mmpose_sha256']
    said = json.loads(proto.metadata_props[0].value)
    assert said['keypoint_set']['names'][:2] == ['nose', 'left_eye'] and len(said['keypoint_set']['sigmas']) == 17
    assert np.allclose(said['normalisation']['mean'], [123.675, 116.28, 103.53])
    assert said['normalisation']['colors'] == 'rgb'
    assert said['resizing']['input_size'] == [96, 96]
    assert (said['max_people'], said['flip'], said['precision'], said['license']) == (12, True, 'float32', 'Apache-2.0')
    assert said['made_by']['cid_mmpose'] == cid_mmpose.__version__ and said['model'] == checkpoint
    assert len(said['weights_sha256']) == len(said['config_sha256']) == 64
    assert proto.opset_import[0].version == said['opset'] == 18
    assert problems_of(Path(exported)) == []


@pytest.mark.slow
def test_openvinos_files_say_what_torch_says(checkpoint, exported, write_graph_of, tmp_path):
    pytest.importorskip('openvino', reason='needs the extra [openvino]')
    write_graph_of(exported)
    path = tiny_export(tmp_path, checkpoint, 'tiny.xml')
    assert sorted(each.name for each in tmp_path.iterdir()) == ['tiny.bin', 'tiny.xml']
    (image,) = smooth_images((160, 120))
    torch_model = cid_mmpose.load(checkpoint, max_people=12, **EVERYONE)
    assert_same(cid_mmpose.load(path, **EVERYONE)(image)[0], torch_model(image)[0])

    weights = (tmp_path / 'tiny.bin').read_bytes()
    (tmp_path / 'tiny.bin').write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    with pytest.raises(BadInput, match='tiny.xml: its sha256 is not the one .*: it or tiny.bin was changed'):
        cid_mmpose.load(path, **EVERYONE)


@pytest.mark.slow
def test_half_precision_makes_half_the_file(checkpoint, exported_without_flip, tmp_path):
    path = tiny_export(tmp_path, checkpoint, precision='float16', flip=False)
    assert 0.4 < Path(path).stat().st_size / Path(exported_without_flip).stat().st_size < 0.9


@pytest.fixture
def judged(checkpoint, wrong, write_graph_of, tmp_path, monkeypatch):
    """Exports a graph that says something else than torch; AP of torch and of the file are these figures."""
    write_graph_of(wrong)

    def make(precision: str, *figures: float):
        waiting = iter(figures)
        monkeypatch.setattr(accuracy, 'average_precision', lambda model, items: next(waiting))
        options = ExportOptions(min_score=0.0, max_people=2, flip=False, precision=precision)
        images = smooth_images((160, 120))
        by_ap = AccuracyOptions() if figures else None
        return export(checkpoint, tmp_path / 'a.onnx', options=options, images=images, accuracy=by_ap)

    return make


def test_half_precision_is_judged_by_ap_where_data_are_given(judged, tmp_path):
    said = judged('float16', 80, 79).text()
    assert said.endswith('; AP 80.00 in torch and 79.00 through the file on 200 images of drawn people')
    assert ' MiB; as torch: 6 images, 12 people ' in said
    assert [each.name for each in tmp_path.iterdir()] == ['a.onnx']


@pytest.mark.parametrize(
    'precision, figures, message',
    [
        (
            'float16',
            (80, 78.99),
            r'a.onnx: float16 costs 1.01, more than 1 AP \(AP of torch .* 80.00 on drawn people\)',
        ),
        ('float16', (), 'says something else than torch and was not written: .*; give --data to judge the file by its'),
        ('float32', (80, 80), 'says something else than torch and was not written: .* keypoints moved'),
        ('float32', (), 'says something else than torch and was not written: .* keypoints moved'),
    ],
)
def test_nothing_is_left_of_a_file_that_is_refused(judged, tmp_path, precision, figures, message):
    with pytest.raises(BadInput, match=message):
        judged(precision, *figures)
    assert list(tmp_path.iterdir()) == []


def test_a_flipped_bit_of_the_weights_and_a_cut_file_are_one_line(exported, tmp_path):
    content = Path(exported).read_bytes()
    path = tmp_path / 'spoilt.onnx'
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(content), 30):
        flipped = bytearray(content)
        flipped[place] ^= 1 << rng.integers(8)
        for spoilt in (flipped, content[:place]):
            path.write_bytes(spoilt)
            with pytest.raises(BadInput, match='spoilt.onnx: .*export the model') as error:
                cid_mmpose.load(path, device='cpu')
            assert '\n' not in str(error.value)


@pytest.mark.slow
def test_a_killed_export_leaves_nothing_behind_the_next_one(checkpoint, exported, write_graph_of, tmp_path):
    command = [sys.executable, '-m', 'cid_mmpose', 'export', checkpoint, '--out', str(tmp_path / 'a.onnx')]
    killed = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    while not list(tmp_path.glob('.*.unfinished/.lock')):
        assert killed.poll() is None
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    assert len(list(tmp_path.iterdir())) == 1
    write_graph_of(exported)
    tiny_export(tmp_path, checkpoint, 'b.onnx')
    assert [each.name for each in tmp_path.iterdir()] == ['b.onnx']


def test_a_model_that_finds_nobody_cannot_be_checked_and_is_not_written(checkpoint, exported, write_graph_of, tmp_path):
    write_graph_of(exported)
    with pytest.raises(BadInput, match='torch finds nobody in the 9 images'):
        export(checkpoint, tmp_path / 'a.onnx', options=ExportOptions(min_score=1.0))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('name, format', [('a.onnx', 'onnx'), ('a.xml', 'openvino'), ('a.bin', 'openvino')])
def test_a_file_that_is_there_stays_unless_it_may_be_replaced(checkpoint, tmp_path, name, format):
    there = tmp_path / name
    there.write_text('mine')
    with pytest.raises(BadInput, match=f'{name}: is already there; .* --force'):
        export(checkpoint, tmp_path / f'a{module.FORMATS[format]}', format=format)
    assert there.read_text() == 'mine' and list(tmp_path.iterdir()) == [there]


def test_a_file_that_another_export_wrote_meanwhile_stays(checkpoint, exported, write_graph_of, tmp_path, monkeypatch):
    write_graph_of(exported)
    target = tmp_path / 'a.onnx'
    monkeypatch.setattr(module, 'check', lambda *_: target.write_text('of another'))
    options = ExportOptions(min_score=0.0, max_people=12)
    with pytest.raises(BadInput, match='a.onnx: is already there; .* --force'):
        export(checkpoint, target, options=options, images=smooth_images((160, 120)))
    assert target.read_text() == 'of another' and list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(opset=17), 'opset 17: is from 18 to'),
        (dict(fixed_size=(100, 96)), 'fixed size 100x96: both sides must be multiples of 32'),
        (dict(fixed_size=(96, 96), size=96), 'exclude each other'),
        (dict(batch=0), 'batch must be a whole number of at least 1, got 0'),
    ],
)
def test_options_that_no_graph_has_are_refused(changes, message):
    with pytest.raises(BadInput, match=message):
        ExportOptions(**changes)


def test_what_is_no_format_is_refused(checkpoint, tmp_path):
    with pytest.raises(BadInput, match='a.pt: name a file that ends in .onnx or .xml'):
        module.format_of(tmp_path / 'a.pt')
    with pytest.raises(BadInput, match='a.pt: a file of format onnx ends in .onnx'):
        export(checkpoint, tmp_path / 'a.pt')
