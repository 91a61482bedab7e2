"""What is to be examined: an annotation file alone, or those a config names, with what the config says of them."""

import os.path as osp
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from cid_mmpose.data.annotations import keypoint_names
from cid_mmpose.errors import BadInput

if TYPE_CHECKING:  # a file alone is examined without the stack
    from mmengine.config import Config

ROLES = ('train', 'val', 'test')
TRAIN = 'train'


class Source(NamedTuple):
    """An annotation file, its images, and what it is used for; None where only a config could tell."""

    path: str
    folder: str | None = None  # of the images; None if unknown
    roles: tuple[str, ...] = ()  # of ``ROLES``; () for a file alone
    names: tuple[str, ...] | None = None  # (K,) keypoints, as the data set's meta information has them
    flip_indices: tuple[int, ...] | None = None  # (K,) each keypoint's partner in the mirrored image
    model_keypoints: int | None = None  # that the head has maps for
    needs_area: bool | None = None  # an evaluation takes areas from the file
    needs_crowd_index: bool | None = None  # an evaluation asks for AP(E), AP(M), AP(H)
    stride: int | None = None  # input pixels per heatmap cell, as a config sets it; None for the codec's own
    short_side: int = 512  # of the network's input in pixels

    @property
    def is_for_training(self) -> bool:
        """Whether a network is trained on it."""
        return TRAIN in self.roles

    @property
    def is_for_evaluation(self) -> bool:
        """Whether results are computed of it."""
        return any(role != TRAIN for role in self.roles)


def file_source(path: str, folder: str | None = None) -> Source:
    """An annotation file alone.

    Args:
        path: the file.
        folder: of its images; None leaves them alone.

    Raises:
        BadInput: the folder is not there.
    """
    check_folder(folder)
    return Source(path, folder)


def config_sources(cfg: 'Config') -> list[Source]:
    """The annotation files of a config, each once, with all the roles it has.

    Raises:
        BadInput: the config names none, or its meta information of the keypoints cannot be used.
    """
    from mmengine.registry import init_default_scope

    init_default_scope(cfg.get('default_scope', 'mmpose'))
    found: dict[tuple, Source] = {}
    for role in ROLES:
        loader = cfg.get(f'{role}_dataloader') or {}
        for dataset in data_sets(loader.get('dataset')):
            source = _source(cfg, role, dataset)
            key = (osp.abspath(source.path), source.folder)
            if key in found:
                source = _both(found[key], source)
            found[key] = source
    if not found:
        raise BadInput(f'{cfg.filename}: its data sets name no annotation file (ann_file); there is nothing to examine')
    return list(found.values())


def data_sets(node: Any) -> Iterator[dict]:
    """Every data set with an annotation file in a part of a config, also inside wrappers."""
    if isinstance(node, dict):
        if node.get('ann_file'):
            yield node
        for value in node.values():
            yield from data_sets(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from data_sets(value)


def _source(cfg: 'Config', role: str, dataset: dict) -> Source:
    """A data set as the config has it."""
    prefix = dataset.get('data_prefix', {}).get('img', '')
    meta = keypoints_of(cfg.filename, dataset)
    metrics = evaluators(cfg, role)
    model = cfg.get('model') or {}
    head = model.get('head') or {}
    source = Source(
        path=_joined(dataset, dataset['ann_file']),
        folder=_joined(dataset, prefix),
        roles=(role,),
        names=tuple(keypoint_names(meta)),
        flip_indices=tuple(meta['flip_indices']),
        model_keypoints=head.get('num_keypoints'),
        needs_area=any(metric.get('use_area', True) for metric in metrics),
        needs_crowd_index=any(metric.get('iou_type') == 'keypoints_crowd' for metric in metrics),
    )
    return source._replace(**_target_rule(cfg))


def _joined(dataset: dict, name: str) -> str:
    """A path of a data set below its ``data_root``, joined as mmengine does."""
    from mmengine.fileio import join_path
    from mmengine.utils import is_abs

    root = dataset.get('data_root') or ''
    if is_abs(name) or not root:
        return name
    return join_path(root, name)


def keypoints_of(config: str, dataset: dict) -> dict:
    """MMPose's meta information of a data set: keypoint names, partners, sigmas.

    Args:
        config: its file, for messages.
        dataset: a part of it.

    Raises:
        BadInput: there is no such data set, or its meta information cannot be used.
    """
    from mmpose.registry import DATASETS

    from cid_mmpose.compat.metainfo import parsed_metainfo

    kind = DATASETS.get(dataset['type'])
    if kind is None:
        raise BadInput(f'{config}: type={dataset["type"]!r}: there is no data set of this name')
    try:
        return parsed_metainfo(dataset.get('metainfo') or kind.METAINFO)
    except (KeyError, AssertionError, FileNotFoundError, TypeError) as error:
        raise BadInput(
            f'{config}: metainfo of {dataset["type"]} cannot be used ({type(error).__name__}: {error}); '
            "each 'swap' must name another keypoint"
        ) from error


def evaluators(cfg: 'Config', role: str) -> list[dict]:
    """The metrics that a role is evaluated with; none for training."""
    metrics = cfg.get(f'{role}_evaluator') or []
    if isinstance(metrics, (list, tuple)):
        return list(metrics)
    return [metrics]


def _target_rule(cfg: 'Config') -> dict:
    """Stride and input size of the training targets, from the last steps that name them."""
    rule = {}
    for step in _training_steps(cfg):
        encoder = step.get('encoder') or {}
        if 'stride' in encoder:
            rule['stride'] = encoder['stride']
        if 'input_size' in step:
            rule['short_side'] = min(step['input_size'])
    return rule


def _training_steps(cfg: 'Config') -> Iterator[dict]:
    """The steps of all pipelines that a config trains with."""
    loader = cfg.get('train_dataloader') or {}
    for dataset in data_sets(loader.get('dataset')):
        yield from dataset.get('pipeline', ())


def _both(one: Source, other: Source) -> Source:
    """One file in two roles: it must hold what either needs."""
    return one._replace(
        roles=one.roles + other.roles,
        needs_area=one.needs_area or other.needs_area,
        needs_crowd_index=one.needs_crowd_index or other.needs_crowd_index,
    )


def check_folder(folder: str | None) -> None:
    """BadInput if a folder is named and not there."""
    if folder is not None and not osp.isdir(folder):
        raise BadInput(f'{folder}: no such folder; name the one that holds the images')
