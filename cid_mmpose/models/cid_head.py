"""CID (figure 2): IIA finds people, GFD gives each a feature map of their own, a light head reads the keypoints.

B pictures, P annotated people of a batch, N people with a map, C feature channels, K joints, (H, W) heatmap cells.
Training and testing differ only in where the roots come from.
"""
from typing import Optional, Sequence, Union

import torch
from mmengine.structures import PixelData
from mmpose.models.heads.base_head import BaseHead
from torch import Tensor

from cid_mmpose.codecs import PersonTargets, gather_targets, gaussian_axes, render_max, render_people
from cid_mmpose.errors import BadInput
from cid_mmpose.recipes import DEFAULT, options_of
from cid_mmpose.registry import KEYPOINT_CODECS, MODELS

from .flip import average_halves, average_people, stack_mirrored
from .gfd import GFD
from .iia import IIA
from .people import PredictOptions, make_people
from .roots import Roots, find_roots, sample_at, smooth

SCORE_LIMIT = 1e-4  # maps lie in [limit, 1 - limit]; source: the authors' _sigmoid
TEST_OPTIONS = {'flip_test', 'output_heatmaps'}


def to_scores(logits: Tensor) -> Tensor:
    """Logits -> float32 in [1e-4, 1 - 1e-4]."""
    return logits.float().sigmoid().clamp(SCORE_LIMIT, 1 - SCORE_LIMIT)


@MODELS.register_module()
class CIDHead(BaseHead):
    """The head of CID: IIA + GFD.

    Args:
        in_channels: C of the concatenated backbone branches. num_keypoints: K.
        gfd_channels: D of GFD (table 2).
        recalibration: 'fused', 'spatial' or 'channel' (table 1).
        crowd_loss, person_loss: losses of the crowd's and of each person's maps; contrastive_loss: of the vectors.
        decoder: config of the codec that made the targets, here for its ``stride`` and ``decode``.
        recipe: 'reference' or 'mmpose', for ``cell_center`` (``recipes.py``).
        cell_center: see ``gfd.relative_coordinates``; a checkpoint that is loaded brings its own.
        max_train_people: at most so many people of a batch get a map, chosen at random.
        test: fields of ``PredictOptions``.

    Source: section 3 of the paper; the authors' code where the paper is silent.
    """

    def __init__(self,
                 *,
                 in_channels: int,
                 num_keypoints: int,
                 decoder: dict,
                 recipe: str = DEFAULT,
                 cell_center: Optional[float] = None,
                 gfd_channels: int = 32,
                 recalibration: str = 'fused',
                 crowd_loss: dict = dict(type='cid_mmpose.FocalHeatmapLoss', loss_weight=1.0),
                 person_loss: dict = dict(type='cid_mmpose.FocalHeatmapLoss', loss_weight=4.0),
                 contrastive_loss: dict = dict(type='cid_mmpose.ContrastiveLoss'),
                 max_train_people: int = 200,
                 test: Optional[dict] = None) -> None:
        super().__init__()
        self.iia = IIA(in_channels, num_keypoints)
        options = options_of('CIDHead', recipe, cell_center=cell_center)
        self.gfd = GFD(in_channels, gfd_channels, num_keypoints, recalibration, **options)
        self.crowd_loss = MODELS.build(crowd_loss)
        self.person_loss = MODELS.build(person_loss)
        self.contrastive_loss = MODELS.build(contrastive_loss)
        self.decoder = KEYPOINT_CODECS.build(decoder)
        self.max_train_people = max_train_people
        self.test = PredictOptions(**(test or {}))
        self.sigmas = self.test.joint_sigmas(num_keypoints)

    def forward(self, feats: Sequence[Tensor]) -> tuple:
        """Everything CID says of B pictures, without flip test and decoding.

        Args:
            feats: the neck's maps; the last one (B, C, H, W) is used.

        Returns:
            crowd maps (B, K + 1, H, W), roots of N people, and their maps (N, K, H, W), both maps as scores.
        """
        features = feats[-1]
        crowd = to_scores(self.iia(features))
        roots = find_roots(crowd[:, -1], self.test.max_people, self.test.min_score, self.test.blur)
        return crowd, roots, to_scores(self.gfd(features, sample_at(features, roots), roots))

    def loss(self, feats: Sequence[Tensor], batch_data_samples: list, train_cfg: Optional[dict] = None) -> dict:
        """L of eq. 5 in its parts; the same keys always, and zero gradients where nobody is.

        Args:
            feats: the neck's maps; the last one (B, C, H, W) is used.
            batch_data_samples: B samples with ``gt_instance_labels`` (``PersonTargets`` fields) and optionally
                ``gt_fields.heatmap_mask`` (1, H, W), False where the crowd's maps do not count.
            train_cfg: not used; MMPose's estimators hand it over.

        Returns:
            ``loss_crowd``, ``loss_person`` and ``loss_contrastive``, scalars.
        """
        features = feats[-1]
        targets = gather_targets([sample.gt_instance_labels for sample in batch_data_samples], features.device)
        roots = Roots(targets.seed_cell[targets.seeded].long(), targets.image[targets.seeded])
        params = sample_at(features, roots)
        chosen = self._choose(len(params), features.device)
        logits = self.gfd(features, params[chosen], Roots(roots.cell[chosen], roots.image[chosen]))
        person, drawn = draw_people(targets, targets.seeded.nonzero()[:, 0][chosen], features)
        return dict(
            loss_crowd=self.crowd_loss(
                self.iia(features), draw_crowd(targets, features), loss_mask(batch_data_samples, features)),
            loss_person=self.person_loss(logits, person, drawn),
            loss_contrastive=self.contrastive_loss(params, roots.image))

    def _choose(self, count: int, device: torch.device) -> Tensor:
        """Indices, ascending, of at most ``max_train_people`` of ``count`` people."""
        return torch.randperm(count, device=device)[:self.max_train_people].sort()[0]

    def predict(self,
                feats: Union[Sequence[Tensor], Sequence[Sequence[Tensor]]],
                batch_data_samples: list,
                test_cfg: Optional[dict] = None) -> Union[list, tuple]:
        """The people of B equally sized pictures.

        Args:
            feats: the neck's maps, or with ``flip_test`` a pair of them: of the pictures and of their mirror images.
            batch_data_samples: B samples; with ``flip_test`` their ``flip_indices`` swap left and right joints.
            test_cfg: ``flip_test`` and ``output_heatmaps``, both False by default.

        Returns:
            B ``InstanceData`` as ``make_people`` describes, in input pixels; with ``output_heatmaps`` also B
            ``PixelData`` whose ``heatmaps`` (K, H, W) hold the larger value of all people.

        Raises:
            BadInput: an unknown option in ``test_cfg``.
        """
        test_cfg = test_cfg or {}
        self.check_options(test_cfg)
        maps, roots = self._person_maps(feats, batch_data_samples, test_cfg.get('flip_test', False))
        keypoints, scores = self.decoder.decode(smooth(maps, self.test.blur), roots.score)
        k = scores.shape[1]  # one transfer to the host for the whole batch:
        found = torch.cat([keypoints.flatten(1), scores, roots.image[:, None]], 1).detach().cpu().numpy()
        keypoints, scores, image = found[:, :2 * k].reshape(-1, k, 2), found[:, 2 * k:-1], found[:, -1]
        people = [
            make_people(keypoints[image == b], scores[image == b], self.sigmas, self.test.nms)
            for b in range(len(batch_data_samples))
        ]
        if not test_cfg.get('output_heatmaps', False):
            return people
        return people, [PixelData(heatmaps=largest(maps[roots.image == b])) for b in range(len(people))]

    @staticmethod
    def check_options(test_cfg: dict) -> None:
        """BadInput if ``model.test_cfg`` has an option that ``predict`` does not know."""
        if unknown := set(test_cfg) - TEST_OPTIONS:
            raise BadInput(f'model.test_cfg: unknown {sorted(unknown)}; CIDHead knows {sorted(TEST_OPTIONS)}')

    def _person_maps(self, feats: Sequence, batch_data_samples: list, flip: bool) -> tuple:
        """Scores (N, K, H, W) of the people found, averaged over both halves of a flip test, and their roots."""
        features = stack_mirrored(feats[0][-1], feats[1][-1]) if flip else feats[-1]
        center = to_scores(self.iia(features)[:, -1])
        roots = find_roots(
            average_halves(center) if flip else center, self.test.max_people, self.test.min_score, self.test.blur)
        if not flip:
            return to_scores(self.gfd(features, sample_at(features, roots), roots)), roots
        both = Roots(roots.cell.repeat(2, 1), torch.cat([roots.image, roots.image + len(batch_data_samples)]))
        maps = to_scores(self.gfd(features, sample_at(features, both), both))
        return average_people(maps, batch_data_samples[0].metainfo['flip_indices']), roots


