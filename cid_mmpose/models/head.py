"""CID (figure 2): IIA finds people, GFD gives each a feature map of their own, a light head reads the keypoints.

B images, P annotated people of a batch, N people with a map, C feature channels, K keypoints, (H, W) heatmap cells.
Feature maps and heatmaps are (H, W), sizes for the codec (W, H).

``CIDHead.forward`` is figure 2 as it is drawn. Training and testing come to its numbers through ``fast/``. Training
takes the roots from the annotations, moved by up to a cell, and at most ``max_train_people`` of them. Testing finds
them, averages the views, smooths the maps and keeps only their peaks. docs/architecture.md has a table of the paper's
equations.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.models.heads.base_head import BaseHead
from torch import Tensor

from cid_mmpose.codecs import Peaks, PersonTargets, gather_targets, render_crowd, to_pixel
from cid_mmpose.errors import BadInput
from cid_mmpose.recipes import DEFAULT, options_of
from cid_mmpose.registry import KEYPOINT_CODECS, MODELS

from .fast.branches import convolve_branches, sample_branches
from .fast.gfd import FactoredGFD
from .fast.person_loss import loss_in_chunks
from .fast.person_peaks import person_peaks
from .features import sample_at, stack_branches
from .gfd import GFD, to_scores
from .iia import IIA, INIT_STD
from .losses import HeatmapLoss
from .options import TestOptions
from .person_nms import make_people
from .roots import Roots, find_roots
from .views import Views, mean_of, views_of


class CIDOutput(NamedTuple):
    """What CID sees in B images, N people of all of them."""

    crowd: Tensor  # (B, K + 1, H, W), logits of everyone's keypoints, the center map last (eq. 6)
    roots: Roots  # l of N people
    vectors: Tensor  # (N, C), f of each person (eq. 7)
    similarity: Tensor | None  # (N, H, W), M_sim of eq. 10; None where only channels are recalibrated
    masks: Tensor | None  # (N, H, W) in (0, 1), M of eq. 10; None where only channels are recalibrated
    channel_weights: Tensor | None  # (N, D), what eq. 11 multiplies F^ with; None where only cells are recalibrated
    instance_features: Tensor  # (N, D, H, W), F^(i): the feature map of each person (eq. 12)
    heatmaps: Tensor  # (N, K, H, W), logits of each person's keypoints (eq. 1)


class FoundPeople(NamedTuple):
    """The people of B images."""

    people: list[InstanceData]  # B, see ``make_people``
    heatmaps: Tensor | None  # (B, K, H, W), the largest value of all people; None where nobody asked for them

    def heatmap_fields(self) -> list[PixelData] | None:
        """``heatmaps`` as MMPose's samples hold them, one an image."""
        if self.heatmaps is None:
            return None
        return [PixelData(heatmaps=maps) for maps in self.heatmaps]


