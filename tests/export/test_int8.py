"""An int8 file has 8-bit weights in the backbone alone, and costs no more AP than may be, or is not there."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config

import cid_mmpose
from cid_mmpose.errors import BadInput
from cid_mmpose.export import accuracy
from cid_mmpose.export.accuracy import AccuracyOptions, Judge
from cid_mmpose.export.int8 import Int8Options
from tests.helpers.exported import needs_exporter, smooth_images, tiny_export

needs_exporter()
import onnx  # noqa: E402  where it is installed

from cid_mmpose.export import int8 as module  # noqa: E402
from cid_mmpose.export import run  # noqa: E402
from cid_mmpose.export.int8 import calibration_images, in_int8  # noqa: E402
from cid_mmpose.export.openvino_graph import write_openvino  # noqa: E402
from cid_mmpose.export.options import ExportOptions  # noqa: E402
from cid_mmpose.export.quantise import CHOICES, by_onnxruntime  # noqa: E402
from cid_mmpose.export.run import export  # noqa: E402
from cid_mmpose.export.tensorrt_engine import problems_of  # noqa: E402
from cid_mmpose.runtime.predictor import session_of  # noqa: E402
from cid_mmpose.runtime.seal import seal  # noqa: E402

IMAGES = smooth_images((160, 120))
CONFIG = Config({})  # drawn people as SynthCrowd has them by itself


@pytest.fixture(scope='module')
def in_float32(exported_without_flip) -> Path:
    return Path(exported_without_flip)


def says(monkeypatch, *figures: float) -> None:
    """AP of torch and of each file is measured as these figures: random weights find nobody."""
    waiting = iter(figures)
    monkeypatch.setattr(accuracy, 'average_precision', lambda model, items: next(waiting))


def made(exported: Path, name: str, folder: Path):
    """What ``in_int8`` makes of a float32 export."""
    about = session_of(str(exported), 'cpu').about
    onnx_file = folder / 'a.onnx'
    onnx_file.write_bytes(exported.read_bytes())
    written = folder / name
    if name.endswith('.xml'):
        write_openvino(onnx_file, about, written)
        seal(written)
    judge = Judge(None, CONFIG, AccuracyOptions(), name)
    images = calibration_images(Int8Options(calibration_images=4), CONFIG)
    return in_int8(written, about, images, judge)


def test_the_convolutions_of_the_backbone_have_8_bits_in_onnx_and_the_head_32(in_float32, tmp_path, monkeypatch):
    says(monkeypatch, 80, 79.5)
    (file,), measured, kept = made(in_float32, 'a.onnx', tmp_path)
    assert measured.text() == 'AP 80.00 in torch and 79.50 through the file on 200 images of drawn people'
    assert kept == 'the head'
    proto = onnx.load(str(file))
    producers = {output: node for node in proto.graph.node for output in node.output}
    of_kind = {True: 0, False: 0}
    for node in proto.graph.node:
        if node.op_type == 'Conv':
            source = producers.get(node.input[1])
            is_8_bit = source is not None and source.op_type == 'DequantizeLinear'
            of_kind[is_8_bit] += 1
            assert is_8_bit == node.input[1].startswith('backbone.')
    assert of_kind[True] > 20 and of_kind[False] > 2

    model = cid_mmpose.load(file, min_score=0.0, device='cpu')
    assert model.about.precision == 'int8' and len(model(IMAGES[0])[0]) > 0
    with pytest.raises(BadInput, match='precision=float32: its graph computes in int8'):
        cid_mmpose.load(file, min_score=0.0, device='cpu', precision='float32')


def test_more_stays_in_float32_where_ap_asks_for_it(in_float32, tmp_path, monkeypatch):
    says(monkeypatch, 80, 70, 79.5)  # the first choice costs 10 AP
    assert made(in_float32, 'a.onnx', tmp_path).kept == 'the head, the stem and the first stage'


def test_openvinos_file_has_8_bits(in_float32, tmp_path, monkeypatch):
    pytest.importorskip('nncf', reason='needs the extra [int8]')
    says(monkeypatch, 80, 79.5)
    last = list(CHOICES.items())[-1]  # which names most layers
    monkeypatch.setattr(module, 'CHOICES', dict([last]))
    files, _, kept = made(in_float32, 'a.xml', tmp_path)
    assert kept == last[0]
    assert [each.name for each in files] == ['a.bin', 'a.xml']
    text = files[1].read_text()
    assert text.count('type="FakeQuantize"') > 20 and 'element_type="i8"' in text
    people = cid_mmpose.load(files[1], min_score=0.0, device='cpu')(IMAGES[0])[0]
    assert len(people) > 0 and np.isfinite(people.keypoints).all()


@pytest.mark.parametrize(
    'figures, message',
    [
        (
            (80, 70, 78.5),
            r'int8 costs 10.00 with the head in float32, 1.50 with the head, the stem and the first stage in float32, '
            r'more than 1 AP \(AP of torch in float32 is 80.00 on drawn people\), and was not written',
        ),
        ((0,), 'AP is 0 in torch on drawn people, so no drop could be seen'),
    ],
)
def test_an_int8_file_that_costs_too_much_is_refused(in_float32, tmp_path, monkeypatch, figures, message):
    says(monkeypatch, *figures)
    with pytest.raises(BadInput, match=message):
        made(in_float32, 'a.onnx', tmp_path)


@pytest.mark.parametrize(
    'name, message',
    [('empty', 'empty: holds no image'), ('cut', 'cut/a.png: not a complete image'), ('gone', 'gone: no')],
)
def test_images_that_cannot_calibrate_are_refused_before_the_minutes_of_an_export(
    checkpoint, tmp_path, monkeypatch, name, message
):
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'cut').mkdir()
    (tmp_path / 'cut' / 'a.png').write_bytes(cv2.imencode('.png', IMAGES[0])[1].tobytes()[:-100])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, '_judge', lambda *_: pytest.fail('AP was measured'))
    options = ExportOptions(precision='int8', max_people=12)
    with pytest.raises(BadInput, match=message):
        export(checkpoint, 'a.onnx', options=options, images=IMAGES, int8=Int8Options(calibrate=name))
    assert sorted(os.listdir()) == ['cut', 'empty']


def test_a_model_that_finds_nobody_is_refused_before_anything_is_written(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(accuracy, 'DRAWN', 3)
    with pytest.raises(BadInput, match='a.onnx: AP is 0 in torch on drawn people'):
        tiny_export(tmp_path / 'new', checkpoint, 'a.onnx', precision='int8', max_people=2, flip=False)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_of_an_int8_file_that_costs_too_much(
    checkpoint, exported_without_flip, write_graph_of, tmp_path, monkeypatch
):
    write_graph_of(exported_without_flip)
    says(monkeypatch, 80, 70, 60)
    options = ExportOptions(min_score=0.0, precision='int8', max_people=12, flip=False)
    with pytest.raises(BadInput, match='a.onnx: int8 costs 10.00 with the head in float32, 20.00 with'):
        export(checkpoint, tmp_path / 'a.onnx', options=options, images=IMAGES, int8=Int8Options(calibration_images=2))
    assert list(tmp_path.iterdir()) == []


def test_for_tensorrt_all_is_int8_around_zero(in_float32, tmp_path):
    proto = onnx.load(str(in_float32))
    nodes = [node.name for node in proto.graph.node if node.input[1:] and node.input[1].startswith('backbone.')]
    images = [np.zeros((1, 96, 96, 3), np.uint8), np.full((1, 96, 96, 3), 200, np.uint8)]
    problems = []
    for number, for_tensorrt in enumerate((False, True)):
        path = tmp_path / f'{number}.onnx'
        path.write_bytes(by_onnxruntime(in_float32, nodes, images, path, for_tensorrt).SerializeToString())
        problems.append(problems_of(path))
        kinds = {node.op_type for node in onnx.load(str(path)).graph.node}
        assert {'QuantizeLinear', 'DequantizeLinear', 'Conv'} <= kinds
    what = 'Linear that is not int8 around zero'
    assert [set(each) for each in problems] == [{f'Quantize{what}', f'Dequantize{what}'}, set()]
