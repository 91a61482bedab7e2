"""Engines of TensorRT: their two parts, their devices, and one line where they cannot be run."""

import importlib.util
from pathlib import Path

import pytest

import cid_mmpose
from cid_mmpose.errors import BadInput
from cid_mmpose.runtime.seal import seal
from cid_mmpose.runtime.tensorrt_file import gpu_number, join_parts, split_parts
from tests.helpers.about import ABOUT

PLAN = b'ftrt\n' + bytes(range(256)) * 3  # with line ends in it, as a plan may have


def engine_file(path: Path, said: str) -> Path:
    path.write_bytes(join_parts(PLAN, said))
    seal(path)
    return path


def test_the_plan_and_what_the_file_says_of_itself_are_parted_again(tmp_path):
    path = engine_file(tmp_path / 'a.engine', ABOUT.to_json())
    assert split_parts(path.read_bytes()) == (PLAN, ABOUT.to_json())


def test_devices_are_gpus():
    assert [gpu_number(device) for device in (None, 'cuda', 'cuda:1', 'tensorrt', 'CUDA:12')] == [0, 0, 1, 0, 12]
    for device in ('cpu', 'cuda:a', 'cuda:-1'):
        with pytest.raises(BadInput, match=f"device '{device}': of an .engine file it is cuda, or such as cuda:1"):
            gpu_number(device)


def test_files_that_no_export_wrote_are_one_line(tmp_path):
    with pytest.raises(BadInput, match='none.engine: no such file'):
        cid_mmpose.load(tmp_path / 'none.engine')
    (tmp_path / 'plan.engine').write_bytes(PLAN)
    with pytest.raises(BadInput, match='plan.engine: does not end as a file of cid export'):
        cid_mmpose.load(tmp_path / 'plan.engine')
    with pytest.raises(BadInput, match='a.engine: what it says of itself is wrong: version is missing'):
        cid_mmpose.load(engine_file(tmp_path / 'a.engine', '{}'))


@pytest.mark.skipif(importlib.util.find_spec('tensorrt') is not None, reason='TensorRT is installed')
def test_without_tensorrt_a_line_says_what_to_install_and_what_else_to_do(tmp_path):
    path = engine_file(tmp_path / 'a.engine', ABOUT.to_json())
    with pytest.raises(BadInput, match='pip install tensorrt cuda-python; or export to .onnx .* trtexec') as error:
        cid_mmpose.load(path)
    assert '\n' not in str(error.value)
