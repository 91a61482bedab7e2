"""MMPose's own CID beside ours: the same people, features and weights given to both."""

from unittest import mock

import numpy as np
import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.codecs import DecoupledHeatmap
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from . import oracle

STRIDE = 4
FLIP = [0, 2, 1, 3]
# our parameter -> theirs
NAMES = {
    'iia.conv': 'iia_module.keypoint_root_conv',
    'gfd.conv_down': 'gfd_module.conv_down',
    'gfd.channel.attention': 'gfd_module.channel_attention.atn',
    'gfd.spatial.attention': 'gfd_module.spatial_attention.atn',
    'gfd.spatial.conv': 'gfd_module.spatial_attention.conv',
    'gfd.fuse': 'gfd_module.fuse_attention',
    'gfd.heatmap': 'gfd_module.heatmap_conv',
}


def codec(size):
    """MMPose's codec for inputs of ``size`` (w, h)."""
    return DecoupledHeatmap(input_size=size, heatmap_size=tuple(side // STRIDE for side in size))


def encode(scene, size):
    """MMPose's targets, with every seed left where its root is."""
    with mock.patch('numpy.random.randint', lambda low, high, shape: np.zeros(shape, int)):
        return codec(size).encode(scene.keypoints, scene.visible, scene.bbox)


def heads(size, seed=0, spread=0.3):
    """(ours, theirs) with the same random weights; ours in the recipe 'mmpose'."""
    ours = oracle.head(
        seed,
        spread,
        recipe='mmpose',
        decoder=dict(type='cid_mmpose.SizeAdaptiveHeatmap', recipe='mmpose'),
        test=dict(sigmas=(0.05,) * 4, nms=1.0),
    )
    theirs = MODELS.build(
        dict(
            type='CIDHead',
            in_channels=6,
            num_keypoints=4,
            gfd_channels=5,
            coupled_heatmap_loss=dict(type='FocalHeatmapLoss', loss_weight=1.0),
            decoupled_heatmap_loss=dict(type='FocalHeatmapLoss', loss_weight=4.0),
            contrastive_loss=dict(type='InfoNCELoss', temperature=0.05),
            decoder=dict(type='DecoupledHeatmap', input_size=size, heatmap_size=tuple(s // STRIDE for s in size)),
        )
    )
    state = theirs.state_dict()  # with its version, so that MMPose does not rename what is named well
    for name, value in ours.state_dict().items():
        if 'cell_center' not in name:
            state[their_parameter(name)] = value
    theirs.load_state_dict(state)
    return ours, theirs.eval()


def their_parameter(ours):
    """Our parameter's name -> theirs."""
    module, _, kind = ours.rpartition('.')
    return f'{NAMES[module]}.{kind}'


def sample(scene, size):
    """What MMPose's pipeline packs for one image."""
    encoded = {name: torch.from_numpy(np.asarray(value)) for name, value in encode(scene, size).items()}
    packed = PoseDataSample(metainfo=dict(flip_indices=FLIP, input_size=size))
    packed.gt_instance_labels = InstanceData(
        instance_coords=encoded['instance_coords'].long(), keypoint_weights=encoded['keypoint_weights'].float()
    )
    packed.gt_fields = PixelData(heatmaps=encoded['heatmaps'].float())
    packed.gt_fields.set_field(encoded['instance_heatmaps'].float(), 'instance_heatmaps')
    return packed
