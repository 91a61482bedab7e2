"""The whole network in testing: one pass for images and mirror images, batches, half precision."""

import re
from copy import deepcopy

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from cid_mmpose.compat import precision
from cid_mmpose.errors import BadInput
from cid_mmpose.models import estimator
from cid_mmpose.models.fast.folded import FoldedBackbone, folded_copy
from tests.helpers.images import tiny_config
from tests.helpers.known_answers import COCO, CROWD
from tests.helpers.three_images import IMAGES, model, samples

CROWDPOSE = dict(from_file='configs/_base_/datasets/crowdpose.py')  # MMPose's


@pytest.mark.parametrize(
    'metainfo, own, expected', [(CROWDPOSE, None, CROWD), (CROWDPOSE, (0.05,) * 14, (0.05,) * 14), (None, None, COCO)]
)
def test_the_nms_has_the_sigmas_of_the_model_s_meta_information_unless_the_head_sets_its_own(metainfo, own, expected):
    cfg = tiny_config()
    cfg.model.head.update(num_keypoints=len(expected), test=dict(sigmas=own))
    network = MODELS.build(dict(cfg.model, metainfo=metainfo))
    assert network.head.test.keypoint_sigmas(len(expected)) == pytest.approx(expected)


@torch.no_grad()
@pytest.mark.parametrize('flip', [False, True])
def test_a_batch_of_images_gives_each_one_its_people(flip):
    network = model(flip_test=flip)
    together = network.predict(IMAGES, samples(3))
    for b, found in enumerate(together):
        (alone,) = network.predict(IMAGES[b : b + 1], samples(1))
        assert len(found.pred_instances.keypoints) > 3
        np.testing.assert_allclose(found.pred_instances.keypoints, alone.pred_instances.keypoints, atol=0.01)
        np.testing.assert_allclose(
            found.pred_instances.keypoint_scores, alone.pred_instances.keypoint_scores, atol=1e-5
        )


@torch.no_grad()
def test_images_and_mirror_images_go_through_the_backbone_in_one_pass():
    network, sizes = model(flip_test=True), []
    network.backbone.register_forward_pre_hook(lambda module, given: sizes.append(tuple(given[0].shape)))
    network.predict(IMAGES, samples(3))
    assert sizes == [(6, 3, 64, 96)]


@torch.no_grad()
@pytest.mark.parametrize('flip, expected', [(True, [4, 4, 2]), (False, [3, 2])])
def test_on_a_cpu_the_backbone_takes_as_many_images_as_fill_it_and_the_answers_stay(flip, expected, monkeypatch):
    images = torch.cat([IMAGES, IMAGES[:2].flip(-2)])
    for settings in (dict(), dict(precision='float32')):
        network, sizes = model(flip_test=flip, output_heatmaps=True, **settings), []
        whole = network.predict(images, samples(5))
        network.backbone.register_forward_pre_hook(lambda module, given: sizes.append(len(given[0])))
        with monkeypatch.context() as patch:
            patch.setattr(estimator, 'CPU_PIXELS', 4 * 64 * 96 + 1)
            cut = network.predict(images, samples(5))
        assert sizes == (expected if not settings else [])  # a copy that was folded before has no hooks
        for one, other in zip(whole, cut):
            np.testing.assert_allclose(one.pred_instances.keypoints, other.pred_instances.keypoints, atol=0.01)
            np.testing.assert_allclose(one.pred_fields.heatmaps, other.pred_fields.heatmaps, atol=1e-5)


class WatchedCopy:
    """Stands for a ``FoldedBackbone`` and notes with how many images, and in which mode, it is called."""

    def __init__(self, shares_out: bool) -> None:
        self.shares_out = shares_out
        self.calls: list[tuple] = []

    def __call__(self, backbone, inputs, dtype, mode):
        self.calls.append((len(inputs), mode))
        return backbone(inputs)

    def takes_apart(self, backbone, inputs, dtype, mode):
        return self.shares_out

    def forget(self) -> None:
        """Nothing to forget."""


@torch.no_grad()
@pytest.mark.parametrize('mode, expected', [(None, [3, 2]), ('default', [1] * 5)])
def test_a_compiled_backbone_gets_parts_of_one_size(mode, expected, monkeypatch):
    network = model(flip_test=False, precision='float32', compile=mode)
    network.folded = WatchedCopy(shares_out=False)
    monkeypatch.setattr(estimator, 'CPU_PIXELS', 4 * 64 * 96)
    network.predict(torch.cat([IMAGES, IMAGES[:2]]), samples(5))
    assert network.folded.calls == [(count, mode) for count in expected]


