"""What a CPU does not compute in by itself is one line, since OpenVINO takes float32 without a word."""

from types import SimpleNamespace

import pytest

from cid_mmpose.errors import BadInput
from cid_mmpose.runtime import openvino_file


def has(monkeypatch, *abilities: str) -> None:
    """OpenVINO says that a CPU has these."""
    core = SimpleNamespace(get_property=lambda device, name: list(abilities))
    monkeypatch.setattr(openvino_file, 'openvino_of', lambda: SimpleNamespace(Core=lambda: core))


def test_bfloat16_is_refused_where_the_cpu_has_no_such_instructions(monkeypatch):
    has(monkeypatch, 'FP32', 'INT8')
    with pytest.raises(BadInput, match=r'^precision bfloat16: CPU has no such instructions \(it has FP32, INT8\), .*'):
        openvino_file.check_bfloat16()


def test_bfloat16_is_taken_where_the_cpu_has_it(monkeypatch):
    has(monkeypatch, 'FP32', 'BF16')
    openvino_file.check_bfloat16()
