"""The table of backbones in docs/mmpose.md is what its command prints; the counts are those that others publish."""

import pytest
import torch
from backbones import BACKBONES, HEAD, SIDE, batches, cost_of, network, row, train_and_test
from mmengine.config import Config
from torchvision.models import ResNet50_Weights

from cid_mmpose.errors import BadInput
from tests.helpers.images import ROOT, build_model
from tests.helpers.slow import slow_but

PAGE = (ROOT / 'docs' / 'mmpose.md').read_text()
LOSSES = {'loss_crowd', 'loss_person', 'loss_contrastive'}
LIGHT = ('MobileNetV2',)


def test_the_page_has_a_row_for_each_backbone():
    _, _, below = PAGE.partition(HEAD)
    rows = below.partition('\n\n')[0].strip().splitlines()
    assert [row.split('`')[1] for row in rows] == list(BACKBONES)


@pytest.mark.slow
@pytest.mark.parametrize('kind', LIGHT)
def test_a_light_backbone_trains_tests_and_has_the_row_of_the_page(kind):
    model = network(kind)
    assert train_and_test(model, *batches()).keys() == LOSSES
    pytest.importorskip('torch.utils.flop_counter', reason='torch 2.0 does not count operations')
    assert row(kind, cost_of(model)) in PAGE


@pytest.mark.slow
@pytest.mark.parametrize('kind', [kind for kind in BACKBONES if kind not in LIGHT])
def test_a_backbone_trains_tests_and_has_the_row_of_the_page(kind):
    test_a_light_backbone_trains_tests_and_has_the_row_of_the_page(kind)


def test_size_and_work_of_resnet_50_are_torchvision_s():
    pytest.importorskip('torch.utils.flop_counter', reason='torch 2.0 does not count operations')
    published = ResNet50_Weights.IMAGENET1K_V1.meta  # with the last layer, 2048 x 1000, for images of 224 px
    model = network('ResNet')
    head = sum(parameter.numel() for parameter in model.head.parameters())
    cost = cost_of(model)
    assert round(cost.parameters * 1e6) - head == published['num_params'] - 2049 * 1000
    at_224 = published['_ops'] - 2048 * 1000 / 1e9
    assert cost.gmac == pytest.approx(at_224 * (SIDE / 224) ** 2, rel=1e-3)


WRONG = {
    'starts at stride 8': (
        dict(out_indices=(2, 4, 6)),
        (32, 96, 320),
        'the first feature map of the backbone has 16 x 16 cells for an input of 128 x 128 pixels, and the codec of '
        'stride 4 needs 32 x 32; set out_indices',
    ),
    'has too few maps': (dict(out_indices=(1, 2, 4)), (24, 32, 96, 320), '[24, 32, 96] channels, the head was built'),
    'has other widths': (dict(widen_factor=0.5), (24, 32, 96, 320), 'the head was built for in_channels=472; set'),
}


@pytest.mark.parametrize('case', slow_but(['has too few maps'], WRONG))
def test_a_backbone_that_does_not_fit_is_one_line_in_training_and_in_testing(case):
    changes, widths, says = WRONG[case]
    cfg = Config.fromfile(ROOT / 'configs' / 'cid_resnet-50_coco.py')
    cfg.model.backbone = dict(BACKBONES['MobileNetV2'].options, type='MobileNetV2')
    cfg.model.backbone.update(changes)
    cfg.model.head.in_channels = sum(widths)
    training, testing = batches()
    model = build_model(cfg)
    with pytest.raises(BadInput) as in_training:
        model.loss(**model.data_preprocessor(training, True))
    model.train(False)
    with torch.no_grad(), pytest.raises(BadInput) as in_testing:  # as MMPose's inferencers call it, too
        model.test_step(testing)
    for caught in (in_training, in_testing):
        assert says in str(caught.value) and '\n' not in str(caught.value)
