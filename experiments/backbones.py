"""Try backbones of MMPose and MMDetection under CID's head; print the table of docs/mmpose.md.

Each has random weights, takes a training step on two images of SynthCrowd of 128 px, and predicts on one more.
``python experiments/backbones.py`` tries all of them, ``python experiments/backbones.py ResNet mmdet.CSPNeXt`` some.
"""

import argparse
from collections.abc import Sequence
from typing import NamedTuple

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import MODELS
from torch import nn

from cid_mmpose import config_path
from cid_mmpose.cli.user_errors import user_errors
from cid_mmpose.errors import BadInput

MODEL = 'cid_resnet-50_coco.py'  # the config whose backbone is replaced
IMAGES = 'demo/cid_hrnet-w16-small_synthcrowd-128.py'  # the config that draws the images
SIDE = 512  # px of the input for which operations are counted
FOUR = (0, 1, 2, 3)
HEAD = '| type | options | `widths` | parameters, M | GMAC |\n| --- | --- | --- | --- | --- |'


class Backbone(NamedTuple):
    """Options of a backbone, without its type, and the channels of the maps that it then gives."""

    options: dict
    widths: Sequence[int]


class Cost(NamedTuple):
    """Size and work of a network."""

    parameters: float  # millions, head included
    gmac: float  # billions of multiply-adds of the backbone for an input of SIDE x SIDE pixels


RESNET = (256, 512, 1024, 2048)
SWIN = (96, 192, 384, 768)
PVT = (64, 128, 320, 512)
HRNET = (32, 64, 128, 256)


def hrformer_stage(modules: int, branches: int) -> dict:
    """A stage of HRFormer-S."""
    return dict(
        num_modules=modules,
        num_branches=branches,
        block='HRFORMERBLOCK',
        num_blocks=(2,) * branches,
        num_channels=HRNET[:branches],
        num_heads=[1, 2, 4, 8][:branches],
        mlp_ratios=[4] * branches,
        window_sizes=[7] * branches,
        multiscale_output=True,
    )


HRFORMER = dict(
    drop_path_rate=0.1,
    with_rpe=True,
    stage1=dict(
        num_modules=1,
        num_branches=1,
        block='BOTTLENECK',
        num_blocks=(2,),
        num_channels=(64,),
        num_heads=[2],
        mlp_ratios=[4],
    ),
    stage2=hrformer_stage(1, 2),
    stage3=hrformer_stage(4, 3),
    stage4=hrformer_stage(2, 4),
)
LITEHRNET = dict(
    stem=dict(stem_channels=32, out_channels=32, expand_ratio=1),
    num_stages=3,
    stages_spec=dict(
        num_modules=(2, 4, 2),
        num_branches=(2, 3, 4),
        num_blocks=(2, 2, 2),
        module_type=('LITE', 'LITE', 'LITE'),
        with_fuse=(True, True, True),
        reduce_ratios=(8, 8, 8),
        num_channels=((40, 80), (40, 80, 160), (40, 80, 160, 320)),
    ),
    with_head=True,
)

BACKBONES = {
    'ResNet': Backbone(dict(depth=50, out_indices=FOUR), RESNET),
    'ResNeXt': Backbone(dict(depth=50, out_indices=FOUR), RESNET),
    'SEResNet': Backbone(dict(depth=50, out_indices=FOUR), RESNET),
    'RegNet': Backbone(dict(arch='regnetx_3.2gf', out_indices=FOUR), (96, 192, 432, 1008)),
    'ViPNAS_ResNet': Backbone(dict(depth=50, out_indices=FOUR), (80, 160, 304, 608)),
    'MobileNetV2': Backbone(dict(out_indices=(1, 2, 4, 6)), (24, 32, 96, 320)),
    'CSPNeXt': Backbone(dict(deepen_factor=0.67, widen_factor=0.75, out_indices=(1, 2, 3, 4)), SWIN),
    'SwinTransformer': Backbone(
        dict(embed_dims=96, depths=[2, 2, 6, 2], num_heads=[3, 6, 12, 24], out_indices=FOUR), SWIN
    ),
    'PyramidVisionTransformer': Backbone(dict(num_layers=[2, 2, 2, 2]), PVT),
    'PyramidVisionTransformerV2': Backbone(dict(embed_dims=64, num_layers=[3, 4, 6, 3]), PVT),
    'HRFormer': Backbone(dict(extra=HRFORMER, norm_cfg=dict(type='BN')), HRNET),
    'LiteHRNet': Backbone(dict(extra=LITEHRNET), (40,)),
    'mmdet.CSPNeXt': Backbone(dict(deepen_factor=0.67, widen_factor=0.75, out_indices=(1, 2, 3, 4)), SWIN),
    'mmdet.CSPDarknet': Backbone(
        dict(deepen_factor=0.33, widen_factor=0.5, out_indices=(1, 2, 3, 4)), (64, 128, 256, 512)
    ),
    'mmdet.Res2Net': Backbone(dict(depth=50, scales=4, base_width=26), RESNET),
    'mmdet.ResNeSt': Backbone(dict(depth=50), RESNET),
    'mmdet.EfficientNet': Backbone(dict(arch='b3', out_indices=(2, 3, 4, 5)), (32, 48, 136, 384)),
    'mmdet.SwinTransformer': Backbone(dict(), SWIN),
    'mmdet.PyramidVisionTransformerV2': Backbone(dict(embed_dims=64, num_layers=[3, 4, 6, 3]), PVT),
}


