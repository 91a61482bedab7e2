"""Small, slow, obviously right forms of what CID computes, and the little scenes that the tests look at.

Our own second writing, from the paper's equations and the authors' rules, cell by cell and person by person. It finds
slips of the fast code, not what both misunderstand; figures of the authors' code are in ``agreement/test_authors.py``.
"""

import math
from collections import namedtuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import InstanceData, PixelData
from mmpose.structures import PoseDataSample

from cid_mmpose.codecs import SizeAdaptiveHeatmap, axes_of_people, render_people
from cid_mmpose.models import CIDHead
from cid_mmpose.models.fast.folded import cpu_autocasts_float16

Scene = namedtuple('Scene', 'keypoints visible bbox')


def skip_unless_autocast_knows(dtype: torch.dtype) -> None:
    """Skips a test of a half precision that the CPU of an old torch does not run in."""
    if dtype is torch.float16 and not cpu_autocasts_float16():
        pytest.skip(f'torch {torch.__version__} runs no float16 under autocast on a CPU')


class Shifts:
    """Chance with known outcomes: hands out the given (N, 2) jitters."""

    def __init__(self, shifts):
        self.shifts = np.asarray(shifts, int).reshape(-1, 2)

    def randint(self, low, high, shape):
        assert (low, high) == (-1, 2) and tuple(shape) == self.shifts.shape
        return self.shifts


def uniform(*shape, seed=0):
    """Seeded float32 numbers in [0, 1)."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def normal(*shape, seed=0):
    """Seeded float32 numbers of mean 0 and variance 1."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def corners(*boxes):
    """Boxes (x1, y1, x2, y2) -> (N, 4, 2) corners left-top, left-bottom, right-top, right-bottom."""
    points = [[(x1, y1), (x1, y2), (x2, y1), (x2, y2)] for x1, y1, x2, y2 in boxes]
    return np.array(points, float).reshape(-1, 4, 2)


def crowd(rng, people, keypoints, size):
    """People with random keypoints on the image of ``size`` (w, h), about a third unlabelled, and boxes around them."""
    xy = rng.uniform(0, 1, (people, keypoints, 2)) * size
    visible = (rng.random((people, keypoints)) < 0.7).astype(float)
    visible[:, 0] = 1
    return Scene(xy, visible, corners(*np.concatenate([xy.min(1), xy.max(1)], 1)))


def radius(width, height, overlap):
    """CornerNet's radius of one box in cells: the least root of three quadratics, each divided by 2 as published."""
    w, h = math.ceil(width), math.ceil(height)
    roots = []
    for a, b, c in (
        (1, w + h, w * h * (1 - overlap) / (1 + overlap)),
        (4, 2 * (w + h), (1 - overlap) * w * h),
        (4 * overlap, -2 * overlap * (w + h), (overlap - 1) * w * h),
    ):
        roots.append((b + math.sqrt(b * b - 4 * a * c)) / 2)
    return max(0, int(min(roots)))


def draw(maps, cell, r):
    """Lays a Gaussian of eq. 13 into a map (H, W), cell by cell; where another is higher it stays."""
    sigma = (2 * r + 1) / 6
    for y in range(maps.shape[0]):
        for x in range(maps.shape[1]):
            dx, dy = x - cell[0], y - cell[1]
            if abs(dx) <= r and abs(dy) <= r:
                maps[y, x] = max(maps[y, x], math.exp(-(dx * dx + dy * dy) / (2 * sigma**2)))


