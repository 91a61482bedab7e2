"""What the commands do: options into a config, checks before anything is built, run, and one clear error."""

import json
import os
import os.path as osp
from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config, DictAction
from mmengine.dist import get_rank
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmengine.utils import import_modules_from_strings

from cid_mmpose.compat.stack import say
from cid_mmpose.errors import BadInput
from cid_mmpose.files import check_file, check_writable, only_run_in
from cid_mmpose.models import CIDHead
from cid_mmpose.recipes import apply_recipe
from cid_mmpose.weights.loaders import path_of

from .config.check import check_config, check_kinds
from .config.errors import config_errors, of_config
from .config.names import check_kept, check_names, check_option_names
from .config.steps import numbered
from .hooks import CheckpointFitHook
from .hooks.show_people import ShowPeople
from .interrupts import run_ends
from .resume import newest_checkpoint
from .run_hooks import add_run_hooks
from .screen import prints_in_log, quiet_warnings, runner_class, tell_of_the_run
from .user_parts import name_visualizer, settle_user_parts


def train(
    config: str,
    *,
    work_dir: str | None = None,
    resume: str | None = None,
    amp: str | None = None,
    validate: bool = True,
    auto_scale_lr: bool = False,
    cfg_options: dict | None = None,
    launcher: str = 'none',
    verbose: bool = False,
) -> Runner:
    """Trains a model as a config says; returns the runner, whose model is trained.

    Args:
        config: path of the config.
        work_dir: for log and checkpoints; ``work_dirs/<name of the config>`` by default.
        resume: a checkpoint to go on from; 'auto' takes the newest complete one of the work folder, if there is one.
        amp: 'bf16' or 'fp16' for mixed precision.
        validate: whether to evaluate in between.
        auto_scale_lr: scales the learning rate by the true batch over ``auto_scale_lr.base_batch_size``.
        cfg_options: dotted name -> value, put into the config.
        launcher: as for mmengine's Runner.
        verbose: everything on the screen that otherwise goes to the log file alone.

    Raises:
        BadInput: an option, the config, a checkpoint or the work folder is wrong.
    """
    cfg = load_config(config, work_dir, cfg_options)
    if not validate:
        cfg.update(val_cfg=None, val_dataloader=None, val_evaluator=None)
    if amp and cfg.get('optim_wrapper') is not None:
        set_amp(cfg, amp)
    with of_config(config):
        check_config(cfg, 'train')
    if auto_scale_lr:
        set_auto_scale(cfg, config)
    set_resume(cfg, resume)
    if cfg.get('load_from'):
        check_checkpoint(cfg.load_from)
    set_launcher(cfg, launcher)
    # of several processes the first one holds the folder, which the hook for that knows
    alone = only_run_in(cfg.work_dir) if launcher == 'none' else nullcontext()
    resumed = cfg.get('load_from') if cfg.get('resume') else None
    with config_errors(config), quiet_warnings(), run_ends(cfg.work_dir, resumed), alone:
        runner = build_runner(cfg, verbose)
        with prints_in_log(runner.logger):
            runner.train()
    say(f'checkpoints and log: {cfg.work_dir}')
    return runner


def test(
    config: str,
    checkpoint: str,
    *,
    work_dir: str | None = None,
    out: str | None = None,
    dump: str | None = None,
    show_dir: str | None = None,
    cfg_options: dict | None = None,
    launcher: str = 'none',
    verbose: bool = False,
) -> dict:
    """Evaluates a checkpoint on the config's test images.

    Args:
        config: path.
        checkpoint: path.
        work_dir: as for ``train``.
        out: JSON file for the metrics.
        dump: pickle file for the predictions.
        show_dir: folder for drawn images.
        cfg_options: as for ``train``.
        launcher: as for ``train``.
        verbose: as for ``train``.

    Returns:
        The metrics.

    Raises:
        BadInput: as ``train``, and when the checkpoint is of another model.
    """
    cfg = load_config(config, work_dir, cfg_options)
    with of_config(config):
        check_config(cfg, 'test')
    for path in filter(None, (out, dump)):
        check_file(path)
    if dump:
        set_dump(cfg, dump)
    if show_dir:
        check_writable(show_dir, '--show-dir')
    check_checkpoint(checkpoint)
    cfg.update(load_from=checkpoint, resume=False)
    set_launcher(cfg, launcher)
    with config_errors(config), quiet_warnings(), run_ends():
        runner = build_runner(cfg, verbose)
        if show_dir:
            runner.register_hook(ShowPeople(show_dir))
        with prints_in_log(runner.logger):
            metrics = {name: float(value) for name, value in runner.test().items()}
    if out and get_rank() == 0:
        os.makedirs(osp.dirname(osp.abspath(out)), exist_ok=True)
        Path(out).write_text(json.dumps(metrics, indent=2) + '\n', encoding='utf-8')
    for what, path in (('metrics', out), ('predictions', dump), ('images', show_dir)):
        if path:
            say(f'{what}: {path}')
    return metrics


