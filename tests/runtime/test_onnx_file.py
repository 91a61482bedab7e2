"""Files that are no export, and devices that are not there, are one line each."""

import json
from dataclasses import replace

import pytest

import cid_mmpose
from cid_mmpose.errors import BadInput
from cid_mmpose.runtime.seal import seal
from tests.helpers.about import ABOUT

onnx = pytest.importorskip('onnx', reason='needs the extra [export]')
pytest.importorskip('onnxruntime', reason='needs the extra [onnx]')
OUTPUTS = dict(keypoints=(3, 3, 2), keypoint_scores=(3, 3), scores=(3,), centers=(3, 2))


def model_file(path, said: str | None, outputs: dict = OUTPUTS, image: str = 'images') -> str:
    """A sealed graph that takes images and gives zeros of these shapes behind the batch."""
    helper, kind = onnx.helper, onnx.TensorProto
    nodes = []
    infos = []
    for name, shape in outputs.items():
        size = helper.make_tensor(f'{name}_size', kind.INT64, [len(shape) + 1], [1, *shape])
        nodes += [
            helper.make_node('Constant', [], [f'{name}_size'], value=size),
            helper.make_node('ConstantOfShape', [f'{name}_size'], [name]),
        ]
        infos.append(helper.make_tensor_value_info(name, kind.FLOAT, [1, *shape]))
    images = helper.make_tensor_value_info(image, kind.UINT8, ['batch', 'rows', 'columns', 3])
    graph = helper.make_graph(nodes, 'zeros', [images], infos)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)], ir_version=9)
    if said is not None:
        helper.set_model_props(model, dict(cid_mmpose=said))
    path.write_bytes(model.SerializeToString())
    seal(path)
    return str(path)


SAID = replace(ABOUT, max_people=3, size=None, min_score=0.0).to_json()


def said_with(**changes) -> str:
    """What a file says of itself, with other values."""
    return json.dumps(dict(json.loads(SAID), **changes))


def load(path, **options):
    return cid_mmpose.load(path, **dict(dict(device='cpu'), **options))


def test_a_graph_of_zeros_finds_nobody(tmp_path):
    import numpy as np

    model = load(model_file(tmp_path / 'a.onnx', SAID))
    assert len(model(np.zeros((64, 64, 3), np.uint8))[0]) == 0
    assert 'CPUExecutionProvider' in repr(model)


def test_an_ending_may_be_in_capitals(tmp_path):
    assert 'CPUExecutionProvider' in repr(load(model_file(tmp_path / 'A.ONNX', SAID)))


@pytest.mark.parametrize(
    'said, outputs, image, message',
    [
        (None, OUTPUTS, 'images', 'says nothing of itself'),
        ('{}', OUTPUTS, 'images', 'what it says of itself is wrong: version is missing'),
        (SAID, dict(boxes=(3,)), 'images', r"takes \['images'\] and gives \['boxes'\]"),
        (SAID, OUTPUTS, 'x', r"takes \['x'\] and gives"),
        (SAID, dict(OUTPUTS, keypoints=(5, 3, 2)), 'images', r'gives keypoints for \[5, 3\], and .* \[3, 3\]'),
        (said_with(max_people=9), OUTPUTS, 'images', r'gives keypoints for \[3, 3\], and .* \[9, 3\]'),
        (said_with(batch=2), OUTPUTS, 'images', r'takes images \[None, None, None, 3\], and .* \[2, None, None, 3\]'),
    ],
)
def test_another_model_is_refused(tmp_path, said, outputs, image, message):
    path = model_file(tmp_path / 'a.onnx', said, outputs, image)
    with pytest.raises(BadInput, match=f'a.onnx: .*{message}') as error:
        load(path)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('content', [b'<html>404</html>', b'\x08', b'PK\x03\x04' + bytes(200), bytes(1000)])
def test_what_is_no_model_is_refused(tmp_path, content):
    path = tmp_path / 'a.onnx'
    path.write_bytes(content)
    with pytest.raises(BadInput, match='a.onnx: ') as error:
        load(path)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('share', [0.3, 0.6, 0.95])
def test_a_cut_file_is_refused(tmp_path, share):
    path = tmp_path / 'a.onnx'
    content = (tmp_path / 'whole.onnx', model_file(tmp_path / 'whole.onnx', SAID))[0].read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(BadInput, match='a.onnx: ') as error:
        load(path)
    assert '\n' not in str(error.value)


def test_empty_and_missing_files_are_refused(tmp_path):
    (tmp_path / 'empty.onnx').touch()
    with pytest.raises(BadInput, match='empty.onnx: is empty'):
        load(tmp_path / 'empty.onnx')
    with pytest.raises(BadInput, match='none.onnx: no such file'):
        load(tmp_path / 'none.onnx')


def test_devices_that_are_not_there_are_refused(tmp_path):
    path = model_file(tmp_path / 'a.onnx', SAID)
    with pytest.raises(BadInput, match="device 'moon': of an .onnx file it is one of cpu, cuda"):
        load(path, device='moon')
    with pytest.raises(BadInput, match="device 'coreml': the installed onnxruntime has no CoreMLExecutionProvider"):
        load(path, device='coreml')


@pytest.mark.parametrize('asked, threads', [('3', 3), ('', 0)])
def test_a_process_keeps_to_the_threads_that_are_asked_for(asked, threads, tmp_path, monkeypatch):
    monkeypatch.setenv('OMP_NUM_THREADS', asked)
    model = load(model_file(tmp_path / 'a.onnx', SAID))
    assert model.session.session.get_session_options().intra_op_num_threads == threads  # 0: onnxruntime chooses
