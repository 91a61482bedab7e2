"""Ranges of the numbers of a run: settings whose value is of the right kind and still cannot work."""

import logging
import math
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from mmengine.config import Config

from cid_mmpose.codecs import STRIDE
from cid_mmpose.data.values import is_number
from cid_mmpose.errors import BadInput
from cid_mmpose.evaluation.people_metric import STATS
from cid_mmpose.models.estimator import HRNET_COARSEST, HRNET_FINEST

from .names import READ
from .parts import near_name

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


class Range(NamedTuple):
    """Settings of this dotted name, where ``*`` stands for anything, are numbers from ``least`` on.

    ``above`` says whether ``least`` itself is out; ``never`` is a value that switches the thing off, None is another.
    """

    pattern: str
    least: float
    whole: bool = True
    above: bool = False
    never: int | None = None


RANGES = (
    Range('*_dataloader.batch_size', 1),
    Range('*_dataloader.num_workers', 0),
    Range('*_dataloader.timeout', 0, False),
    Range('*_dataloader.prefetch_factor', 1),
    Range('*_dataloader.num_batch_per_epoch', 1),
    Range('train_cfg.max_epochs', 1),
    Range('train_cfg.max_iters', 1),
    Range('train_cfg.val_interval', 1),
    Range('train_cfg.val_begin', 0),
    Range('optim_wrapper.accumulative_counts', 1),
    Range('optim_wrapper.optimizer.lr', 0, False, True),
    Range('optim_wrapper.optimizer.weight_decay', 0, False),
    Range('optim_wrapper.clip_grad.max_norm', 0, False, True),
    Range('param_scheduler.*.gamma', 0, False, True),
    Range('param_scheduler.*.milestones.*', 0),
    Range('param_scheduler.*.begin', 0),
    Range('param_scheduler.*.end', 1),
    Range('param_scheduler.*.T_max', 1),
    Range('default_hooks.checkpoint.interval', 1, never=-1),
    Range('default_hooks.checkpoint.max_keep_ckpts', 1, never=-1),
    Range('default_hooks.logger.interval', 1),
    Range('default_hooks.visualization.interval', 1),
    Range('log_processor.window_size', 1),
    Range('log_processor.num_digits', 0),
    Range('auto_scale_lr.base_batch_size', 1),
    Range('randomness.seed', 0),
    Range('env_cfg.resource_limit', 1),
    Range('env_cfg.mp_cfg.opencv_num_threads', 0),
    Range('*_dataloader.dataset.pipeline.*.input_size.*', 1),
    Range('*.size_factor', 1),
    Range('model.data_preprocessor.std.*', 0, False, True),
    Range('model.head.in_channels', 1),
    Range('model.head.num_keypoints', 1),
    Range('model.head.gfd_channels', 1),
    Range('model.head.max_train_people', 1),
    Range('*.decoder.stride', 1),
    Range('*.encoder.stride', 1),
    Range('*.pipeline.*.stride', 1),
)
RESIZED_AT_RANDOM = ('RandomAffine', 'BottomupRandomAffine')
WORDS = {  # settings that are one of some words; what is not there is not checked
    'env_cfg.mp_cfg.mp_start_method': ('fork', 'spawn', 'forkserver'),
    'env_cfg.dist_cfg.backend': ('nccl', 'gloo', 'mpi', 'ucc', 'hccl', 'cncl', 'mccl', 'smddp'),
    'default_hooks.checkpoint.rule': ('greater', 'less', None),
    '*_evaluator.iou_type': ('keypoints', 'keypoints_crowd'),
}
OF_WORDS = ('default_hooks.checkpoint.rule',)  # settings that may be a list of such words
LARGEST = 2**31 - 1  # of whole numbers; torch and numpy take no larger one everywhere
STAGE = ('num_modules', 'num_branches', 'block', 'num_blocks', 'num_channels', 'multiscale_output', 'num_inchannels')
COUNT_IN_CELLS = ('SizeAdaptiveHeatmap', 'LossMask', 'RandomMirror')  # parts that have a stride


def check_ranges(cfg: Config) -> None:
    """BadInput for the first number of a run that cannot work.

    Args:
        cfg: a config whose options are of the right kinds.
    """
    for name, value in _values(dict(cfg.items())):
        for limit in RANGES:
            if fnmatchcase(name, limit.pattern):
                _check(name, value, limit)
        for pattern, words in WORDS.items():
            given = value if isinstance(value, (list, tuple)) and pattern in OF_WORDS else [value]
            if fnmatchcase(name, pattern) and any(word not in words for word in given):
                raise BadInput(f'{name} must be one of {", ".join(map(str, words))}, got {value!r}')
    _check_level(cfg.get('log_level', 'INFO'))
    _check_stages(cfg)
    _check_strides(cfg)
    _check_best(cfg)
    for loader in LOADERS:
        _check_sizes(cfg, loader)