def read_options(words: Sequence[str] | None) -> dict:
    """Dotted name -> value, out of ``key=value`` words; numbers, booleans, None and lists as mmengine reads them.

    Args:
        words: of the command line; None for none.

    Raises:
        BadInput: a value has brackets that do not match.
    """
    if not words:
        return {}
    parser = ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    options = {}
    for word in words:
        try:
            options.update(parser.parse_args(['--cfg-options', word]).cfg_options)
        except (AssertionError, ValueError) as error:
            raise BadInput(f'--cfg-options: {word}: cannot be read as key=value ({error})') from error
    return options


def load_config(path: str, work_dir: str | None = None, cfg_options: dict | None = None) -> Config:
    """The config with the command line's options in it and a work folder that can be written to; else BadInput."""
    cfg = read_config(path)
    put_in(cfg, cfg_options or {})
    if any(name.partition('.')[0] == 'custom_imports' for name in cfg_options or {}):
        import_again(cfg)
    paths_as_texts(cfg)
    with of_config(path):
        check_names(cfg)
        check_kinds(cfg)
        apply_recipe(cfg)
        check_kept(cfg_options or {}, cfg)
    add_run_hooks(cfg)
    settle_user_parts(cfg)
    if cfg.get('randomness') is not None:
        cfg.randomness.setdefault('seed', None)  # which mmengine's runner asks for
    if work_dir and (cfg_options or {}).get('work_dir', work_dir) != work_dir:
        raise BadInput(
            f'--work-dir {work_dir} and --cfg-options work_dir={cfg_options["work_dir"]} are two folders; '
            'give one of them'
        )
    cfg.work_dir = work_dir or cfg.get('work_dir') or osp.join('work_dirs', Path(path).stem)
    check_writable(cfg.work_dir)
    return cfg


def read_config(path: str) -> Config:
    """The config in a file, with nothing checked or changed yet; BadInput if it is not there, or cannot be read."""
    if not osp.isfile(path):
        raise BadInput(f'{path}: no such config')
    try:
        return Config.fromfile(path)
    except Exception as error:  # a config is code, which may raise anything
        raise BadInput(f'{path}: cannot be read as a config: {type(error).__name__}: {error}') from error


def put_in(cfg: Config, options: dict) -> None:
    """Puts the command line's options into a config, in place.

    Args:
        cfg: as read.
        options: dotted name -> value; a step of a list is named by its type or its number.

    Raises:
        BadInput: an option has no place in the config, or would change nothing.
    """
    check_option_names(options, cfg)
    for name, value in options.items():
        place = numbered(name, cfg)
        try:
            cfg.merge_from_dict({place: value})
        except AttributeError as error:
            raise BadInput(f'--cfg-options: {name}={value}: what stands there is a dict; set options in it') from error
        except (KeyError, TypeError, IndexError, ValueError, AssertionError) as error:
            text = str(error.args[0] if error.args else error)
            raise BadInput(f'--cfg-options: {name}: {text.partition(" [{")[0][:200]}') from error


def import_again(cfg: Config) -> None:
    """Imports what ``custom_imports`` names since the command line changed it; else BadInput."""
    wanted = cfg.get('custom_imports') or {}
    if not isinstance(wanted, dict):
        return  # of a wrong kind: the check of the config says so
    try:
        import_modules_from_strings(**wanted)
    except (ImportError, TypeError) as error:
        raise BadInput(f'--cfg-options: custom_imports: {error}') from error


def paths_as_texts(node: Any) -> None:
    """Puts texts for the ``pathlib`` paths in a config, in place: mmengine cannot write others into its log."""
    places = node.items() if isinstance(node, (Config, dict)) else enumerate(node)
    for place, value in list(places):
        if isinstance(value, os.PathLike):
            node[place] = os.fspath(value)
        elif isinstance(value, (dict, list)):
            paths_as_texts(value)


