"""Every config is exported with random weights, and the file finds whom torch finds (half a minute each)."""

import pytest

from tests.helpers.exported import needs_exporter, smooth_images
from tests.helpers.images import config
from tests.helpers.random_weights import every_config, random_checkpoint

needs_exporter()
from cid_mmpose.export.options import ExportOptions  # noqa: E402  where the exporter is installed
from cid_mmpose.export.run import export  # noqa: E402


@pytest.mark.slow
@pytest.mark.parametrize('name', every_config())
def test_no_keypoint_of_any_config_moves(tmp_path, name):
    weights = random_checkpoint(tmp_path / 'random.pth', config(name, 128))
    images = smooth_images((160, 120), (200, 333))
    written = export(weights, tmp_path / 'a.onnx', options=ExportOptions(min_score=0.0), images=images)
    found = written.difference
    assert found.people > 50 and found.missing == 0 and found.score < 1e-5
    assert found.moved <= found.keypoints / 1000  # of maps of noise, where two cells are equally high to six digits