def network(kind: str) -> nn.Module:
    """CID with a backbone of ``BACKBONES``, random weights."""
    init_default_scope('mmpose')
    options, widths = BACKBONES[kind]
    cfg = Config.fromfile(config_path(MODEL))
    cfg.model.backbone = dict(options, type=kind)
    cfg.model.head.in_channels = sum(widths)
    torch.manual_seed(0)
    return MODELS.build(cfg.model)


def batches() -> tuple:
    """A batch of two images to train on, and one image to test on."""
    init_default_scope('mmpose')
    cfg = Config.fromfile(config_path(IMAGES))
    found = []
    for loader, size in ((cfg.train_dataloader, 2), (cfg.val_dataloader, 1)):
        loader.update(batch_size=size, num_workers=0, persistent_workers=False)
        found.append(next(iter(Runner.build_dataloader(loader, seed=0))))
    return tuple(found)


def train_and_test(model: nn.Module, training: dict, testing: dict) -> dict:
    """A step of training and a prediction; returns the losses, numbers.

    Args:
        model: a network.
        training: batch, as a data loader gives it.
        testing: likewise.

    Raises:
        BadInput: a gradient is not finite.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    model.train(True)
    losses = model.loss(**model.data_preprocessor(training, True))
    sum(losses.values()).backward()
    for name, parameter in model.named_parameters():
        if parameter.grad is not None and not parameter.grad.isfinite().all():
            raise BadInput(f'{name}: its gradient is not finite')
    optimizer.step()

    model.train(False)
    with torch.no_grad():
        model.test_step(testing)
    return {name: float(loss.detach()) for name, loss in losses.items()}


def cost_of(model: nn.Module) -> Cost:
    """Size of a network and work of its backbone."""
    from torch.utils.flop_counter import FlopCounterMode  # torch 2.0 has none

    model.train(False)
    count = sum(parameter.numel() for parameter in model.parameters())
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.extract_feat(torch.zeros(1, 3, SIDE, SIDE))
    return Cost(count / 1e6, counter.get_total_flops() / 2e9)


def row(kind: str, cost: Cost) -> str:
    """A line of the table."""
    options, widths = BACKBONES[kind]
    words = [f'{name}={value!r}' for name, value in options.items() if name not in ('extra', 'norm_cfg')]
    shown = f'`{", ".join(words)}`' if words else ''
    if 'extra' in options:
        shown = f"`extra` as in MMPose's {'HRFormer-S' if kind == 'HRFormer' else 'LiteHRNet-18'}"
    return f'| `{kind}` | {shown} | {", ".join(map(str, widths))} | {cost.parameters:.1f} | {cost.gmac:.1f} |'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('kinds', nargs='*', metavar='TYPE', help=', '.join(BACKBONES))
    return parser.parse_args()


def main(kinds: Sequence[str]) -> None:
    for kind in kinds:
        if kind not in BACKBONES:
            raise BadInput(f'{kind}: not among the backbones that are tried; there are {", ".join(BACKBONES)}')
    training, testing = batches()
    print(HEAD)
    for kind in kinds or BACKBONES:
        model = network(kind)
        train_and_test(model, training, testing)
        print(row(kind, cost_of(model)), flush=True)


if __name__ == '__main__':
    args = parse_args()
    with user_errors():
        main(args.kinds)
