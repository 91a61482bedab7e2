"""What is measured: CID here and CID in MMPose, with the same weights, features and people."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import mmpose
import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import load_checkpoint
from mmengine.structures import InstanceData, PixelData
from mmpose.apis import MMPoseInferencer
from mmpose.models import HeatmapHead  # noqa: F401  registers MMPose's models
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from cid_mmpose import config_path
from cid_mmpose.codecs import STRIDE, SizeAdaptiveHeatmap
from cid_mmpose.registry import MODELS
from cid_mmpose.weights.layouts import CELL_CENTER, MMPOSE_1, OURS, rename

CONFIG = 'cid_hrnet-w32_coco.py'
PEER = 'body_2d_keypoint/cid/coco/cid_hrnet-w32_8xb20-140e_coco-512x512.py'  # MMPose's config of the same network
KEYPOINTS = 17
TRAIN_SIZE = (512, 512)  # pixels, (w, h)
TEST_SIZE = (704, 512)
WIDTHS = (32, 64, 128, 256)  # of HRNet-W32's branches
FLIP = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
PRIOR = -3.0  # bias of maps with random weights: few cells are high, none saturated
SPREAD = 0.25  # deviation of random weights
PRIORS = ('iia.conv.bias', 'gfd.heatmap.bias')  # parameters of our head that are such a bias
FEATURES = 0.25  # deviation of the random features, about that of the branches of a network with random weights


class Scene(NamedTuple):
    """N people of one image."""

    keypoints: np.ndarray  # (N, K, 2) in pixels
    visible: np.ndarray  # (N, K)
    bbox: np.ndarray  # (N, 4, 2) corners


def crowd(rng: np.random.Generator, people: int, size: Sequence[int] = TRAIN_SIZE) -> Scene:
    """People of 40 to 160 pixels anywhere in the image, with a fifth of their keypoints unlabelled."""
    middle = rng.uniform(0.06, 0.94, (people, 1, 2)) * size
    offset = rng.uniform(-0.5, 0.5, (people, KEYPOINTS, 2))
    side = rng.uniform(40, 160, (people, 1, 1))
    keypoints = middle + offset * side
    visible = rng.random((people, KEYPOINTS)) < 0.8

    low = keypoints.min(1)  # (N, 2)
    high = keypoints.max(1)
    low_left = np.stack([low[:, 0], high[:, 1]], 1)
    top_right = np.stack([high[:, 0], low[:, 1]], 1)
    corners = np.stack([low, low_left, top_right, high], 1)

    return Scene(
        keypoints=keypoints.astype(np.float32),
        visible=visible.astype(np.float32),
        bbox=corners.astype(np.float32),
    )


def our_codec() -> SizeAdaptiveHeatmap:
    """Ours with MMPose's rules, and without its limit of 30 people."""
    return SizeAdaptiveHeatmap(recipe='mmpose', max_people=0)


