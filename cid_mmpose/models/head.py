"""CID (figure 2): IIA finds people, GFD gives each a feature map of their own, a light head reads the keypoints.

B images, P annotated people of a batch, N people with a map, C feature channels, K keypoints, (H, W) heatmap cells.
Training and testing differ only in where the roots come from.
"""
from typing import Dict, Optional, Sequence, Union

import torch
from mmengine.structures import PixelData
from mmpose.models.heads.base_head import BaseHead
from torch import Tensor

from cid_mmpose.codecs import PersonTargets, gather_targets, gaussian_axes, no_peaks, render_max, render_people
from cid_mmpose.errors import BadInput
from cid_mmpose.recipes import DEFAULT, options_of
from cid_mmpose.registry import KEYPOINT_CODECS, MODELS

from .fast.branches import sample_at
from .fast.chunks import Chunk, how_many, part_of, people_and_rows, sum_over_people
from .fast.folded import COMPILE_MODES
from .fast.read_peaks import read_peaks
from .gfd import GFD, to_scores
from .iia import IIA, INIT_STD
from .losses import focal_sum
from .person_nms import PredictOptions, make_people
from .roots import Roots, find_roots
from .views import average_halves, both_halves, in_mirror, stack_mirrored

TEST_OPTIONS = {'compile', 'flip_test', 'insist', 'output_heatmaps', 'precision'}
PRECISIONS = {None: None, 'float32': torch.float32, 'bfloat16': torch.bfloat16, 'float16': torch.float16}


