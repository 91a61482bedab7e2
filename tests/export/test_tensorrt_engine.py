"""Engines: what TensorRT does not take of a graph is said, and where it is there its engine says what torch says."""

import numpy as np
import pytest

import cid_mmpose
from cid_mmpose.errors import BadInput
from cid_mmpose.export.options import ExportOptions
from cid_mmpose.export.tensorrt_engine import OPERATORS, problems_of
from tests.helpers.exported import needs_exporter, smooth_images, tiny_export
from tests.helpers.images import tiny_config
from tests.helpers.random_weights import random_checkpoint

needs_exporter()
import onnx  # noqa: E402  where it is installed
from onnx.parser import parse_model  # noqa: E402

from cid_mmpose.export.run import export  # noqa: E402

GRAPH = '<ir_version: 9, opset_import: ["" : 18, "other" : 1]> g (uint8[2, 3] images) => (float[2, 3] y) {{ {} }}'


@pytest.mark.parametrize(
    'nodes, problems',
    [
        ('a = Cast<to=1>(images) y = Relu(a)', []),
        ('a = Transpose(images) b = Cast<to=1>(a) y = Transpose(b)', ['Transpose of uint8 values']),
        ('a = Cast<to=1>(images) b = NonZero(a) c = Cast<to=1>(b) y = other.Moon(c)', ['NonZero', 'other.Moon']),
    ],
)
def test_what_tensorrt_does_not_take_is_named(tmp_path, nodes, problems):
    onnx.save(parse_model(GRAPH.format(nodes)), tmp_path / 'a.onnx')
    found = problems_of(tmp_path / 'a.onnx')
    assert [problem.removeprefix('operator ') for problem in found] == problems


def test_more_of_the_highest_values_than_tensorrt_gives_are_named(tmp_path):
    for count, problems in ((3840, []), (3841, ['TopK of more than 3840 values'])):
        node = onnx.helper.make_node('TopK', ['x', 'count'], ['values', 'places'])
        values = onnx.helper.make_tensor('count', onnx.TensorProto.INT64, [1], [count])
        graph = onnx.helper.make_graph([node], 'g', [], [], [values])
        onnx.save(onnx.helper.make_model(graph), tmp_path / 'a.onnx')
        assert problems_of(tmp_path / 'a.onnx') == problems


def test_the_list_has_operators_of_onnx_alone():
    known = {schema.name for schema in onnx.defs.get_all_schemas() if not schema.domain}
    assert OPERATORS <= known and len(OPERATORS) > 100


def test_an_engine_without_a_size_is_refused_before_anything_is_computed(tmp_path, monkeypatch):
    monkeypatch.setattr('cid_mmpose.export.run.tensorrt_of', lambda: None)
    with pytest.raises(BadInput, match='format tensorrt: .* say it, such as --fixed-size 704x512'):
        export('none.pth', tmp_path / 'a.engine', format='tensorrt', options=ExportOptions())


@pytest.mark.parametrize('precision', ['float32', 'float16'])
def test_an_engine_finds_whom_torch_finds(tmp_path, precision):
    pytest.importorskip('tensorrt', reason='needs TensorRT and a GPU')
    weights = random_checkpoint(tmp_path / 'tiny.pth', tiny_config(96))
    path = tiny_export(tmp_path, weights, 'tiny.engine', fixed_size=(128, 96), precision=precision)
    (image,) = smooth_images((160, 120))
    found = cid_mmpose.load(path, min_score=0.0)(image)[0]
    assert len(found) and np.isfinite(found.keypoints).all()
