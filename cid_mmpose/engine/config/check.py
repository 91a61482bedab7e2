"""Checks a whole config before anything is built: one line on the first thing that is wrong."""

import inspect
import typing
from collections.abc import Callable
from importlib import import_module
from typing import Any

from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, LogProcessor, Runner, TestLoop, ValLoop
from mmengine.utils.dl_utils import set_multi_processing
from mmpose.utils import register_all_modules
from torch.nn.utils import clip_grad_norm_, clip_grad_value_
from torch.utils.data import DataLoader

from cid_mmpose.errors import BadInput

from .meta import check_meta, metas_of
from .parts import check_options, check_part, class_of, near_name
from .ranges import LOADERS, check_ranges
from .values import fits, in_words

# settings that go together: mmengine wants all of them or none
TOGETHER = (
    ('train_dataloader', 'train_cfg', 'optim_wrapper'),
    ('val_dataloader', 'val_cfg', 'val_evaluator'),
    ('test_dataloader', 'test_cfg', 'test_evaluator'),
)
PARTS = (
    'model',
    'data_preprocessor',
    'param_scheduler',
    'custom_hooks',
    'visualizer',
    'log_processor',
    'val_evaluator',
    'test_evaluator',
    'optim_wrapper',
)
# mmengine has no type for these where none is given
TYPED = ('model', 'custom_hooks', 'visualizer', 'val_evaluator', 'test_evaluator')
ENVIRONMENT = dict(cudnn_benchmark=bool, mp_cfg=dict, dist_cfg=dict, resource_limit=int)
OTHER_KINDS = dict(
    work_dir=str,
    recipe=str,
    codec=dict,
    vis_backends=list,
    custom_imports=dict,
    model_wrapper_cfg=dict,
    find_unused_parameters=bool,
)
AUTO_SCALE = dict(base_batch_size=int, enable=bool)
# of optim_wrapper.paramwise_cfg, as mmengine's own constructor of optimizers reads it, which passes over the rest
PARAMWISE = dict(
    custom_keys=dict,
    bias_lr_mult=float,
    bias_decay_mult=float,
    norm_decay_mult=float,
    dwconv_decay_mult=float,
    flat_decay_mult=float,
    dcn_offset_lr_mult=float,
    bypass_duplicate=bool,
)
OF_A_KEY = dict(lr_mult=float, decay_mult=float)
# what mmengine reads of a loader before torch gets it
OF_LOADERS = (
    'dataset',
    'sampler',
    'batch_sampler',
    'num_batch_per_epoch',
    'worker_init_fn',
    'collate_fn',
    'disable_subprocess_warning',
)


def check_kinds(cfg: Config) -> None:
    """BadInput if a setting that mmengine's runner takes is of a wrong kind, or there is no model.

    Args:
        cfg: a config with the command line's options in it.
    """
    parameters = inspect.signature(Runner.__init__).parameters
    hints = typing.get_type_hints(Runner.__init__)
    for name in parameters:
        if name in ('self', 'cfg', 'work_dir', 'log_level') or name not in cfg:
            continue
        value = cfg[name]
        default = parameters[name].default
        is_default = value is None and (default is None or name in ('val_cfg', 'test_cfg'))
        if not is_default and not fits(value, hints.get(name, typing.Any)):
            raise BadInput(f'{name} must be {in_words(hints[name])}, got {value!r}')
    if not isinstance(cfg.get('model'), dict):
        raise BadInput('model must be a dict, with type; without it there is nothing to train or test')
    for name, kind in OTHER_KINDS.items():
        if cfg.get(name) is not None and not fits(cfg[name], kind):
            raise BadInput(f'{name} must be {in_words(kind)}, got {cfg[name]!r}')


def check_config(cfg: Config, part: str) -> None:
    """Checks every part of a run against the class that will take it, and its numbers against their ranges.

    Args:
        cfg: a config that has passed ``check_kinds``, with recipe and codec in its parts.
        part: 'train' or 'test', which has to be there.

    Raises:
        BadInput: names the option by its dotted name.
    """
    for names in TOGETHER:
        _check_together(cfg, names, needed=names[0].startswith(part))
    register_all_modules(init_default_scope=False)
    with DefaultScope.overwrite_default_scope(_scope(cfg)):
        for loader in LOADERS:
            _check_loader(cfg.get(loader), loader)
        for name in PARTS:
            _check_top(cfg.get(name), name)
        _check_hooks(cfg.get('default_hooks') or {})
        _check_loops(cfg)
        _check_untyped(cfg)
        _check_model(cfg.model)
        check_ranges(cfg)
        _check_keypoints(cfg)


def _check_together(cfg: Config, names: tuple, needed: bool) -> None:
    missing = [name for name in names if cfg.get(name) is None]
    if missing and (needed or len(missing) < len(names)):
        raise BadInput(
            f'{", ".join(names)} go together, and {", ".join(missing)} is None; set all of them'
            + ('' if needed else ', or none')
        )