def mmpose_codec():
    """MMPose's ``DecoupledHeatmap``."""
    from mmpose.codecs import DecoupledHeatmap

    width, height = TRAIN_SIZE
    return DecoupledHeatmap(input_size=TRAIN_SIZE, heatmap_size=(width // STRIDE, height // STRIDE))


def our_sample(scene: Scene) -> PoseDataSample:
    """A training sample as our pipeline packs it."""
    sample = PoseDataSample(metainfo=dict(input_size=TRAIN_SIZE))
    encoded = our_codec().encode(scene.keypoints, scene.visible, scene.bbox, TRAIN_SIZE)
    sample.gt_instance_labels = InstanceData(**encoded)
    return sample


def mmpose_sample(scene: Scene) -> PoseDataSample:
    """A training sample as MMPose's pipeline packs it."""
    encoded = mmpose_codec().encode(scene.keypoints, scene.visible, scene.bbox)
    seeds = torch.as_tensor(encoded['instance_coords'], dtype=torch.int64)
    weights = torch.as_tensor(encoded['keypoint_weights'], dtype=torch.float32)
    heatmaps = torch.as_tensor(encoded['heatmaps'], dtype=torch.float32)
    of_people = torch.as_tensor(encoded['instance_heatmaps'], dtype=torch.float32)

    sample = PoseDataSample(metainfo=dict(input_size=TRAIN_SIZE))
    sample.gt_instance_labels = InstanceData(instance_coords=seeds, keypoint_weights=weights)
    sample.gt_fields = PixelData(heatmaps=heatmaps)
    sample.gt_fields.set_field(of_people, 'instance_heatmaps')
    return sample


def test_samples(count: int, size: Sequence[int]) -> list[PoseDataSample]:
    """Samples of images of ``size`` (w, h) as the test pipelines pack them."""
    width, height = size
    sides = np.array(size)
    metainfo = dict(
        input_size=(width, height),
        input_center=sides / 2,
        input_scale=sides,
        flip_indices=FLIP,
        ori_shape=(height, width),
    )
    return [PoseDataSample(metainfo=metainfo) for _ in range(count)]


def random_images(count: int, size: Sequence[int], device: torch.device) -> Tensor:
    """Pixels (count, 3, h, w) of images of ``size`` (w, h), as the network takes them."""
    width, height = size
    return torch.randn(count, 3, height, width, device=device)


def branches(count: int, size: Sequence[int], device: torch.device, seed: int = 0) -> list[Tensor]:
    """Random maps like those of HRNet-W32, channels last as our backbone has them.

    Args:
        count: of images.
        size: of the images, (w, h) in pixels.
        device: of the maps.
        seed: of their numbers.

    Returns:
        (count, C, H, W) of each branch, the finest first.
    """
    rng = torch.Generator().manual_seed(seed)
    width, height = size
    stride = STRIDE
    maps = []
    for channels in WIDTHS:
        shape = (count, channels, height // stride, width // stride)
        branch = torch.randn(shape, generator=rng).mul(FEATURES).relu()
        branch = branch.to(device).contiguous(memory_format=torch.channels_last)
        maps.append(branch)
        stride *= 2
    return maps


def build(cfg: dict) -> nn.Module:
    """A model whose parts are MMPose's where nothing else is said."""
    with DefaultScope.overwrite_default_scope('mmpose'):
        return MODELS.build(cfg)


def our_model(people: int, checkpoint: str | None, device: torch.device, config: str = CONFIG) -> nn.Module:
    """CID in the recipe mmpose that finds ``people`` people in any image; random weights or given ones.

    Args:
        people: how many.
        checkpoint: path or URL of weights; None for random ones.
        device: of the network.
        config: name of that of the network.
    """
    cfg = Config.fromfile(config_path(config)).model
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
        mean = PRIOR if name in PRIORS else 0.0
        nn.init.normal_(parameter, mean, SPREAD)

    if checkpoint:
        load_checkpoint(model, checkpoint, map_location='cpu')
    return model.to(device).eval()


def untrained_model(device: torch.device) -> nn.Module:
    """CID as its training begins, without weights of a backbone."""
    cfg = Config.fromfile(config_path(CONFIG)).model
    cfg.backbone.init_cfg = None
    torch.manual_seed(0)
    return build(cfg).to(device)


def mmpose_model(ours: nn.Module) -> nn.Module:
    """MMPose's CID with the weights of ours."""
    cfg = Config.fromfile(config_path(CONFIG)).model
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
    for name, value in weights.items():
        if name != CELL_CENTER:
            state[name] = value
    model.load_state_dict(state)

    device = next(ours.parameters()).device
    return model.to(device).train(False)


def mmpose_inferencer(ours: nn.Module, folder: Path) -> MMPoseInferencer:
    """MMPose's inferencer of its own config of CID, with the weights of ours.

    Args:
        ours: of ``our_model``.
        folder: where the config is written.
    """
    cfg = Config.fromfile(Path(mmpose.__file__).parent / '.mim' / 'configs' / PEER)
    cfg.model.backbone.init_cfg = None
    cfg.model.test_cfg.update(max_instances=ours.head.test.max_people, score_threshold=0.0)
    path = folder / 'mmpose.py'
    cfg.dump(path)

    device = next(ours.parameters()).device
    made = MMPoseInferencer(pose2d=str(path), device=str(device))
    made.inferencer.model.load_state_dict(mmpose_model(ours).state_dict())
    return made