@MODELS.register_module()
class CIDHead(BaseHead):
    """The head of CID: IIA + GFD.

    Args:
        in_channels: C of the concatenated backbone branches.
        num_keypoints: K.
        gfd_channels: D of GFD (table 2).
        recalibration: 'fused', 'spatial' or 'channel' (table 1).
        crowd_loss: of the crowd's maps, FL of eq. 14; called with logits, targets and weights.
        person_loss: of each person's maps, L_GFD; a ``HeatmapLoss``. Its ``loss_weight`` is lambda of eq. 5.
        contrastive_loss: of the vectors, eq. 8; called with vectors and the image of each.
        decoder: config of the codec that made the targets, ``codecs/size_adaptive.py``. The head takes its ``stride``
            and its ``decode_peaks``, which makes keypoints of the peaks of heatmaps.
        recipe: 'reference' or 'mmpose', for ``cell_center`` (``recipes.py``).
        cell_center: see ``gfd.relative_coordinates``; a checkpoint that is loaded brings its own.
        max_train_people: at most so many people of a batch get a map, chosen at random.
        init_std: standard deviation of GFD's weights before training. None takes the inverse root of each layer's
            inputs: from random weights people are then told apart within a hundred steps. With the authors' 0.001 it
            takes a thousand: what ``conv_down``, ``attention`` and ``fuse`` give is multiplied, so that the gradients
            of all three start near 0.
        memory_budget: MiB that the maps of people may take at once; by default what suits the device
            (``fast/chunks.py``). Results and gradients do not depend on it.
        test: fields of ``TestOptions``.

    Source: section 3 of the paper; the authors' code where the paper is silent.

    Raises:
        ValueError: ``memory_budget`` or a value of ``test`` is outside its range, or ``person_loss`` is no
            ``HeatmapLoss``.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        num_keypoints: int,
        decoder: dict,
        recipe: str = DEFAULT,
        cell_center: float | None = None,
        gfd_channels: int = 32,
        recalibration: str = 'fused',
        crowd_loss: dict = dict(type='cid_mmpose.FocalHeatmapLoss', loss_weight=1.0),
        person_loss: dict = dict(type='cid_mmpose.FocalHeatmapLoss', loss_weight=4.0),
        contrastive_loss: dict = dict(type='cid_mmpose.ContrastiveLoss'),
        max_train_people: int = 200,
        init_std: float | None = INIT_STD,
        memory_budget: int | None = None,
        test: dict | None = None,
    ) -> None:
        super().__init__()
        if memory_budget is not None and (type(memory_budget) is not int or memory_budget < 1):
            raise ValueError(f'memory_budget must be a whole number of at least 1 MiB, got {memory_budget!r}')
        options = options_of('CIDHead', recipe, cell_center=cell_center)
        self.iia = IIA(in_channels, num_keypoints)
        self.gfd = GFD(in_channels, gfd_channels, num_keypoints, recalibration, init_std=init_std, **options)
        self.crowd_loss = build_loss('crowd_loss', crowd_loss)
        self.person_loss = build_loss('person_loss', person_loss)
        self.contrastive_loss = build_loss('contrastive_loss', contrastive_loss)
        if not isinstance(self.person_loss, HeatmapLoss):
            raise ValueError(
                f'person_loss: {type(self.person_loss).__name__} cannot be formed from a few people and rows at a '
                'time; take cid_mmpose.FocalHeatmapLoss, or derive yours from cid_mmpose.models.HeatmapLoss'
            )
        self.decoder = KEYPOINT_CODECS.build(decoder)
        self.max_train_people = max_train_people
        self.memory_budget = memory_budget
        self.test = TestOptions(**(test or {}))
        self.test.keypoint_sigmas(num_keypoints)  # an error now rather than at the first image

    def forward(self, feats: Sequence[Tensor], roots: Roots | None = None) -> CIDOutput:
        """Figure 2: everything CID sees on its way to the keypoints, at once and for everyone.

        Args:
            feats: the branches of F, (B, C_i, H_i, W_i) with C channels together; or one map (B, C, H, W) of a neck
                that stacks them.
            roots: of N people, as training knows them; None finds them in the center maps.
        """
        features = stack_branches(feats)  # F
        crowd = self.iia(features)
        if roots is None:
            roots = self._find_roots(to_scores(crowd[:, -1]), self.test)
        vectors = sample_at(features, roots)
        people = self.gfd(features, vectors, roots)
        return CIDOutput(crowd, roots, vectors, *people)

    def loss(self, feats: Sequence[Tensor], batch_data_samples: list, train_cfg: dict | None = None) -> dict:
        """L of eq. 5 in its parts, weighted; the same keys always, and zero gradients where nobody is.

        Args:
            feats: as for ``forward``.
            batch_data_samples: B samples with ``gt_instance_labels`` (the ``FIELDS`` of ``PersonTargets``) and
                optionally ``gt_fields.heatmap_mask`` (1, H, W), False where the crowd's maps do not count.
            train_cfg: not used; MMPose's estimators hand it over.

        Returns:
            ``loss_crowd``, ``loss_person`` and ``loss_contrastive``, scalars.
        """
        targets = gather_targets([sample.gt_instance_labels for sample in batch_data_samples], feats[0].device)
        loss_crowd = self._crowd_loss(feats, targets, loss_mask(batch_data_samples, feats[0]))

        # seeds stand in for roots in training
        seeded = targets.seeded.nonzero()[:, 0]
        seeds = Roots(targets.seed_cell[seeded].long(), targets.image[seeded])
        vectors = sample_branches(feats, seeds)
        loss_contrastive = self.contrastive_loss(vectors, seeds.image)

        chosen = self._choose(len(vectors), vectors.device)
        chosen_targets = seeded[chosen]
        chosen_seeds = Roots(seeds.cell[chosen], seeds.image[chosen])
        loss_person = loss_in_chunks(
            FactoredGFD(self.gfd),
            self.person_loss,
            feats,
            vectors[chosen],
            chosen_seeds,
            targets,
            chosen_targets,
            self.memory_budget,
        )
        return dict(loss_crowd=loss_crowd, loss_person=loss_person, loss_contrastive=loss_contrastive)

    def _crowd_loss(self, feats: Sequence[Tensor], targets: PersonTargets, mask: Tensor) -> Tensor:
        """The FL term of eq. 14, with the loss mask (B, 1, H, W).

        A method of its own, so that its maps are freed before those of people are made.
        """
        height, width = feats[0].shape[-2:]
        crowd = convolve_branches(feats, self.iia.conv)
        crowd_targets = render_crowd(targets, (width, height), len(feats[0]))
        return self.crowd_loss(crowd, crowd_targets, mask)

    def _choose(self, count: int, device: torch.device) -> Tensor:
        """Indices, ascending, of at most ``max_train_people`` of ``count`` people."""
        order = torch.randperm(count, device=device)
        return order[: self.max_train_people].sort()[0]

    def predict(
        self,
        feats: Sequence[Tensor] | Sequence[Sequence[Tensor]],
        batch_data_samples: list,
        test_cfg: dict | None = None,
    ) -> list | tuple:
        """The people of B equally sized images, for MMPose's own estimators; ``CID`` calls ``find_people`` itself.

        Args:
            feats: as for ``forward``, or with ``flip_test`` a pair: of the images and of their mirror images.
            batch_data_samples: B samples; with ``flip_test`` their ``flip_indices`` swap left and right keypoints.
            test_cfg: changes of ``test``, see ``TestOptions``.

        Returns:
            ``FoundPeople.people``; with ``output_heatmaps`` a pair of them and ``FoundPeople.heatmap_fields()``.

        Raises:
            BadInput: an unknown option in ``test_cfg``.
        """
        options = self.test.with_test_cfg(test_cfg)
        flip_indices = batch_data_samples[0].metainfo['flip_indices'] if options.flip_test else None
        found = self.find_people(views_of(feats, flip_indices), options)
        if options.output_heatmaps:
            return found.people, found.heatmap_fields()
        return found.people

    def find_people(self, views: Views, options: TestOptions) -> FoundPeople:
        """The people of B equally sized images.

        Args:
            views: of the images.
            options: of testing.
        """
        # the center map of each view, and their mean
        centers = self._centers(views)
        center = mean_of(centers.tensor_split(views.num_views))

        # its peaks are the roots
        roots = self._find_roots(center, options)

        # the peaks of their heatmaps
        peaks, heatmaps = person_peaks(FactoredGFD(self.gfd), views, roots, options, self.memory_budget)

        # peaks become keypoints in pixels of the input; score, box, and nobody twice
        people = self._people_of(peaks, roots, center.shape, options)
        return FoundPeople(people, heatmaps)

    def _centers(self, views: Views) -> Tensor:
        """The center maps of V views as scores (V * B, H, W); of IIA's maps the only ones that testing needs."""
        logits = convolve_branches(views.branches, self.iia.conv, slice(-1, None))
        return to_scores(logits[:, 0])

    @staticmethod
    def _find_roots(center: Tensor, options: TestOptions) -> Roots:
        return find_roots(center, options.max_people, options.min_score, options.blur)

    def _people_of(self, peaks: Peaks, roots: Roots, shape: Sequence[int], options: TestOptions) -> list[InstanceData]:
        """The peaks of N people on maps of ``shape`` (B, H, W) -> the people of each image."""
        num_images, height, width = shape
        decoded = self.decoder.decode_peaks(peaks, (width, height), roots.score)
        root_centers = to_pixel(roots.cell, self.decoder.stride)

        # to the host as one table, a row a person: one transfer takes less time than four
        num_keypoints = decoded.scores.shape[1]
        columns = [decoded.keypoints.flatten(1), decoded.scores, root_centers, roots.image[:, None]]
        table = torch.cat(columns, 1).detach().cpu().numpy()
        ends = np.cumsum([2 * num_keypoints, num_keypoints, 2])
        flat_keypoints, scores, centers, image = np.split(table, ends, 1)
        keypoints = flat_keypoints.reshape(-1, num_keypoints, 2)

        sigmas = options.keypoint_sigmas(num_keypoints)
        people = []
        for number in range(num_images):
            in_image = image[:, 0] == number
            of_image = make_people(keypoints[in_image], scores[in_image], centers[in_image], sigmas, options.nms)
            people.append(of_image)
        return people