def check_checkpoint(name: str) -> None:
    """BadInput if a checkpoint on this machine is not there: it is read only after the data are.

    Args:
        name: path or URL.
    """
    is_elsewhere = '://' in name and not name.startswith('file://')
    if not is_elsewhere and ':' not in name.partition('/')[0]:  # such as torchvision://, open-mmlab://, local:
        path_of(name)


def set_amp(cfg: Config, amp: str) -> None:
    """Mixed precision: 'bf16', or 'fp16' with scaled losses, which a CPU cannot train in."""
    if amp == 'fp16' and not torch.cuda.is_available():
        raise BadInput('--amp fp16 needs a GPU; on a CPU use --amp bf16')
    kinds = {
        'fp16': dict(type='AmpOptimWrapper', dtype='float16', loss_scale='dynamic'),
        'bf16': dict(type='cid_mmpose.BFloat16OptimWrapper'),
    }
    present = cfg.optim_wrapper.get('type', 'OptimWrapper')
    replaceable = ['OptimWrapper', kinds['fp16']['type'], kinds['bf16']['type']]
    if present not in replaceable:
        raise BadInput(f'--amp: optim_wrapper.type is {present}; only OptimWrapper can be given mixed precision')
    other_kinds = ('dtype', 'loss_scale') if amp == 'bf16' else ('dtype', 'loss_scale', 'insist')
    for option in other_kinds:
        cfg.optim_wrapper.pop(option, None)
    cfg.optim_wrapper.update(kinds[amp])


def set_auto_scale(cfg: Config, path: str) -> None:
    """Turns on mmengine's scaling of the learning rate."""
    if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
        raise BadInput(f'{path}: --auto-scale-lr needs auto_scale_lr.base_batch_size in the config')
    cfg.auto_scale_lr.enable = True


def set_resume(cfg: Config, resume: str | None) -> None:
    """Which checkpoint to go on from; the config may ask for it too, by ``resume=True``."""
    asked = resume or ('auto' if cfg.get('resume') and not cfg.get('load_from') else None)
    if asked is None:
        cfg.resume = cfg.get('resume', False)
        return
    found = newest_checkpoint(cfg.work_dir) if asked == 'auto' else asked
    if found is None:
        say(f'no complete checkpoint in {cfg.work_dir}: training starts from the beginning')
        cfg.resume = False
    else:
        cfg.update(resume=True, load_from=found)


def set_dump(cfg: Config, path: str) -> None:
    """Predictions into a pickle file, beside the config's own metrics."""
    if not path.endswith(('.pkl', '.pickle')):
        raise BadInput(f'--dump {path}: predictions are written as a pickle; name it .pkl')
    evaluators = cfg.test_evaluator if isinstance(cfg.test_evaluator, (list, tuple)) else [cfg.test_evaluator]
    cfg.test_evaluator = [*evaluators, dict(type='DumpResults', out_file_path=path)]


def set_launcher(cfg: Config, launcher: str) -> None:
    """Several processes; without a GPU they talk by gloo, which mmengine does not set up by itself."""
    cfg.launcher = launcher
    if launcher == 'pytorch' and 'RANK' not in os.environ:
        raise BadInput('--launcher pytorch: start this with python -m torch.distributed.run --nproc_per_node N')
    if launcher == 'none' or torch.cuda.is_available():
        return
    if launcher != 'pytorch':
        raise BadInput(f'--launcher {launcher} needs GPUs; without one use --launcher pytorch')
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group('gloo')
    # mmengine gives each process the GPU of its number, both here and in its own init
    wrapper = dict(
        type='MMDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False),
    )
    cfg.model_wrapper_cfg = {**wrapper, **cfg.get('model_wrapper_cfg', {}), 'device_ids': None}


def build_runner(cfg: Config, verbose: bool = False) -> Runner:
    """mmengine's runner, with the checks that it lacks: of checkpoints and of the options of testing."""
    if isinstance(cfg.get('visualizer'), dict):
        name_visualizer(cfg.visualizer)
    runner = runner_class(cfg.get('log_level', 'INFO'), verbose).from_cfg(cfg)
    tell_of_the_run(runner)
    runner.register_hook(CheckpointFitHook())
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    if isinstance(getattr(model, 'head', None), CIDHead):
        model.head.test.with_test_cfg(model.test_cfg)
    return runner