@torch.no_grad()
@pytest.mark.parametrize('flip', [False, True])
def test_a_copy_that_shares_out_the_images_itself_gets_all_of_them(flip, monkeypatch):
    network = model(flip_test=flip, precision='float32')
    network.folded = WatchedCopy(shares_out=True)
    monkeypatch.setattr(estimator, 'CPU_PIXELS', 64 * 96)
    network.predict(IMAGES, samples(3))
    assert network.folded.calls == [(6 if flip else 3, None)]


@torch.no_grad()
@pytest.mark.parametrize('flip', [False, True])
def test_no_images_have_no_people_and_images_without_pixels_are_refused(flip):
    assert model(flip_test=flip).predict(IMAGES[:0], []) == []
    with pytest.raises(BadInput, match='input of 0 x 0 pixels: HRNet takes sides that are multiples of 32'):
        model(flip_test=flip).predict(torch.zeros(1, 3, 0, 0), samples(1))


def test_images_at_once_worked_out_by_hand():
    def at_once(count, h, w, flip, device='cpu', even=False):
        return estimator.images_at_once(torch.empty(count, 3, h, w, device=device), 1 + flip, even)

    assert at_once(8, 512, 512, True) == 1 and at_once(8, 512, 512, False) == 2
    assert at_once(8, 256, 256, True) == 4 and at_once(8, 256, 256, False) == 8
    assert at_once(8, 1024, 1024, True) == 1  # more than all pixels, but one has to go
    assert at_once(9, 256, 256, False) == 5  # eight fit; 5 and 4, not 8 and 1
    assert at_once(5, 512, 512, False) == 2 and at_once(5, 512, 512, False, even=True) == 1  # 2, 2, 1 is not even
    assert at_once(9, 256, 256, False, even=True) == 3 and at_once(8, 256, 256, False, even=True) == 8
    assert at_once(8, 1024, 1024, True, 'meta') == 8  # only a CPU is filled by one


@torch.no_grad()
def test_bfloat16_is_for_the_backbone_and_the_maps_stay_close():
    (plain,) = model(flip_test=True, output_heatmaps=True).predict(IMAGES[:1], samples(1))
    network, kinds = model(flip_test=True, output_heatmaps=True, precision='bfloat16', insist=True), []
    network.backbone.conv1.register_forward_hook(lambda module, given, result: kinds.append(result.dtype))
    (half,) = network.predict(IMAGES[:1], samples(1))
    assert kinds == [torch.bfloat16] and half.pred_fields.heatmaps.dtype == torch.float32
    apart = (half.pred_fields.heatmaps - plain.pred_fields.heatmaps).abs()
    assert 0 < apart.max() and apart.mean() < 0.02 * plain.pred_fields.heatmaps.mean()


def kinds_of_copies(network) -> set[tuple]:
    """Type of numbers and way of compiling of each copy of the backbone."""
    return {key[:2] for key in network.folded.copies}


@torch.no_grad()
def test_a_half_precision_that_the_cpu_imitates_is_not_taken_for_the_backbone(monkeypatch):
    monkeypatch.setattr(precision, 'cpu_has', lambda dtype: False)
    network = model(precision='bfloat16')
    network.predict(IMAGES[:1], samples(1))
    assert kinds_of_copies(network) == {(torch.float32, None)}
    network.test_cfg.update(insist=True)
    network.predict(IMAGES[:1], samples(1))
    assert kinds_of_copies(network) == {(torch.float32, None), (torch.bfloat16, None)}


@torch.no_grad()
def test_the_folded_copy_is_the_same_network_up_to_rounding():
    backbone = model().backbone.double()
    for layer in backbone.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):  # as after training
            for value in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
                value.uniform_(0.5, 1.5)
    copy = folded_copy(backbone, torch.float64)
    for mine, theirs in zip(copy(IMAGES.double()), backbone(IMAGES.double())):
        torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-9)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in copy.modules())