def build_loss(name: str, config: dict) -> Any:
    """A loss of its config.

    Args:
        name: of the head's argument.
        config: with its ``type``.

    Raises:
        BadInput: there is no ``type``, as where an option changes one field of a loss that a config leaves out.
    """
    if 'type' not in config:
        raise BadInput(
            f'model.head.{name}: {dict(config)} has no type; write all of it, model.head.{name}.type as well '
            '(cid_mmpose.FocalHeatmapLoss, cid_mmpose.ContrastiveLoss, or one of your own)'
        )
    return MODELS.build(config)


def loss_mask(batch_data_samples: list, like: Tensor) -> Tensor:
    """Where the crowd's maps count.

    Args:
        batch_data_samples: B samples.
        like: (B, C, H, W), whose device and (H, W) are taken.

    Returns:
        (B, 1, H, W) float, 0 where they do not count; all 1 for a batch without masks.

    Raises:
        BadInput: only some samples have a mask, or the masks are not of the maps' size, as those of MMPose's own
            transform.
    """
    size = like.shape[-2:]
    have_mask = ['gt_fields' in sample for sample in batch_data_samples]
    if not any(have_mask):
        return like.new_ones(len(like), 1, *size, dtype=torch.float32)
    if not all(have_mask):
        raise BadInput(
            f'gt_fields.heatmap_mask: {have_mask.count(True)} of {len(have_mask)} samples of a batch have one; data '
            'sets that are mixed need pipelines that all have cid_mmpose.LossMask, or none'
        )
    masks = torch.stack([sample.gt_fields.heatmap_mask for sample in batch_data_samples])
    if masks.shape[-2:] != size:
        raise BadInput(
            f'gt_fields.heatmap_mask is {tuple(masks.shape[-2:])} cells, the maps are {tuple(size)}; the '
            'pipeline makes masks with cid_mmpose.LossMask after GenerateTarget'
        )
    return masks.to(like.device).float()