@MODELS.register_module()
class CIDHead(BaseHead):
    """The head of CID: IIA + GFD.

    Args:
        in_channels: C of the concatenated backbone branches.
        num_keypoints: K.
        gfd_channels: D of GFD (table 2).
        recalibration: 'fused', 'spatial' or 'channel' (table 1).
        crowd_loss, person_loss: losses of the crowd's and of each person's maps.
        contrastive_loss: of the vectors.
        decoder: config of the codec that made the targets, here for its ``stride`` and ``decode``.
        recipe: 'reference' or 'mmpose', for ``cell_center`` (``recipes.py``).
        cell_center: see ``gfd.relative_coordinates``; a checkpoint that is loaded brings its own.
        max_train_people: at most so many people of a batch get a map, chosen at random.
        init_std: standard deviation of GFD's weights before training. None takes the inverse root of each layer's
            inputs: from random weights people are then told apart within a hundred steps. With the authors' 0.001 three
            small factors stand one after the other, and it takes a thousand steps until their gradients grow.
        memory_budget: MiB that the maps of people may take at once; by default what suits the device (``chunks.py``).
            Results and gradients do not depend on it.
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
                 init_std: Optional[float] = INIT_STD,
                 memory_budget: Optional[int] = None,
                 test: Optional[dict] = None) -> None:
        super().__init__()
        self.iia = IIA(in_channels, num_keypoints)
        options = options_of('CIDHead', recipe, cell_center=cell_center)
        self.gfd = GFD(in_channels, gfd_channels, num_keypoints, recalibration, init_std=init_std, **options)
        self.crowd_loss = MODELS.build(crowd_loss)
        self.person_loss = MODELS.build(person_loss)
        self.contrastive_loss = MODELS.build(contrastive_loss)
        self.decoder = KEYPOINT_CODECS.build(decoder)
        if memory_budget is not None and (type(memory_budget) is not int or memory_budget < 1):
            raise ValueError(f'memory_budget must be a whole number of at least 1 MiB, got {memory_budget!r}')
        self.max_train_people, self.memory_budget = max_train_people, memory_budget
        self.test = PredictOptions(**(test or {}))
        self.sigmas = self.test.keypoint_sigmas(num_keypoints)

    def forward(self, feats: Sequence[Tensor]) -> tuple:
        """Everything CID says of B images, without flip test and decoding.

        Args:
            feats: the branches of F, (B, C_i, H_i, W_i) with C channels together, as ``features.py`` takes them; or
                one map (B, C, H, W) of a neck that stacks them.

        Returns:
            crowd maps (B, K + 1, H, W), roots of N people, and their maps (N, K, H, W), both maps as scores.
        """
        crowd = to_scores(self.iia(feats))
        roots = find_roots(crowd[:, -1], self.test.max_people, self.test.min_score, self.test.blur)
        return crowd, roots, to_scores(self.gfd(feats, sample_at(feats, roots), roots))

    def loss(self, feats: Sequence[Tensor], batch_data_samples: list, train_cfg: Optional[dict] = None) -> dict:
        """L of eq. 5 in its parts; the same keys always, and zero gradients where nobody is.

        Args:
            feats: as for ``forward``.
            batch_data_samples: B samples with ``gt_instance_labels`` (``PersonTargets`` fields) and optionally
                ``gt_fields.heatmap_mask`` (1, H, W), False where the crowd's maps do not count.
            train_cfg: not used; MMPose's estimators hand it over.

        Returns:
            ``loss_crowd``, ``loss_person`` and ``loss_contrastive``, scalars.
        """
        targets = gather_targets([sample.gt_instance_labels for sample in batch_data_samples], feats[0].device)
        roots = Roots(targets.seed_cell[targets.seeded].long(), targets.image[targets.seeded])
        params = sample_at(feats, roots)
        chosen = self._choose(len(params), params.device)
        return dict(
            loss_crowd=self.crowd_loss(
                self.iia(feats), draw_crowd(targets, feats[0]), loss_mask(batch_data_samples, feats[0])),
            loss_person=self._person_loss(
                feats, params[chosen], Roots(roots.cell[chosen], roots.image[chosen]), targets,
                targets.seeded.nonzero()[:, 0][chosen]),
            loss_contrastive=self.contrastive_loss(params, roots.image))

    def _person_loss(self, feats: Sequence[Tensor], params: Tensor, roots: Roots, targets: PersonTargets,
                     chosen: Tensor) -> Tensor:
        """Eq. 16 of N people: vectors (N, C), roots, and which of the targets they are (N,). A scalar."""
        gx, gy = person_axes(targets, chosen, feats[0])
        peaks = gx.eq(1).any(-1) & gy.eq(1).any(-1)  # a Gaussian's peak may lie off the map
        weight = targets.keypoint_drawn[chosen] * self.person_loss.shares(peaks)

        def term(chunk: Chunk, shared: Dict[str, Tensor], people: Dict[str, Tensor]) -> Tensor:
            logits = self.gfd.read(shared, people)
            target = render_people(gx[chunk.people], gy[chunk.people, :, chunk.rows])
            return focal_sum(logits, target, weight[chunk.people][..., None, None])

        cells = how_many(self.gfd.floats_to_train(), self.memory_budget, gx.device)
        chunks = people_and_rows(roots.image, len(feats[0]), feats[0].shape[-2:], cells)
        return sum_over_people(
            term, chunks, self.gfd.share(feats), self.gfd.address(params, roots), self.gfd.weights_of_read())

    def _choose(self, count: int, device: torch.device) -> Tensor:
        """Indices, ascending, of at most ``max_train_people`` of ``count`` people."""
        return torch.randperm(count, device=device)[:self.max_train_people].sort()[0]

    def predict(self,
                feats: Union[Sequence[Tensor], Sequence[Sequence[Tensor]]],
                batch_data_samples: list,
                test_cfg: Optional[dict] = None) -> Union[list, tuple]:
        """The people of B equally sized images.

        Args:
            feats: as for ``forward``, or with ``flip_test`` a pair: of the images and of their mirror images.
            batch_data_samples: B samples; with ``flip_test`` their ``flip_indices`` swap left and right keypoints.
            test_cfg: ``flip_test`` and ``output_heatmaps``, False by default; the others are for ``CID``.

        Returns:
            B ``InstanceData`` as ``make_people`` describes, in input pixels; with ``output_heatmaps`` also B
            ``PixelData`` whose ``heatmaps`` (K, H, W) hold the larger value of all people.

        Raises:
            BadInput: an unknown option in ``test_cfg``.
        """
        test_cfg = test_cfg or {}
        self.check_options(test_cfg)
        swap = batch_data_samples[0].metainfo['flip_indices'] if test_cfg.get('flip_test', False) else None
        first = feats[0] if swap is None else feats[0][0]
        size = first.shape[-2:]
        fields = None
        if test_cfg.get('output_heatmaps', False):
            fields = first.new_zeros(len(first), len(self.sigmas), *size, dtype=torch.float32)
        roots, scores_of = self.find_people(feats, swap)
        cells = how_many(self.gfd.floats_to_read(), self.memory_budget, first.device)
        chunks = people_and_rows(roots.image, len(first), size, cells)
        nothing = no_peaks(len(roots.image), len(self.sigmas), first.device)
        peaks = read_peaks(scores_of, chunks, nothing, self.test.blur, size[0], fields)
        people = self._people_of(
            roots.image, *self.decoder.decode_peaks(peaks, size[::-1], roots.score), len(first))
        return people if fields is None else (people, [PixelData(heatmaps=maps) for maps in fields])

    def _people_of(self, image: Tensor, keypoints: Tensor, scores: Tensor, num_images: int) -> list:
        """(N,) images, (N, K, 2) pixels and (N, K) scores -> B ``InstanceData``, by one transfer to the host."""
        k = scores.shape[1]
        found = torch.cat([keypoints.flatten(1), scores, image[:, None]], 1).detach().cpu().numpy()
        keypoints, scores, image = found[:, :2 * k].reshape(-1, k, 2), found[:, 2 * k:-1], found[:, -1]
        return [make_people(keypoints[image == b], scores[image == b], self.sigmas, self.test.nms)
                for b in range(num_images)]

    @staticmethod
    def check_options(test_cfg: dict) -> None:
        """BadInput if ``model.test_cfg`` has an option or a value that is not known."""
        if unknown := set(test_cfg) - TEST_OPTIONS:
            raise BadInput(f'model.test_cfg: unknown {sorted(unknown)}; CIDHead knows {sorted(TEST_OPTIONS)}')
        for name in ('flip_test', 'insist', 'output_heatmaps'):
            if not isinstance(test_cfg.get(name, False), bool):  # 'False' would count as true
                raise BadInput(f'model.test_cfg: {name} must be True or False, got {test_cfg[name]!r}')
        for name, known in dict(precision=[*PRECISIONS], compile=[*COMPILE_MODES]).items():
            if (value := test_cfg.get(name)) not in known:
                raise BadInput(f'model.test_cfg: {name} must be one of {known}, got {value!r}')

    def find_people(self, feats: Sequence, flip_indices: Optional[Sequence[int]] = None) -> tuple:
        """Who is in B images, and how to read each one's maps.

        Args:
            feats: as for ``predict``; a pair if ``flip_indices`` (K,), which swap left and right keypoints, are given.

        Returns:
            Roots of N people, and a function: chunk of them -> scores (n, K, h, W) of its people in its rows.
        """
        features = feats if flip_indices is None else stack_mirrored(*feats)
        center = to_scores(self.iia.center(features))
        center = center if flip_indices is None else average_halves(center)
        roots = find_roots(center, self.test.max_people, self.test.min_score, self.test.blur)
        both = roots if flip_indices is None else both_halves(roots, len(center))
        shared, people = self.gfd.share(features), self.gfd.address(sample_at(features, both), both)

        def scores_of(chunk: Chunk) -> Tensor:
            halves = [(*part_of(shared, people, chunk), None)]
            if flip_indices is not None:
                mirrored = in_mirror(chunk, len(center), len(roots.image))
                halves.append((*part_of(shared, people, mirrored), flip_indices))
            return self.gfd.read_scores(halves)

        return roots, scores_of


def person_axes(targets: PersonTargets, chosen: Tensor, like: Tensor) -> tuple:
    """Gaussians gx (N, K, W) and gy (N, K, H) of the people ``chosen`` (N,), on maps of the size of ``like``."""
    drawn = targets.keypoint_drawn[chosen]
    radius, sigma = (size[chosen, None].expand(drawn.shape) for size in (targets.radius, targets.sigma))
    gx, gy = gaussian_axes(targets.keypoint_cell[chosen], radius, sigma, drawn, like.shape[:-3:-1])
    # in memory cell by cell, as GFD's maps are, so that what is drawn from them lies beside those
    return tuple(axis.permute(2, 0, 1).contiguous().permute(1, 2, 0) for axis in (gx, gy))


def draw_crowd(targets: PersonTargets, like: Tensor) -> Tensor:
    """Targets [H*; C*] (B, K + 1, H, W) of everyone, the center map last."""
    cell = torch.cat([targets.keypoint_cell, targets.root_cell[:, None]], 1)
    drawn = torch.cat([targets.keypoint_drawn, targets.root_drawn[:, None]], 1)
    radius, sigma = (size[:, None].expand(drawn.shape) for size in (targets.radius, targets.sigma))
    axes = gaussian_axes(cell, radius, sigma, drawn, like.shape[:-3:-1])
    return render_max(*axes, targets.image, len(like))


def loss_mask(batch_data_samples: list, like: Tensor) -> Tensor:
    """(B, 1, H, W) float, 0 where the crowd's maps do not count; all 1 for samples without a mask.

    Raises:
        BadInput: the masks are not of the maps' size, as those of MMPose's own transform.
    """
    if 'gt_fields' not in batch_data_samples[0]:
        return like.new_ones(len(like), 1, *like.shape[-2:], dtype=torch.float32)
    masks = torch.stack([sample.gt_fields.heatmap_mask for sample in batch_data_samples])
    if masks.shape[-2:] != like.shape[-2:]:
        size, wanted = tuple(masks.shape[-2:]), tuple(like.shape[-2:])
        raise BadInput(f'gt_fields.heatmap_mask is {size} cells, the maps are {wanted}; the pipeline makes masks with '
                       'cid_mmpose.LossMask after GenerateTarget')
    return masks.to(like.device).float()

