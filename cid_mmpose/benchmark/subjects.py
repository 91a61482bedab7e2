"""What is measured: CID here and CID in MMPose, with the same weights, features and people."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import load_checkpoint
from mmengine.structures import InstanceData, PixelData
from mmpose.models import HeatmapHead  # noqa: F401  registers MMPose's models
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from cid_mmpose import config_path
from cid_mmpose.codecs import SizeAdaptiveHeatmap
from cid_mmpose.registry import MODELS
from cid_mmpose.weights.layouts import CELL_CENTER, MMPOSE_1, OURS, rename

KEYPOINTS, STRIDE, TRAIN_SIZE, TEST_SIZE = 17, 4, (512, 512), (704, 512)  # sizes in pixels, (w, h)
WIDTHS = (32, 64, 128, 256)  # of HRNet-W32's branches
FLIP = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
PRIOR, SPREAD = -3.0, 0.25  # bias of maps with random weights, and their deviation: few cells are high, none saturated
FEATURES = 0.25  # deviation of the random features, about that of the branches of a network with random weights


class Scene(NamedTuple):
    """N people of one image."""

    keypoints: np.ndarray  # (N, K, 2) in pixels
    visible: np.ndarray  # (N, K)
    bbox: np.ndarray  # (N, 4, 2) corners


def crowd(rng: np.random.Generator, people: int, size: Sequence[int] = TRAIN_SIZE) -> Scene:
    """People of 40 to 160 pixels anywhere in the image, with a fifth of their keypoints unlabelled."""
    middle = rng.uniform(0.06, 0.94, (people, 1, 2)) * size
    keypoints = middle + rng.uniform(-0.5, 0.5, (people, KEYPOINTS, 2)) * rng.uniform(40, 160, (people, 1, 1))
    low, high = keypoints.min(1), keypoints.max(1)
    corners = [low, np.stack([low[:, 0], high[:, 1]], 1), np.stack([high[:, 0], low[:, 1]], 1), high]
    return Scene(
        keypoints.astype(np.float32),
        (rng.random((people, KEYPOINTS)) < 0.8).astype(np.float32),
        np.stack(corners, 1).astype(np.float32),
    )


def our_codec() -> SizeAdaptiveHeatmap:
    """Ours with MMPose's rules, and without its limit of 30 people."""
    return SizeAdaptiveHeatmap(recipe='mmpose', max_people=0)


def mmpose_codec():
    """MMPose's ``DecoupledHeatmap``."""
    from mmpose.codecs import DecoupledHeatmap

    return DecoupledHeatmap(input_size=TRAIN_SIZE, heatmap_size=tuple(side // STRIDE for side in TRAIN_SIZE))


def our_sample(scene: Scene) -> PoseDataSample:
    """A training sample as our pipeline packs it."""
    sample = PoseDataSample(metainfo=dict(input_size=TRAIN_SIZE))
    sample.gt_instance_labels = InstanceData(**our_codec().encode(*scene, TRAIN_SIZE))
    return sample


def mmpose_sample(scene: Scene) -> PoseDataSample:
    """A training sample as MMPose's pipeline packs it."""
    encoded = {name: torch.from_numpy(np.asarray(value)) for name, value in mmpose_codec().encode(*scene).items()}
    sample = PoseDataSample(metainfo=dict(input_size=TRAIN_SIZE))
    sample.gt_instance_labels = InstanceData(
        instance_coords=encoded['instance_coords'].long(), keypoint_weights=encoded['keypoint_weights'].float()
    )
    sample.gt_fields = PixelData(heatmaps=encoded['heatmaps'].float())
    sample.gt_fields.set_field(encoded['instance_heatmaps'].float(), 'instance_heatmaps')
    return sample


def test_samples(count: int, size: Sequence[int]) -> list[PoseDataSample]:
    """Samples of images of ``size`` (w, h) as the test pipelines pack them."""
    side = np.array(size)
    return [
        PoseDataSample(
            metainfo=dict(
                input_size=tuple(size),
                input_center=side / 2,
                input_scale=side,
                flip_indices=FLIP,
                ori_shape=tuple(size)[::-1],
            )
        )
        for _ in range(count)
    ]


def branches(count: int, size: Sequence[int], device: torch.device, seed: int = 0) -> list[Tensor]:
    """Random maps like those of HRNet-W32 for ``count`` images of ``size`` (w, h), channels last as our backbone has
    them."""
    rng = torch.Generator().manual_seed(seed)
    shapes = [(count, width, size[1] // (STRIDE << i), size[0] // (STRIDE << i)) for i, width in enumerate(WIDTHS)]
    maps = [torch.randn(shape, generator=rng).mul(FEATURES).relu().to(device) for shape in shapes]
    return [branch.contiguous(memory_format=torch.channels_last) for branch in maps]


def build(cfg: dict) -> nn.Module:
    """A model whose parts are MMPose's where nothing else is said."""
    with DefaultScope.overwrite_default_scope('mmpose'):
        return MODELS.build(cfg)


def our_model(people: int, checkpoint: str | None, device: torch.device) -> nn.Module:
    """CID-W32 in the recipe mmpose that finds ``people`` people in any image; random weights or given ones."""
    cfg = Config.fromfile(config_path('cid_hrnet-w32_coco.py')).model
    cfg.backbone.init_cfg = None
    cfg.head.update(
        recipe='mmpose',
        decoder=dict(cfg.head.decoder, recipe='mmpose'),
        max_train_people=500,
        test=dict(max_people=people, min_score=0.0, nms=1.0),
    )
    torch.manual_seed(0)
    model = build(cfg)
    for name, parameter in model.head.named_parameters():
        nn.init.normal_(parameter, PRIOR if name in ('iia.conv.bias', 'gfd.heatmap.bias') else 0.0, SPREAD)
    if checkpoint:
        load_checkpoint(model, checkpoint, map_location='cpu')
    return model.to(device).eval()


def mmpose_model(ours: nn.Module) -> nn.Module:
    """MMPose's CID with the weights of ours."""
    cfg = Config.fromfile(config_path('cid_hrnet-w32_coco.py')).model
    cfg.backbone.init_cfg = None
    cfg.update(
        type='BottomupPoseEstimator',
        neck=dict(type='FeatureMapProcessor', concat=True),
        test_cfg=dict(flip_test=True, max_instances=ours.head.test.max_people, score_threshold=0.0),
        train_cfg=dict(max_train_instances=500),
    )
    cfg.head = dict(
        type='CIDHead',
        in_channels=sum(WIDTHS),
        num_keypoints=KEYPOINTS,
        gfd_channels=32,
        coupled_heatmap_loss=dict(type='FocalHeatmapLoss', loss_weight=1.0),
        decoupled_heatmap_loss=dict(type='FocalHeatmapLoss', loss_weight=4.0),
        contrastive_loss=dict(type='InfoNCELoss', temperature=0.05),
        decoder=dict(type='DecoupledHeatmap', input_size=TRAIN_SIZE, heatmap_size=(128, 128)),
    )
    model = build(cfg)
    weights = rename(ours.state_dict(), OURS, MMPOSE_1)
    state = model.state_dict()  # with its version, so that MMPose does not rename what is named well
    state.update({name: value for name, value in weights.items() if name != CELL_CENTER})
    model.load_state_dict(state)
    model.to(next(ours.parameters()).device).train(False)
    return model