def _scope(cfg: Config) -> str:
    scope = cfg.get('default_scope') or 'mmengine'
    try:
        import_module(f'{scope}.registry')
    except ImportError as error:
        raise BadInput(
            f'default_scope={scope!r}: there is no package of this name that has a registry; parts of '
            "MMPose are found from 'mmpose'"
        ) from error
    return scope


def _check_top(part: Any, name: str) -> None:
    """A part, or a list of them, on top of the config."""
    if part is None:
        return
    for number, item in enumerate(part if isinstance(part, (list, tuple)) else [part]):
        where = f'{name}.{number}' if isinstance(part, (list, tuple)) else name
        if not isinstance(item, dict):
            raise BadInput(f'{where} must be a dict with type, got {item!r}')
        if name in TYPED and 'type' not in item and 'metrics' not in item:
            raise BadInput(f'{where} has no type')
        if name == 'log_processor' and 'type' not in item:
            check_options(dict(item), LogProcessor, where, 'LogProcessor')
        elif name == 'optim_wrapper' and 'type' not in item and 'optimizer' in item:
            check_part(dict(item, type='OptimWrapper'), where, name)
        else:
            check_part(item, where, name)


def _check_model(model: dict) -> None:
    """What a pose estimator cannot do without, although its constructor takes None."""
    needed = ('head', 'data_preprocessor') if str(model.get('type')) == 'cid_mmpose.CID' else ()
    for name in needed:
        if model.get(name) is None:
            raise BadInput(f'model.{name} must be a dict with type, got None')


def _check_hooks(hooks: dict) -> None:
    for name, hook in hooks.items():
        where = f'default_hooks.{name}'
        if hook is None:
            continue
        if not isinstance(hook, dict) or 'type' not in hook:
            others = [other for other in hooks if other != name]
            raise BadInput(f'{where} must be a dict with type, got {hook!r}{near_name(name, others)}')
        check_part(hook, where, 'default_hooks')


def _check_loader(loader: Any, where: str) -> None:
    if loader is None:
        return
    if 'dataset' not in loader or not isinstance(loader['dataset'], dict) or 'type' not in loader['dataset']:
        raise BadInput(f'{where}.dataset must be a dict with type, got {loader.get("dataset")!r}')
    if 'sampler' not in loader and 'batch_sampler' not in loader:
        raise BadInput(f"{where} has no sampler; set sampler=dict(type='DefaultSampler', shuffle=True)")
    if 'batch_size' not in loader and 'batch_sampler' not in loader:
        raise BadInput(f'{where} has no batch_size')
    for name in ('sampler', 'batch_sampler'):
        if name in loader and not (isinstance(loader[name], dict) and 'type' in loader[name]):
            raise BadInput(f'{where}.{name} must be a dict with type, got {loader[name]!r}')
        check_part(loader.get(name), f'{where}.{name}', name)
    for name in ('worker_init_fn', 'collate_fn'):  # functions, which get some of their arguments only later
        if isinstance(loader.get(name), dict):
            class_of(loader[name].get('type'), f'{where}.{name}', name)
    _check_pipeline(loader['dataset'], f'{where}.dataset')
    check_part(loader['dataset'], f'{where}.dataset', 'dataset')

    rest = {name: value for name, value in loader.items() if name not in OF_LOADERS}
    _check_loader_options(rest, where)


def _check_loader_options(options: dict, where: str) -> None:
    known = [name for name in inspect.signature(DataLoader.__init__).parameters if name != 'self']
    for name in options:
        if name not in known:
            raise BadInput(f'{where}: unknown option {name!r}{near_name(name, [*known, *OF_LOADERS])}')
    check_options(options, DataLoader, where, 'DataLoader')
    workers = options.get('num_workers', 0)
    if options.get('persistent_workers') and workers == 0:
        raise BadInput(
            f'{where}.persistent_workers needs num_workers of at least 1; with num_workers=0 set it to False'
        )
    if options.get('prefetch_factor') is not None and workers == 0:
        raise BadInput(f'{where}.prefetch_factor needs num_workers of at least 1')


def _check_pipeline(dataset: dict, where: str) -> None:
    steps = dataset.get('pipeline')
    for number, step in enumerate(steps if isinstance(steps, (list, tuple)) else ()):
        if not callable(step) and not (isinstance(step, dict) and 'type' in step):
            raise BadInput(f'{where}.pipeline.{number} must be a dict with type, got {step!r}')