@torch.no_grad()
@pytest.mark.parametrize('flip', [False, True])
def test_folding_moves_nobody(flip):
    network = model(flip_test=flip, precision='float32')
    folded = network.predict(IMAGES, samples(3))
    assert kinds_of_copies(network) == {(torch.float32, None)}
    plain = model(flip_test=flip).predict(IMAGES, samples(3))
    (copy,) = network.folded.copies.values()
    assert not any(weight.requires_grad for weight in copy.parameters())
    assert not deepcopy(network).folded.copies
    for one, other in zip(folded, plain):
        np.testing.assert_allclose(one.pred_instances.keypoints, other.pred_instances.keypoints, atol=0.01)
        np.testing.assert_allclose(one.pred_instances.keypoint_scores, other.pred_instances.keypoint_scores, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize('how', ['in place', 'loaded', 'behind its back'])
def test_the_folded_copy_follows_the_weights(how):
    network = model()
    names = set(network.state_dict())
    first = network.extract_feat(IMAGES, torch.bfloat16)[0]
    copies = network.folded.copies.copy()
    assert torch.equal(first, network.extract_feat(IMAGES, torch.bfloat16)[0]) and network.folded.copies == copies
    if how == 'in place':
        network.backbone.conv1.weight.mul_(2)
    elif how == 'loaded':
        weights = network.state_dict()
        network.load_state_dict({**weights, 'backbone.conv1.weight': 2 * weights['backbone.conv1.weight']})
    else:  # as mmengine's hook for averaged weights swaps them before it asks for evaluation
        network.backbone.conv1.weight.data.mul_(2)
        network.train(False)
    assert not torch.equal(first, network.extract_feat(IMAGES, torch.bfloat16)[0])
    assert set(network.state_dict()) == names


@torch.no_grad()
def test_a_network_in_double_precision_predicts():
    (found,) = model().double().predict(IMAGES[:1].double(), samples(1))
    assert len(found.pred_instances) > 3


@torch.no_grad()
def test_the_folded_copy_follows_parameters_that_are_replaced():
    layers, folded = torch.nn.Sequential(torch.nn.Conv2d(3, 16, 3)).eval(), FoldedBackbone()
    for _ in range(20):
        for _ in range(2):  # the second one may come to lie where the first one was
            layers[0].weight = torch.nn.Parameter(torch.randn(16, 3, 3, 3))
        assert torch.equal(folded(layers, IMAGES, torch.float32), layers(IMAGES))


def test_a_copy_made_without_gradients_does_not_stand_in_the_way_of_them():
    gradients = []
    for predicts in (True, False):
        network, images = model(precision='float32'), IMAGES[:1].clone().requires_grad_()
        if predicts:
            with torch.inference_mode():
                network.predict(IMAGES[:1], samples(1))
        network.extract_feat(images, torch.float32)[0].sum().backward()
        gradients.append(images.grad)
    assert gradients[1].any()
    torch.testing.assert_close(*gradients)


@torch.no_grad()
@pytest.mark.parametrize('precision', ['float32', 'bfloat16'])
def test_the_backbone_s_precision_need_not_be_that_of_the_images(precision):
    (found,) = model(precision=precision, insist=True).double().predict(IMAGES[:1].double(), samples(1))
    assert len(found.pred_instances) > 3


@torch.no_grad()
def test_options_are_checked_when_they_are_used():
    network = model()
    network.test_cfg.update(compile='fast')
    with pytest.raises(ValueError, match="compile must be one of .*'fast'"):
        network.predict(IMAGES[:1], samples(1))


def test_by_default_the_backbone_itself_is_used():
    network = model()
    with torch.inference_mode():
        network.predict(IMAGES[:1], samples(1))
    assert not network.folded.copies


@pytest.mark.parametrize('option, value', [('precision', 'int8'), ('compile', True), ('compile', ['default'])])
def test_other_values_of_the_backbone_s_options_are_refused(option, value):
    with pytest.raises(ValueError, match=f'{option} must be one of .*None.*got {re.escape(repr(value))}'):
        model().head.test.with_test_cfg({option: value})


@torch.no_grad()
def test_channels_last_changes_the_memory_and_not_the_people():
    from mmpose.registry import MODELS

    from tests.helpers.images import tiny_config

    cfg = tiny_config().model
    last = MODELS.build(cfg)
    cfg.channels_last = False
    first = MODELS.build(cfg)
    first.load_state_dict(last.state_dict())
    weight = last.backbone.conv2.weight
    assert weight.is_contiguous(memory_format=torch.channels_last) and not weight.is_contiguous()
    assert first.backbone.conv2.weight.is_contiguous()
    one, other = (network.train(False) or network for network in (last, first))
    for mine, theirs in zip(one.extract_feat(IMAGES), other.extract_feat(IMAGES)):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)


def test_centers_come_to_the_pixels_of_the_image_as_the_keypoints_do():
    # an image of 200 x 100 px was enlarged to an input of 400 x 200 px and padded to 448 x 256
    sample = PoseDataSample(
        metainfo=dict(input_size=(448, 256), input_center=np.array([100.0, 50.0]), input_scale=np.array([224.0, 128.0]))
    )
    people = InstanceData(
        keypoints=np.full((1, 17, 2), 224.0), keypoint_scores=np.ones((1, 17)), centers=np.array([[224.0, 130.0]])
    )
    (answer,) = model().add_pred_to_datasample([people], None, [sample])
    assert answer.pred_instances.centers.tolist() == [[100.0, 51.0]]
    assert answer.pred_instances.keypoints[0, 0].tolist() == [100.0, 98.0]
