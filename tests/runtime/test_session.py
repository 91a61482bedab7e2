"""How many threads a runtime takes, and which graphs are those of an export."""

import pytest

from cid_mmpose.errors import BadInput
from cid_mmpose.runtime.about import OUTPUTS
from cid_mmpose.runtime.session import Port, check_ports, threads_asked
from tests.helpers.about import ABOUT

SIDES = [None, None, None, 3]  # of images whose number and size are free


@pytest.mark.parametrize(
    'text, threads', [('1', 1), ('16', 16), ('', None), ('0', None), ('4,2', None), ('many', None)]
)
def test_the_variable_that_torch_takes_sets_the_threads(text, threads, monkeypatch):
    monkeypatch.setenv('OMP_NUM_THREADS', text)
    assert threads_asked() == threads


def test_without_it_the_runtime_chooses(monkeypatch):
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    assert threads_asked() is None


@pytest.mark.parametrize(('sides', 'is_uint8'), [(SIDES, False), ([1, *SIDES[1:]], True), ([*SIDES[:3], 4], True)])
def test_only_the_images_of_which_a_file_tells_are_taken(sides, is_uint8):
    outputs = [Port(name, [None, ABOUT.max_people, 3], False) for name in OUTPUTS]
    check_ports([Port('images', SIDES, True)], outputs, ABOUT, 'a.onnx')
    with pytest.raises(BadInput, match='a.onnx: its graph takes images'):
        check_ports([Port('images', sides, is_uint8)], outputs, ABOUT, 'a.onnx')
