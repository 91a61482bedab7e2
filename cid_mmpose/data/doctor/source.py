"""What is to be examined: an annotation file alone, or those a config names, with what the config says of them."""

import os.path as osp
import warnings
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
    stride: int = 4  # input pixels per heatmap cell
    min_overlap: float = 0.7  # of the Gaussian's radius
    short_side: int = 512  # of the network's input in pixels


def file_source(path: str, folder: str | None = None) -> Source:
    """An annotation file alone.

    Args: path: the file. folder: of its images; None leaves them alone.
    Raises BadInput: the folder is not there.
    """
    check_folder(folder)
    return Source(path, folder)


def config_sources(cfg: 'Config') -> list[Source]:
    """The annotation files of a config, each once, with all the roles it has.

    Raises BadInput: the config names none, or its meta information of the keypoints cannot be used.
    """
    from mmengine.registry import init_default_scope

    init_default_scope(cfg.get('default_scope', 'mmpose'))
    found: dict[tuple, Source] = {}
    for role in ROLES:
        loader = cfg.get(f'{role}_dataloader') or {}
        for dataset in data_sets(loader.get('dataset')):
            source = _source(cfg, role, dataset)
            key = osp.abspath(source.path), source.folder
            found[key] = _both(found[key], source) if key in found else source
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
    """A data set as the config has it, paths as mmengine joins them."""
    from mmengine.fileio import join_path
    from mmengine.utils import is_abs

    root = dataset.get('data_root') or ''
    path, folder = (
        name if is_abs(name) or not root else join_path(root, name)
        for name in (dataset['ann_file'], dataset.get('data_prefix', {}).get('img', ''))
    )
    meta = keypoints_of(cfg.filename, dataset)
    metrics = evaluators(cfg, role)
    model = cfg.get('model') or {}
    return Source(
        path,
        folder,
        (role,),
        names=tuple(keypoint_names(meta)),
        flip_indices=tuple(meta['flip_indices']),
        model_keypoints=(model.get('head') or {}).get('num_keypoints'),
        needs_area=any(metric.get('use_area', True) for metric in metrics),
        needs_crowd_index=any(metric.get('iou_type') == 'keypoints_crowd' for metric in metrics),
        **_target_rule(cfg),
    )


def keypoints_of(config: str, dataset: dict) -> dict:
    """MMPose's meta information of a data set: keypoint names, partners, sigmas.

    Args: config: its file, for messages. dataset: a part of it.
    """
    from mmpose.datasets.datasets.utils import parse_pose_metainfo
    from mmpose.registry import DATASETS

    kind = DATASETS.get(dataset['type'])
    if kind is None:
        raise BadInput(f'{config}: type={dataset["type"]!r}: there is no data set of this name')
    try:
        with warnings.catch_warnings():  # of a file found in MMPose instead of the current folder, as always
            warnings.simplefilter('ignore')
            return parse_pose_metainfo(dataset.get('metainfo') or kind.METAINFO)
    except (KeyError, AssertionError, FileNotFoundError, TypeError) as error:
        raise BadInput(
            f'{config}: metainfo of {dataset["type"]} cannot be used ({type(error).__name__}: {error}); '
            "each 'swap' must name another keypoint"
        ) from error


def evaluators(cfg: 'Config', role: str) -> list[dict]:
    """The metrics that a role is evaluated with; none for training."""
    metrics = cfg.get(f'{role}_evaluator') or []
    return list(metrics) if isinstance(metrics, (list, tuple)) else [metrics]


def _target_rule(cfg: 'Config') -> dict:
    """Stride, overlap and input size of the training targets, from the first steps that name them."""
    rule = {}
    pipelines = [d.get('pipeline', ()) for d in data_sets((cfg.get('train_dataloader') or {}).get('dataset'))]
    for step in (step for pipeline in pipelines for step in pipeline):
        encoder = step.get('encoder') or {}
        rule.update({key: encoder[key] for key in ('stride', 'min_overlap') if key in encoder})
        if 'input_size' in step:
            rule['short_side'] = min(step['input_size'])
    return rule


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
