"""Parts that only the study needs, registered under ``cid_mmpose`` so that its configs can name them."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from mmpose.codecs import AssociativeEmbedding
from mmpose.datasets.transforms import BottomupRandomAffine
from mmpose.models.heads import CIDHead
from mmpose.models.losses import KeypointMSELoss
from mmpose.models.necks import FeatureMapProcessor
from torch import Tensor, nn

from cid_mmpose.benchmark.dekr import AdaptiveBlock, TorchvisionDEKRHead
from cid_mmpose.codecs import SizeAdaptiveHeatmap
from cid_mmpose.codecs.size_adaptive import Seeds, to_cell
from cid_mmpose.codecs.targets import first_on_place
from cid_mmpose.data.synth_crowd import SynthCrowd
from cid_mmpose.models.iia import init_linear
from cid_mmpose.registry import DATASETS, KEYPOINT_CODECS, MODELS, TRANSFORMS

ARRAYS = ('bbox', 'bbox_score', 'keypoints', 'keypoints_visible', 'area', 'category_id')  # of the people of an item
LISTS = ('num_keypoints', 'iscrowd', 'id', 'raw_ann_info')  # likewise


@KEYPOINT_CODECS.register_module()
class StillHeatmap(SizeAdaptiveHeatmap):
    """The codec with seeds at the roots, where training otherwise moves them by up to a cell."""

    def _seeds(self, root, root_drawn, area, size, rng) -> Seeds:
        cell = to_cell(root, 'down')
        return Seeds(cell, first_on_place(cell, root_drawn, area))


@KEYPOINT_CODECS.register_module()
class TrainableEmbedding(AssociativeEmbedding):
    """MMPose's codec of associative embedding with the names of its labels.

    Without them its head stops at the first batch, because the labels are left behind when an image is packed: in
    MMPose 1.3.2 this method can be tested and not trained.
    """

    label_mapping_table = dict(keypoint_indices='keypoint_indices', keypoint_weights='keypoint_weights')
    field_mapping_table = dict(heatmaps='heatmaps', heatmap_mask='heatmap_mask')


@MODELS.register_module()
class SameStartCIDHead(CIDHead):
    """MMPose's head of CID with weights before training as large as ours have in the study (``init_std=None``)."""

    def init_weights(self) -> None:
        """As MMPose's, but GFD's weights are as large as each layer's inputs ask for, except where ours are not."""
        super().init_weights()
        for name, module in self.gfd_module.named_modules():
            if name not in ('heatmap_conv', 'spatial_attention.atn'):
                init_linear(module, None)


@TRANSFORMS.register_module()
class AffineOfAnybody(BottomupRandomAffine):
    """MMPose's affine step, which also takes an image without labelled people; its own stops there."""

    def transform(self, results: dict) -> dict:
        """As MMPose's; arrays of nobody stay as they are."""
        if len(results['keypoints']):
            return super().transform(results)
        nobody = {name: results.pop(name) for name in ('keypoints', 'bbox', 'area')}
        return {**super().transform(results), **nobody}


@MODELS.register_module()
class AllBranches(FeatureMapProcessor):
    """MMPose's neck that stacks all branches, with a tuple for a list, as its head of associative embedding asks."""

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The one stacked map of (B, C_i, H_i, W_i) branches."""
        return tuple(super().forward(inputs))


@MODELS.register_module()
class LossOfMaps(KeypointMSELoss):
    """MMPose's mean squared error of maps of images, without the weights of people's keypoints.

    MMPose's head of associative embedding hands over weights of people, which do not fit maps of images.
    """

    def forward(self, output: Tensor, target: Tensor, target_weights: Tensor, mask: Tensor) -> Tensor:
        """The loss of (B, K, H, W) maps where the mask (B, 1, H, W) counts; ``target_weights`` is left aside."""
        return super().forward(output, target, None, mask)


@DATASETS.register_module()
class PartlyLabelled(SynthCrowd):
    """SynthCrowd in which nobody has labelled the keypoints of some people, as in COCO: they are regions only.

    Args:
        share: of the people who are regions, in [0, 1].
        **kwargs: as ``SynthCrowd``.
    """

    def __init__(self, *, share: float, **kwargs) -> None:
        self.share = share
        super().__init__(**kwargs)

    def get_data_info(self, idx: int) -> dict:
        """As SynthCrowd's, with the outlines of the unlabelled people in ``invalid_segs``."""
        item = super().get_data_info(idx)
        chance = np.random.default_rng([self.seed, item['img_id'], 1])
        labelled = chance.random(len(item['keypoints'])) >= self.share

        outlines = [annotation['segmentation'] for annotation in item['raw_ann_info']]
        unlabelled = [outlines[index] for index in np.flatnonzero(~labelled)]
        item['invalid_segs'] = [outline for outline in unlabelled if outline]
        for name in ARRAYS:
            item[name] = np.asarray(item[name])[labelled]
        for name in LISTS:
            item[name] = [item[name][index] for index in np.flatnonzero(labelled)]
        return item


class SampledConv(nn.Module):
    """A deformable 3x3 convolution by ``grid_sample``: torchvision's, several times as fast on a CPU.

    Args:
        channels: of the maps that come and go.
        groups: of the convolution; each has offsets of its own.
    """

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.groups = groups
        self.weight = nn.Parameter(torch.empty(channels, channels // groups, 3, 3))
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)  # as torchvision

    def forward(self, maps: Tensor, offset: Tensor) -> Tensor:
        """The convolution of (B, C, H, W) maps.

        Args:
            maps: (B, C, H, W).
            offset: (B, groups * 9 * 2, H, W), how far each tap of each group is moved, y before x, in cells.
        """
        batch, channels, height, width = maps.shape
        device = maps.device
        taps = torch.arange(-1.0, 2, device=device)
        tap_y, tap_x = torch.meshgrid(taps, taps, indexing='ij')
        rows = torch.arange(height, device=device)[:, None]
        columns = torch.arange(width, device=device)

        moved = offset.reshape(batch * self.groups, 9, 2, height, width)
        y = moved[:, :, 0] + tap_y.reshape(1, 9, 1, 1) + rows
        x = moved[:, :, 1] + tap_x.reshape(1, 9, 1, 1) + columns
        # grid_sample counts from -1 to 1 between the middles of the outermost cells
        grid = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], dim=-1)

        of_groups = maps.reshape(batch * self.groups, channels // self.groups, height, width)
        flat = grid.reshape(batch * self.groups, 9 * height, width, 2)
        sampled = F.grid_sample(of_groups, flat, align_corners=True)  # (B * groups, C / groups, 9 * H, W)

        columns_of = sampled.reshape(batch, self.groups, channels // self.groups * 9, height * width)
        kernels = self.weight.reshape(self.groups, channels // self.groups, -1)
        return (kernels @ columns_of).reshape(batch, channels, height, width)


@MODELS.register_module()
class SampledDEKRHead(TorchvisionDEKRHead):
    """MMPose's DEKR head with ``SampledConv`` in its adaptive blocks."""

    def _make_displacement_conv_layers(self, in_channels, out_channels, num_filters, groups) -> nn.Sequential:
        layers = super()._make_displacement_conv_layers(in_channels, out_channels, num_filters, groups)
        for layer in layers:
            if isinstance(layer, AdaptiveBlock):
                layer.adapt_conv = SampledConv(num_filters, groups)
        return layers
