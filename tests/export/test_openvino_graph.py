"""An ONNX file as a file of OpenVINO."""

import resource

import numpy as np
import pytest

from cid_mmpose.errors import BadInput
from tests.helpers.about import ABOUT
from tests.helpers.exported import needs_exporter

openvino = pytest.importorskip('openvino', reason='needs the extra [openvino]: make test-export')
needs_exporter()
from cid_mmpose.export.openvino_graph import save_openvino  # noqa: E402  where the exporter is installed

WEIGHTS = 100_000  # bytes


def test_weights_for_which_there_is_no_room_are_one_line(tmp_path):
    from openvino import opset13

    images = opset13.parameter([WEIGHTS // 4], np.float32)
    weights = opset13.constant(np.random.default_rng(0).random(WEIGHTS // 4, np.float32))
    model = openvino.Model([opset13.add(images, weights)], [images])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (WEIGHTS // 2, before[1]))
    try:
        with pytest.raises(BadInput, match=r'^a.xml: openvino cannot write it \(.*\); is there room on the disk\?$'):
            save_openvino(model, ABOUT, tmp_path / 'a.xml')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    save_openvino(model, ABOUT, tmp_path / 'a.xml')
    assert (tmp_path / 'a.bin').stat().st_size >= WEIGHTS
