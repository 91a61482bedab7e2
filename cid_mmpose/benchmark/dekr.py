"""DEKR-W32 in MMPose, the other bottom-up network of table 3, as a further peer."""

import torch
from mmengine.config import Config
from mmengine.model import BaseModule
from mmpose.models.heads import DEKRHead
from mmpose.models.heads.hybrid_heads.dekr_head import AdaptiveActivationBlock
from torch import nn
from torchvision.ops import DeformConv2d

from cid_mmpose import config_path

from .subjects import KEYPOINTS, TRAIN_SIZE, WIDTHS, build

CODEC = dict(
    type='SPR',
    input_size=TRAIN_SIZE,
    heatmap_size=(128, 128),
    sigma=(4, 2),
    minimal_diagonal_length=32**0.5,
    generate_keypoint_heatmaps=True,
)


class AdaptiveBlock(AdaptiveActivationBlock):
    """MMPose's block with torchvision's deformable convolution: MMPose's own asks for the compiled ops of mmcv."""

    def __init__(self, channels: int, groups: int) -> None:
        BaseModule.__init__(self)  # theirs raises where mmcv has no compiled ops
        self.groups = groups

        offsets = torch.arange(-1.0, 2)
        taps = torch.cartesian_prod(offsets, offsets).T  # (2, 9), of a 3 x 3 convolution
        self.register_buffer('regular_matrix', torch.cat([taps, torch.ones(1, 9)]))

        self.transform_matrix_conv = nn.Conv2d(channels, 6 * groups, 3, padding=1, groups=groups)
        self.adapt_conv = DeformConv2d(channels, channels, 3, padding=1, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.act = nn.ReLU(inplace=True)


class TorchvisionDEKRHead(DEKRHead):
    """MMPose's head with ``AdaptiveBlock``."""

    def _make_displacement_conv_layers(self, in_channels, out_channels, num_filters, groups) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(in_channels, num_filters, 1, bias=False),
            nn.BatchNorm2d(num_filters),
            nn.ReLU(inplace=True),
            AdaptiveBlock(num_filters, groups),
            AdaptiveBlock(num_filters, groups),
            nn.Conv2d(num_filters, out_channels, 1, groups=groups),
        )


def dekr_model(ours: nn.Module, people: int) -> nn.Module:
    """DEKR-W32 without its rescoring, on the backbone weights of ours; its random head finds ``people`` centers."""
    path = config_path('cid_hrnet-w32_coco.py')
    cfg = Config.fromfile(path).model
    cfg.backbone.init_cfg = None
    cfg.update(
        type='BottomupPoseEstimator',
        neck=dict(type='FeatureMapProcessor', concat=True),
        test_cfg=dict(multiscale_test=False, flip_test=True, nms_dist_thr=0.05, shift_heatmap=True),
    )
    cfg.head = dict(
        type=TorchvisionDEKRHead,
        in_channels=sum(WIDTHS),
        num_keypoints=KEYPOINTS,
        decoder=dict(CODEC, decode_max_instances=people),
    )
    model = build(cfg)
    weights = ours.backbone.state_dict()
    model.backbone.load_state_dict(weights)

    torch.manual_seed(0)
    for parameter in model.head.heatmap_conv_layers[-1].parameters():
        nn.init.normal_(parameter, std=0.25)  # centers above the threshold

    device = next(ours.parameters()).device
    return model.to(device).train(False)
