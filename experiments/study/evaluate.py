"""The people a network finds in the test images, and the figures of them: in all images, by crowding and by number."""

import contextlib
import io
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from cid_mmpose.data.synth.scene import crowd_index
from cid_mmpose.evaluation.people_metric import CocoPeopleMetric
from cid_mmpose.oks import oks_nms

from .measures import Annotated, Counts, Found, count, total

EASY, HARD = 0.1, 0.8  # crowd index: easy images have at most the first, hard ones more than the second (CrowdPose)
ALL = 'all'
FIGURES = {'ap': 'AP', 'ap50': 'AP .5', 'ap75': 'AP .75'}  # ours -> of COCO's metric


class OfImage(NamedTuple):
    """One test image."""

    sample: dict  # as a metric takes it
    crowding: float  # crowd index
    counts: Counts


class Rules(NamedTuple):
    """How a method's people get their score, and when two of them are the same."""

    score: str  # 'own', or 'keypoints': the mean of the scores of the keypoints
    nms: float  # OKS above which the worse of two goes; 1 keeps all


def annotated_people(raw: Sequence[dict], num_keypoints: int) -> Annotated:
    """The annotated people of an image who are no crowds.

    Args:
        raw: annotations as in a COCO file.
        num_keypoints: K.
    """
    people = [annotation for annotation in raw if not annotation.get('iscrowd')]
    values = np.array([person['keypoints'] for person in people], float).reshape(-1, num_keypoints, 3)
    areas = np.array([person['area'] for person in people], float)
    boxes = np.array([person['bbox'] for person in people], float).reshape(-1, 4)
    return Annotated(values[..., :2], values[..., 2] > 0, areas, boxes)


def found_people(sample: dict, rules: Rules, sigmas: np.ndarray) -> Found:
    """The people found in an image, by the rules of their method; those who stay are left in the sample.

    Args:
        sample: of a network, as a dict; its ``pred_instances`` are changed to the people who stay.
        rules: of the method.
        sigmas: (K,) fall-off of OKS.
    """
    instances = sample['pred_instances']
    keypoints = np.asarray(instances['keypoints'], float)
    of_keypoints = np.asarray(instances['keypoint_scores'], float)
    if rules.score == 'keypoints':
        scores = of_keypoints.mean(1)
    else:
        scores = np.asarray(instances['bbox_scores'], float)

    kept = np.arange(len(scores))
    if rules.nms < 1 and len(scores):
        areas = np.prod(keypoints.max(1) - keypoints.min(1), axis=1)
        kept = oks_nms(keypoints, scores, areas, sigmas, rules.nms)
    sample['pred_instances'] = dict(
        keypoints=keypoints[kept], keypoint_scores=of_keypoints[kept], bbox_scores=scores[kept]
    )
    return Found(keypoints[kept], scores[kept])


@torch.no_grad()
def tested_images(model: nn.Module, loader: DataLoader, rules: Rules) -> Iterator[OfImage]:
    """Finds the people of all test images.

    Args:
        model: trained.
        loader: of the test images.
        rules: of the method.
    """
    model.train(False)
    meta = loader.dataset.metainfo
    sigmas = np.asarray(meta['sigmas'], float)
    for batch in loader:
        for found in model.test_step(batch):
            sample = found.to_dict()
            sample['raw_ann_info'] = sample['raw_ann_info'] or []  # None where nobody is annotated
            annotated = annotated_people(sample['raw_ann_info'], len(sigmas))
            people = found_people(sample, rules, sigmas)
            labels = np.concatenate([annotated.keypoints, annotated.labelled[..., None]], axis=-1)
            yield OfImage(sample, crowd_index(annotated.boxes, labels), count(people, annotated, sigmas))


def bins_of(tested: Sequence[OfImage]) -> dict[str, list[OfImage]]:
    """All images, those of each degree of crowding, and those of each number of annotated people."""
    bins: dict[str, list[OfImage]] = {ALL: list(tested), 'easy': [], 'medium': [], 'hard': []}
    for image in tested:
        if image.crowding <= EASY:
            degree = 'easy'
        elif image.crowding <= HARD:
            degree = 'medium'
        else:
            degree = 'hard'
        bins[degree].append(image)
        bins.setdefault(f'{image.counts.people} people', []).append(image)
    return bins


def figures_of(images: Sequence[OfImage], meta: dict) -> dict[str, float]:
    """The figures of some test images: AP in [0, 100], and counts.

    Args:
        images: at least one, with at least one annotated person.
        meta: information of the data set.
    """
    metric = CocoPeopleMetric()
    with contextlib.redirect_stdout(io.StringIO()):
        # a name that no data set has: the metric takes the annotations of these images, and of no file
        metric.dataset_meta = dict(meta, dataset_name='study')
        metric.process([], [image.sample for image in images])
        results = metric.compute_metrics(metric.results)
    # COCO says -1 where nothing is annotated
    figures = {name: round(100 * max(float(results[theirs]), 0.0), 3) for name, theirs in FIGURES.items()}
    counts = total([image.counts for image in images])
    return {'images': len(images), **figures, **counts._asdict()}


def evaluate(model: nn.Module, loader: DataLoader, rules: Rules) -> dict[str, dict[str, float]]:
    """Bin -> its figures (``figures_of``), for the bins in which somebody is annotated.

    Args:
        model: trained.
        loader: of the test images.
        rules: of the method.
    """
    bins = bins_of(list(tested_images(model, loader, rules)))
    with_people = {name: images for name, images in bins.items() if any(image.counts.people for image in images)}
    return {name: figures_of(images, loader.dataset.metainfo) for name, images in sorted(with_people.items())}
