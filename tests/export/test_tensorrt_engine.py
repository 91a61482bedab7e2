"""Engines: what TensorRT does not take of a graph is said, and where it is there its engine says what torch says."""

import sys
from pathlib import Path

import numpy as np
import pytest

import cid_mmpose
from cid_mmpose.errors import BadInput
from cid_mmpose.export.options import ExportOptions
from cid_mmpose.export.tensorrt_engine import OPERATORS, problems_of, write_engine
from cid_mmpose.runtime.seal import seal
from tests.helpers.exported import needs_exporter, smooth_images, tiny_export
from tests.helpers.images import tiny_config
from tests.helpers.random_weights import random_checkpoint

needs_exporter()
import onnx  # noqa: E402  where it is installed
from onnx.parser import parse_model  # noqa: E402

from cid_mmpose.export.quantise import CHOICES, quantise  # noqa: E402
from cid_mmpose.export.run import export  # noqa: E402
from cid_mmpose.runtime.about import About  # noqa: E402
from cid_mmpose.runtime.predictor import session_of  # noqa: E402
from cid_mmpose.runtime.tensorrt_file import split_parts  # noqa: E402

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


@pytest.fixture
def builder_without_gpu(monkeypatch):
    """TensorRT for RTX: NVIDIA's parser and builder with the same calls, which need no GPU to build for one."""
    rtx = pytest.importorskip('tensorrt_rtx_bindings', reason='needs tensorrt_rtx_cu13_bindings and their libraries')
    monkeypatch.setitem(sys.modules, 'tensorrt', rtx)
    return rtx


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    return random_checkpoint(tmp_path_factory.mktemp('weights') / 'tiny.pth', tiny_config(96))


@pytest.mark.parametrize('precision', ['float32', 'float16', 'int8'])
def test_nvidias_parser_and_builder_make_an_engine_of_the_graph(weights, tmp_path, precision, builder_without_gpu):
    of_graph = 'float32' if precision == 'int8' else precision
    onnx_file = Path(tiny_export(tmp_path, weights, fixed_size=(128, 96), batch=1, precision=of_graph))
    about = session_of(str(onnx_file), 'cpu').about
    path = tmp_path / 'tiny.engine'
    if precision == 'int8':
        images = [np.full((1, 96, 128, 3), value, np.uint8) for value in (0, 200)]
        quantise(onnx_file, about, next(iter(CHOICES.values())), images, path)
    else:
        write_engine(onnx_file, about, path)
    seal(path)
    plan, said = split_parts(path.read_bytes())
    assert About.from_json(said, 'tiny.engine').precision == precision
    assert plan


def test_a_graph_that_nvidias_parser_does_not_take_is_one_line(weights, tmp_path, builder_without_gpu):
    onnx_file = Path(tiny_export(tmp_path, weights, fixed_size=(128, 96)))
    about = session_of(str(onnx_file), 'cpu').about
    with pytest.raises(BadInput, match='cannot build an engine .*optimization profile'):
        write_engine(onnx_file, about, tmp_path / 'any_batch.engine')  # for batches of any size
    assert not (tmp_path / 'any_batch.engine').exists()


@pytest.mark.parametrize('precision', ['float32', 'float16'])
def test_an_engine_finds_whom_torch_finds(tmp_path, precision):
    pytest.importorskip('tensorrt', reason='needs TensorRT and a GPU')
    weights = random_checkpoint(tmp_path / 'tiny.pth', tiny_config(96))
    path = tiny_export(tmp_path, weights, 'tiny.engine', fixed_size=(128, 96), precision=precision)
    (image,) = smooth_images((160, 120))
    found = cid_mmpose.load(path, min_score=0.0)(image)[0]
    assert len(found) and np.isfinite(found.keypoints).all()
