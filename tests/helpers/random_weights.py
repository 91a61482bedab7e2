"""Checkpoints of any config with random weights that behave like a trained network's."""

from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmpose.apis.inference import dataset_meta_from_config
from torch import nn

from cid_mmpose.recipes import apply_recipe

from .images import ROOT, build_model


def random_checkpoint(path: Path, cfg: Config, **options) -> str:
    """A checkpoint of a config with random weights, whose maps are as uneven as those of a trained network.

    Args:
        path: of the file.
        cfg: its config; it is changed.
        **options: dotted names of the config's and their values.
    """
    cfg.merge_from_dict(options)
    text = Config(cfg.to_dict()).pretty_text
    apply_recipe(cfg)
    torch.manual_seed(0)
    network = build_model(cfg)
    for module in network.backbone.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the mean over all batches that follow
        # blocks that change little, as in a trained network: a random one makes much of the last digits
        for last in ('norm3', 'norm2'):
            if hasattr(module, last):
                nn.init.constant_(getattr(module, last).weight, 0.1)
                break
    rough = np.random.default_rng(0).normal(size=(4, 3, 12, 12))
    smooth = nn.functional.interpolate(torch.tensor(rough, dtype=torch.float32), (128, 128), mode='bicubic')
    noise = torch.rand(4, 3, 128, 128) * 4 - 2
    images = torch.cat([smooth, noise])
    network.backbone.train()
    with torch.no_grad():
        network.backbone(images)
        network.eval()
        even_out(network, images)
    meta = dict(cfg=text, dataset_meta=dataset_meta_from_config(cfg, dataset_mode='train'))
    torch.save(dict(meta=meta, state_dict=network.state_dict()), path)
    return str(path)


def even_out(network: nn.Module, images: torch.Tensor) -> None:
    """Weights of a head whose logits neither saturate nor are flat: there the last digits would choose the peaks.

    Args:
        network: a CID, whose head is changed in place.
        images: (B, 3, h, w), normalised.
    """
    head = network.head
    features = network.extract_feat(images)
    deviation = torch.cat([feature.flatten() for feature in features]).square().mean().sqrt()
    for module in head.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, nonlinearity='linear')
    head.iia.conv.bias.fill_(-2)
    head.gfd.heatmap.bias.fill_(-2)
    for layer in (head.iia.conv, head.gfd.conv_down, head.gfd.channel, head.gfd.spatial):
        if layer is not None:
            getattr(layer, 'attention', layer).weight.div_(deviation)
    seen = head(features)
    for layer, logits in ((head.iia.conv, seen.crowd), (head.gfd.heatmap, seen.heatmaps)):
        layer.weight.div_(logits.std())


def every_config() -> list[str]:
    """The configs of the repository, below ``configs/``."""
    folder = ROOT / 'configs'
    found = [path.relative_to(folder).as_posix() for path in folder.rglob('*.py') if '_base_' not in path.parts]
    return sorted(name for name in found if 'mmpose-cid' not in name)
