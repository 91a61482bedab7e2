"""What docs/mmpose.md says of other backbones: its example and its sentences, on random weights and small images."""

import re

import pytest
import torch
from backbones import batches, train_and_test
from mmengine.config import Config
from mmengine.registry import init_default_scope

from cid_mmpose import config_path
from cid_mmpose.errors import BadInput
from tests.helpers.images import ROOT, build_model

LOSSES = {'loss_crowd', 'loss_person', 'loss_contrastive'}


@pytest.fixture(autouse=True)
def names_of_mmpose() -> None:
    """As a run sets it: names without a scope are MMPose's."""
    init_default_scope('mmpose')


def example() -> str:
    """The config below the heading *Other backbones*."""
    page = (ROOT / 'docs' / 'mmpose.md').read_text(encoding='utf-8')
    (code,) = re.findall(r'```python\n(.*?)```', page.partition('\n## Other backbones\n')[2], re.S)
    return code


def small_network(in_channels: int, backbone: dict, **parts) -> torch.nn.Module:
    """CID on this backbone; ``parts`` are others of the model."""
    cfg = Config.fromfile(config_path('cid_resnet-50_coco.py'))
    cfg.model.backbone = backbone
    cfg.model.head.in_channels = in_channels
    cfg.model.update(parts)
    torch.manual_seed(0)
    return build_model(cfg)


def test_the_example_of_another_backbone_trains_and_tests(tmp_path):
    mine = tmp_path / 'mine.py'
    mine.write_text(example())
    torch.manual_seed(0)
    model = build_model(Config.fromfile(mine))
    assert type(model.backbone).__module__.startswith('mmdet.')
    assert train_and_test(model, *batches()).keys() == LOSSES


def test_without_the_option_that_the_example_explains_the_first_map_has_stride_8(tmp_path):
    mine = tmp_path / 'mine.py'
    mine.write_text(re.sub(r'        out_indices=.*\n', '', example()))
    model = build_model(Config.fromfile(mine))
    with pytest.raises(BadInput, match='16 x 16 cells for an input of 128 x 128 pixels, and the codec of stride 4'):
        train_and_test(model, *batches())


def test_an_fpn_of_mmdetection_is_the_neck_of_its_resnet():
    backbone = dict(type='mmdet.ResNet', depth=18, out_indices=(0, 1, 2, 3))
    neck = dict(type='mmdet.FPN', in_channels=[64, 128, 256, 512], out_channels=16, num_outs=4)
    model = small_network(4 * 16, backbone, neck=neck)
    maps = model.extract_feat(torch.zeros(1, 3, 128, 128))
    assert [tuple(each.shape[1:]) for each in maps] == [(16, 32, 32), (16, 16, 16), (16, 8, 8), (16, 4, 4)]
    assert train_and_test(model, *batches()).keys() == LOSSES


def test_shufflenet_v2_is_refused_because_its_first_map_is_at_stride_8():
    backbone = dict(type='ShuffleNetV2', widen_factor=0.5, out_indices=(0, 1, 2, 3))
    model = small_network(48 + 96 + 192 + 1024, backbone)
    with pytest.raises(BadInput, match='16 x 16 cells for an input of 128 x 128 pixels, and the codec of stride 4'):
        train_and_test(model, *batches())
