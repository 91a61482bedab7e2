"""One set of random weights of CID under the names that each program in the world gives them.

The names are typed here by hand, from the authors' code and from MMPose 0.29 and 1.3.2.
"""

import copy
import functools
from collections import OrderedDict
from pathlib import Path

import torch
from mmpose.registry import MODELS

from cid_mmpose.models import CID
from cid_mmpose.recipes import apply_recipe

from .images import build_model, tiny_config

SIZE = (128, 96)  # w, h of the input in pixels
CENTER = 'head.gfd.spatial.cell_center'
# MMPose 1.x -> the authors', MMPose 0.x, ours
PARTS = {
    'head.iia_module.keypoint_root_conv': (
        'iia.keypoint_center_conv',
        'keypoint_head.keypoint_center_conv',
        'head.iia.conv',
    ),
    'head.gfd_module.conv_down': ('gfd.conv_down', 'keypoint_head.conv_down', 'head.gfd.conv_down'),
    'head.gfd_module.channel_attention.atn': (
        'gfd.c_attn.atn',
        'keypoint_head.c_attn.atn',
        'head.gfd.channel.attention',
    ),
    'head.gfd_module.spatial_attention.atn': (
        'gfd.s_attn.atn',
        'keypoint_head.s_attn.atn',
        'head.gfd.spatial.attention',
    ),
    'head.gfd_module.spatial_attention.conv': ('gfd.s_attn.conv', 'keypoint_head.s_attn.conv', 'head.gfd.spatial.conv'),
    'head.gfd_module.fuse_attention': ('gfd.fuse_attn', 'keypoint_head.fuse_attn', 'head.gfd.fuse'),
    'head.gfd_module.heatmap_conv': ('gfd.heatmap_conv', 'keypoint_head.heatmap_conv', 'head.gfd.heatmap'),
}
LAYOUTS = ('authors', 'mmpose 0.x', 'ours', 'mmpose 1.x')
CELL_CENTERS = dict(zip(LAYOUTS, (0, 0, 0, 0.5)))


def mmpose_model(keypoints: int = 17):
    """MMPose's own CID on a tiny backbone, with random weights that find many people and do not saturate."""
    cfg = tiny_config().model
    cfg.update(
        type='BottomupPoseEstimator', neck=dict(type='FeatureMapProcessor', concat=True), test_cfg=dict(flip_test=True)
    )
    cfg.head = dict(
        type='CIDHead',
        in_channels=60,
        num_keypoints=keypoints,
        gfd_channels=32,
        decoder=dict(type='DecoupledHeatmap', input_size=SIZE, heatmap_size=(SIZE[0] // 4, SIZE[1] // 4)),
    )
    torch.manual_seed(0)
    model = MODELS.build(cfg)
    for name, value in model.named_parameters():
        if name.startswith('head.'):
            torch.nn.init.normal_(value, std=0.15)
    model.train(False)
    return model


def ours(**options) -> CID:
    """Our model as the recipe of MMPose's port has it, with other weights; ``options`` are dotted names of it."""
    return copy.deepcopy(_built(tuple(options.items())))


@functools.cache
def _built(options: tuple) -> CID:
    cfg = tiny_config()
    cfg.recipe = 'mmpose'
    cfg.model.head.test = dict(nms=1.0)
    cfg.merge_from_dict({f'model.{name}': value for name, value in options})
    apply_recipe(cfg)
    with torch.random.fork_rng():
        torch.manual_seed(0)  # the same weights whichever test asks first
        model = build_model(cfg)
    model.train(False)
    return model


def named_as(layout: str, source: OrderedDict) -> OrderedDict:
    """The same weights as a program of this layout names them."""
    if layout == 'mmpose 1.x':
        return copy.copy(source)  # with its versions
    column = LAYOUTS.index(layout)
    split = {name: name.rpartition('.') for name in source}
    return OrderedDict(
        (f'{PARTS[part][column] if part in PARTS else part}.{leaf}', source[name])
        for name, (part, _, leaf) in split.items()
    )


def with_module(weights: dict) -> OrderedDict:
    return OrderedDict((f'module.{name}', value) for name, value in weights.items())


def saved(checkpoint: dict, path: Path) -> str:
    torch.save(checkpoint, path)
    return str(path)


def assert_holds(model: CID, source: OrderedDict, cell_center: float) -> None:
    """Every weight of the model is the source's, and its coordinates are taken there."""
    state = model.state_dict()
    assert state.pop(CENTER) == cell_center
    expected = named_as('ours', source)
    assert set(state) == set(expected) and all(torch.equal(state[name], expected[name]) for name in state)