def _values(node: Any, where: str = '') -> Iterator[tuple[str, Any]]:
    """Dotted name and value of everything that is no dict."""
    if isinstance(node, dict):
        inner = list(node.items())
    elif isinstance(node, (list, tuple)):
        yield where, node
        inner = list(enumerate(node))
    else:
        yield where, node
        return
    for key, value in inner:
        if where or key in READ:
            yield from _values(value, f'{where}.{key}' if where else str(key))


def _check(name: str, value: Any, limit: Range) -> None:
    if value is None or (limit.never is not None and value == limit.never and not isinstance(value, bool)):
        return
    number = is_number(value) and math.isfinite(value)
    if number and limit.whole:
        number = value == int(value)
    if number and limit.whole and value > LARGEST and not name.endswith('.seed'):
        raise BadInput(f'{name} must be at most {LARGEST}, got {value!r}')
    if number and limit.above and value > limit.least:
        return
    if number and not limit.above and value >= limit.least:
        return
    raise BadInput(f'{name} must be {_in_words(limit)}, got {value!r}')


def _in_words(limit: Range) -> str:
    """What is allowed, for a message."""
    words = 'a number'
    if limit.whole:
        words = 'a whole number'

    if limit.above:
        words += f' above {limit.least}'
    else:
        words += f' of at least {limit.least}'

    if limit.never is not None:
        words += f', or {limit.never}'
    return words


def _check_level(level: Any) -> None:
    known = ('CRITICAL', 'ERROR', 'WARNING', 'INFO', 'DEBUG', 'NOTSET')
    if isinstance(level, int) and not isinstance(level, bool):
        return
    if not isinstance(level, str) or not isinstance(logging.getLevelName(level), int):
        raise BadInput(f'log_level must be one of {", ".join(known)}, got {level!r}')


def _check_stages(cfg: Config) -> None:
    """The stages of HRNet, which reads what it knows of them and nothing else."""
    extra = (cfg.model.get('backbone') or {}).get('extra')
    if not _is_hrnet(cfg) or not isinstance(extra, dict):
        return
    for stage, options in extra.items():
        for name in options if isinstance(options, dict) else ():
            if name not in STAGE:
                raise BadInput(f'model.backbone.extra.{stage}: unknown option {name!r}{near_name(name, STAGE)}')


def _check_strides(cfg: Config) -> None:
    """Our codec divides by one stride in training and in testing, which is that of the network's map."""
    values = dict(_values(dict(cfg.items())))
    strides = {}
    for name, value in values.items():
        part, _, last = name.rpartition('.')
        if last == 'type' and str(value).rpartition('.')[2] in COUNT_IN_CELLS:
            strides[f'{part}.stride'] = values.get(f'{part}.stride', STRIDE)
    wanted = HRNET_FINEST if _is_hrnet(cfg) else next(iter(strides.values()), None)
    for name, stride in strides.items():
        if stride != wanted:
            where = 'the stride of HRNet' if _is_hrnet(cfg) else f'as {next(iter(strides))}'
            raise BadInput(f'{name} must be {wanted}, {where}, got {stride}; codec.stride sets all of them')


def _check_best(cfg: Config) -> None:
    """The figure by which the best checkpoint is chosen is one that the validation gives."""
    checkpoint = (cfg.get('default_hooks') or {}).get('checkpoint') or {}
    chosen = checkpoint.get('save_best')
    evaluator = cfg.get('val_evaluator')
    if chosen is None or not isinstance(evaluator, dict):
        return
    if str(evaluator.get('type')).rpartition('.')[2] not in ('CocoPeopleMetric', 'CocoMetric'):
        return
    prefix = evaluator.get('prefix') or 'coco'
    figures = [f'{prefix}/{name}' for name in STATS[evaluator.get('iou_type', 'keypoints')]]
    for name in [chosen] if isinstance(chosen, str) else chosen:
        if name != 'auto' and name not in figures:
            raise BadInput(
                f'default_hooks.checkpoint.save_best={name!r}: val_evaluator gives no such figure, but '
                + ', '.join(figures)
            )


def _check_sizes(cfg: Config, loader: str) -> None:
    """Input sizes are pairs, and multiples of 32 where they are the network's and it is HRNet."""
    dataset = (cfg.get(loader) or {}).get('dataset') or {}
    for number, step in enumerate(dataset.get('pipeline') or ()):
        size = step.get('input_size') if isinstance(step, dict) else None
        if size is None:
            continue
        name = f'{loader}.dataset.pipeline.{number}.input_size'
        if len(size) != 2:
            raise BadInput(f'{name} must be width and height, got {tuple(size)}')
        kind = step.get('type', '')
        at_random = isinstance(kind, str) and kind.rpartition('.')[2] in RESIZED_AT_RANDOM
        if at_random and _is_hrnet(cfg) and any(side % HRNET_COARSEST for side in size):
            raise BadInput(f'{name} must be multiples of {HRNET_COARSEST} for HRNet, got {tuple(size)}')


def _is_hrnet(cfg: Config) -> bool:
    backbone = cfg.model.get('backbone') or {}
    return str(backbone.get('type', '')).rpartition('.')[2] == 'HRNet'