def draw_people(targets: PersonTargets, chosen: Tensor, like: Tensor) -> tuple:
    """Targets (N, K, H, W) of the people ``chosen`` (N,) and the weight (N, K, 1, 1) of each map, 0 if not drawn."""
    drawn = targets.joint_drawn[chosen]
    radius, sigma = (size[chosen, None].expand(drawn.shape) for size in (targets.radius, targets.sigma))
    axes = gaussian_axes(targets.joint_cell[chosen], radius, sigma, drawn, like.shape[:-3:-1])
    return render_people(*axes), drawn[..., None, None].to(axes[0].dtype)


def draw_crowd(targets: PersonTargets, like: Tensor) -> Tensor:
    """Targets [H*; C*] (B, K + 1, H, W) of everyone, the centre map last."""
    cell = torch.cat([targets.joint_cell, targets.root_cell[:, None]], 1)
    drawn = torch.cat([targets.joint_drawn, targets.root_drawn[:, None]], 1)
    radius, sigma = (size[:, None].expand(drawn.shape) for size in (targets.radius, targets.sigma))
    axes = gaussian_axes(cell, radius, sigma, drawn, like.shape[:-3:-1])
    return render_max(*axes, targets.image, len(like))


def loss_mask(batch_data_samples: list, like: Tensor) -> Tensor:
    """(B, 1, H, W) float, 0 where the crowd's maps do not count; all 1 for samples without a mask."""
    if 'gt_fields' not in batch_data_samples[0]:
        return like.new_ones(len(like), 1, *like.shape[-2:], dtype=torch.float32)
    return torch.stack([sample.gt_fields.heatmap_mask for sample in batch_data_samples]).to(like.device).float()


def largest(maps: Tensor) -> Tensor:
    """(N, K, H, W) -> (K, H, W), the larger value of all people; zeros for nobody."""
    return maps.amax(0) if len(maps) else maps.new_zeros(maps.shape[1:])