def targets(scene, size, stride, shifts, small=32**2):
    """Who becomes a target: one dict a person, by the authors' rules (upright boxes only)."""
    w, h = size[0] // stride, size[1] // stride
    people = []
    for xy, visible, box, shift in zip(*scene, shifts):
        (x1, y1), (x2, y2) = box[0], box[3]
        labelled = [k for k in range(len(xy)) if visible[k] > 0]
        cells = [(int(x / stride), int(y / stride)) for x, y in xy]
        root = tuple(int(sum(xy[k][i] for k in labelled) / max(len(labelled), 1) / stride) for i in (0, 1))
        seed = tuple(root[i] + shift[i] for i in (0, 1))
        low = [min(max(v / stride, 0), side - 1) for v, side in ((x1, w), (y1, h))]
        high = [min(max(v / stride, 0), side - 1) for v, side in ((x2, w), (y2, h))]
        area = (x2 - x1) * (y2 - y1)
        whole = radius(max(high[0] - low[0], 1e-6), max(high[1] - low[1], 1e-6), 0.7)
        people.append(
            dict(
                keypoint_cell=cells,
                keypoint_drawn=[k in labelled and inside(cells[k], w, h) for k in range(len(xy))],
                root_cell=root,
                root_drawn=bool(labelled) and area >= small and inside(root, w, h),
                seed_cell=seed if inside(seed, w, h) else root,
                seeded=False,
                area=area,
                radius=whole,
                sigma=np.float32((2 * whole + 1) / 6),
            )
        )
    taken = []
    for person in sorted(people, key=lambda person: person['area']):
        person['seeded'] = person['root_drawn'] and person['seed_cell'] not in taken
        if person['seeded']:
            taken.append(person['seed_cell'])
    return people


def inside(cell, w, h):
    return 0 <= cell[0] < w and 0 <= cell[1] < h


def focal(logits, target, weight):
    """Eq. 15 as the authors take it: from probabilities clamped to [1e-4, 1 - 1e-4], in float64."""
    p = logits.double().sigmoid().clamp(1e-4, 1 - 1e-4)
    target, weight = target.double(), weight.double().expand(target.shape)
    peaks = (target == 1).double() * weight
    others = (target < 1).double() * weight
    total = (peaks * (1 - p) ** 2 * p.log()).sum() + (others * (1 - target) ** 4 * p**2 * (1 - p).log()).sum()
    return -total / max(float(peaks.sum()), 1)


def contrastive(vectors, image, tau):
    """Eq. 8, person by person, and the mean over all people."""
    loss = 0.0
    units = [v / np.linalg.norm(v) for v in np.asarray(vectors, float)]
    for i, unit in enumerate(units):
        others = [math.exp(float(unit @ units[j]) / tau) for j in range(len(units)) if image[j] == image[i]]
        loss -= math.log(math.exp(1 / tau) / sum(others))
    return loss / max(len(units), 1)


def gfd(module, features, params, roots):
    """Eq. 9-12 as printed: [F_c; F_s] stacked and convolved for each person, (N, K, H, W)."""
    maps = []
    for f, (x0, y0), image in zip(params, roots.cell.tolist(), roots.image.tolist()):
        shared = F.conv2d(features[image : image + 1], module.conv_down.weight, module.conv_down.bias)
        stack = []
        if module.channel is not None:
            stack.append(shared * module.channel.attention(f)[None, :, None, None])
        if module.spatial is not None:
            similarity = (shared * module.spatial.attention(f)[None, :, None, None]).sum(1, keepdim=True)
            offsets = torch.zeros(1, 2, *shared.shape[-2:], dtype=shared.dtype)
            for y in range(shared.shape[-2]):
                for x in range(shared.shape[-1]):
                    offsets[0, 0, y, x], offsets[0, 1, y, x] = (x0 - x) / 32, (y0 - y) / 32
            stack.append(shared * module.spatial.conv(torch.cat([similarity, offsets], 1)).sigmoid())
        maps.append(module.heatmap(module.fuse(torch.cat(stack, 1)).relu()))
    return torch.cat(maps)