def _check_loops(cfg: Config) -> None:
    """train_cfg, val_cfg and test_cfg of a run, with a type or without."""
    train = cfg.get('train_cfg')
    if train is not None and 'type' not in train:
        if 'by_epoch' not in train:
            raise BadInput('train_cfg needs by_epoch=True (with max_epochs) or by_epoch=False (with max_iters)')
        if not isinstance(train['by_epoch'], bool):
            raise BadInput(f'train_cfg.by_epoch must be True or False, got {train["by_epoch"]!r}')
        loop = EpochBasedTrainLoop if train['by_epoch'] else IterBasedTrainLoop
        _check_loop(train, loop, 'train_cfg')
    for name, loop in (('val_cfg', ValLoop), ('test_cfg', TestLoop)):
        if isinstance(cfg.get(name), dict) and 'type' not in cfg[name]:
            _check_loop(cfg[name], loop, name)
    for name in ('train_cfg', 'val_cfg', 'test_cfg'):
        if isinstance(cfg.get(name), dict) and 'type' in cfg[name]:
            loop = class_of(cfg[name]['type'], name, name)
            _check_loop({key: value for key, value in cfg[name].items() if key != 'type'}, loop, name)


def _check_loop(options: dict, loop: Callable, where: str) -> None:
    given = {name: value for name, value in options.items() if name not in ('by_epoch', 'type')}
    check_options(given, loop, where, getattr(loop, '__name__', str(loop)))


def _check_untyped(cfg: Config) -> None:
    """Settings that are handed to functions instead of classes."""
    _check_keys(cfg.get('env_cfg') or {}, ENVIRONMENT, 'env_cfg')
    check_options(
        dict((cfg.get('env_cfg') or {}).get('mp_cfg') or {}), set_multi_processing, 'env_cfg.mp_cfg', 'mmengine'
    )
    _check_keys(cfg.get('auto_scale_lr') or {}, AUTO_SCALE, 'auto_scale_lr')
    randomness = dict(cfg.get('randomness') or {})
    check_options(dict(dict(seed=None), **randomness), Runner.set_randomness, 'randomness', 'mmengine')

    wrapper = cfg.get('optim_wrapper') or {}
    if wrapper.get('constructor', 'DefaultOptimWrapperConstructor') == 'DefaultOptimWrapperConstructor':
        _check_paramwise(wrapper.get('paramwise_cfg') or {}, 'optim_wrapper.paramwise_cfg')
    clip = wrapper.get('clip_grad')
    if isinstance(clip, dict):
        function = clip_grad_value_ if clip.get('type') == 'value' else clip_grad_norm_
        options = {name: value for name, value in clip.items() if name != 'type'}
        check_options(dict(options, parameters=()), function, 'optim_wrapper.clip_grad', function.__name__)


def _check_paramwise(given: dict, where: str) -> None:
    _check_keys(given, PARAMWISE, where)
    for name, factors in (given.get('custom_keys') or {}).items():
        if not isinstance(factors, dict):
            raise BadInput(f'{where}.custom_keys.{name} must be a dict with lr_mult or decay_mult, got {factors!r}')
        _check_keys(factors, OF_A_KEY, f'{where}.custom_keys.{name}')


def _check_keys(given: dict, known: dict, where: str) -> None:
    for name, value in given.items():
        if name not in known:
            raise BadInput(f'{where}: unknown option {name!r}{near_name(name, known)}')
        if value is not None and not fits(value, known[name]):
            raise BadInput(f'{where}.{name} must be {in_words(known[name])}, got {value!r}')


def _check_keypoints(cfg: Config) -> None:
    """Meta information of the model and of the data sets, and the head's number of keypoints against it."""
    keypoints = (cfg.model.get('head') or {}).get('num_keypoints')
    for meta in metas_of(cfg.model, 'model'):
        described = check_meta(meta)
        if isinstance(keypoints, int) and described != keypoints:
            raise BadInput(
                f'model.head.num_keypoints is {keypoints}, but {meta.source} of model.metainfo describes '
                f'{described} keypoints'
            )
    for loader in LOADERS:
        dataset = _with_own_meta((cfg.get(loader) or {}).get('dataset'), loader)
        for meta in metas_of(dataset, f'{loader}.dataset'):
            described = check_meta(meta)
            if isinstance(keypoints, int) and described != keypoints and not _converts(dataset):
                raise BadInput(
                    f'model.head.num_keypoints is {keypoints}, but {meta.source} of {loader} describes '
                    f'{described} keypoints'
                )


def _with_own_meta(dataset: Any, loader: str) -> Any:
    """A data set with the meta information of its class, if the config gives it none."""
    if not isinstance(dataset, dict) or dataset.get('metainfo'):
        return dataset
    own = getattr(class_of(dataset['type'], f'{loader}.dataset', 'dataset'), 'METAINFO', None)
    return dict(dataset, metainfo=own) if isinstance(own, dict) else dataset


def _converts(dataset: dict) -> bool:
    """Whether keypoints are changed on the way, as where several data sets are joined."""
    steps = dataset.get('pipeline') or ()
    return 'datasets' in dataset or any('Converter' in str(step.get('type')) for step in steps)