def smooth(maps, blur):
    """Mean of a map (H, W) and its box blur, zeros beyond the border."""
    h, w = maps.shape
    r, out = blur // 2, np.zeros((h, w))
    for y in range(h):
        for x in range(w):
            window = maps[max(y - r, 0) : y + r + 1, max(x - r, 0) : x + r + 1]
            out[y, x] = (maps[y, x] + window.sum() / blur**2) / 2
    return out


def peaks(center, max_people, min_score, window):
    """(score, x, y) of the cells that no cell within the window exceeds, best first."""
    r, found = window // 2, []
    for y in range(center.shape[0]):
        for x in range(center.shape[1]):
            around = center[max(y - r, 0) : y + r + 1, max(x - r, 0) : x + r + 1]
            if center[y, x] == around.max() and center[y, x] > min_score:
                found.append((float(center[y, x]), x, y))
    return sorted(found, reverse=True)[:max_people]


def decode(heatmap, stride):
    """x, y in pixels and height of the peak of one map (H, W)."""
    h, w = heatmap.shape
    y, x = np.unravel_index(heatmap.argmax(), heatmap.shape)
    dx = np.sign(heatmap[y, x + 1] - heatmap[y, x - 1]) / 4 if 0 < x < w - 1 else 0
    dy = np.sign(heatmap[y + 1, x] - heatmap[y - 1, x]) / 4 if 0 < y < h - 1 else 0
    return (x + dx + 0.5) * stride, (y + dy + 0.5) * stride, heatmap[y, x]


def oks_nms(keypoints, scores, sigmas, threshold):
    """People (N, K, 2) left when, best first, each takes away those whose OKS with it lies above the threshold.

    The object's area is that of the box around its own keypoints, as in the authors' writer: the mean of both people's.
    """
    areas = [np.prod(person.max(0) - person.min(0)) for person in keypoints]

    def oks(one, other):
        scale = (areas[one] + areas[other]) / 2 + np.spacing(1)
        squared = ((keypoints[one] - keypoints[other]) ** 2).sum(1)
        return np.mean([math.exp(-d / ((2 * sigma) ** 2 * scale * 2)) for d, sigma in zip(squared, sigmas)])

    left, kept = sorted(range(len(keypoints)), key=lambda person: -scores[person]), []
    while left:
        best = left.pop(0)
        kept.append(best)
        left = [person for person in left if oks(best, person) <= threshold]
    return kept


def drawn_people(targets, chosen, like):
    """The package's target maps of the people ``chosen`` (N, K, H, W), which the loss only draws a few at a time, and
    which of them count (N, K, 1, 1)."""
    axes = axes_of_people(targets, chosen, (like.shape[-1], like.shape[-2]))
    return render_people(axes.x, axes.y), targets.keypoint_drawn[chosen].float()[..., None, None]


def labels(encoded):
    """The codec's targets of one image as the pipeline packs them."""
    return InstanceData(**{field: torch.from_numpy(value) for field, value in encoded.items()})


def sample(scene, size, seed=0, mask=None, rng=None, **codec):
    """What the training pipeline packs for one image: the codec's targets of ``scene``, and a loss mask (H, W)."""
    encoded = SizeAdaptiveHeatmap(**codec).encode(*scene, size, rng or np.random.RandomState(seed))
    packed = PoseDataSample(metainfo=dict(flip_indices=[0, 2, 1, 3]))
    packed.gt_instance_labels = labels(encoded)
    if mask is not None:
        packed.gt_fields = PixelData(heatmap_mask=torch.as_tensor(mask)[None])
    return packed


def head(seed=0, spread=0.3, **options):
    """A small CIDHead for four keypoints whose weights are far from their careful start, so that every path speaks."""
    torch.manual_seed(seed)
    settings = dict(
        in_channels=6,
        num_keypoints=4,
        gfd_channels=5,
        test=dict(sigmas=(0.05,) * 4),
        decoder=dict(type='cid_mmpose.SizeAdaptiveHeatmap'),
    )
    module = CIDHead(**{**settings, **options})
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=spread)
    return module.eval()
