"""Checks the words on top of a config: those that nothing reads and that look like one that is read."""

import difflib
import inspect
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

from cid_mmpose.errors import BadInput

from .steps import inside, label

RUNNER = [name for name in inspect.signature(Runner.__init__).parameters if name not in ('self', 'cfg')]
# read by mmengine from the config itself, by this project, or by the commands
OTHERS = (
    'custom_imports',
    'model_wrapper_cfg',
    'find_unused_parameters',
    'sync_bn',
    'compile',
    'runner_type',
    'efficient_conv_bn_eval',
    'activation_checkpointing',
    'strategy',
    'vis_backends',
    'recipe',
    'codec',
)
READ = (*RUNNER, *OTHERS)
# words of configs from before 2022, which nothing reads any more
OLD = dict(
    optimizer='optim_wrapper.optimizer',
    optimizer_config='optim_wrapper.clip_grad',
    lr_config='param_scheduler',
    total_epochs='train_cfg.max_epochs',
    checkpoint_config='default_hooks.checkpoint',
    data='train_dataloader',
    log_config='default_hooks.logger',
    evaluation='val_evaluator',
    resume_from='resume and load_from',
    workflow='train_cfg',
)
ALIKE = 0.82  # difflib's likeness above which a word is another one misspelt
LIKE_ENOUGH = 0.7  # the same for a variable and the option that it was made for
SHORTEST = 5  # of shorter words too many are alike


def check_names(cfg: Config) -> None:
    """BadInput for a word that looks like one that is read, or was read once, and is used nowhere in the run.

    Variables of users' own are let alone: they are unlike, or what they hold stands in a part of the run.

    Args:
        cfg: a config.
    """
    for word, value in cfg.items():
        if word in READ or word.startswith('_') or _is_used(word, value, cfg):
            continue
        if word in OLD:
            raise BadInput(f'{word}: nothing reads this setting of older versions; set {OLD[word]}')
        _check_word(word, value, cfg)


def _check_word(word: str, value: Any, cfg: Config) -> None:
    if len(word) < SHORTEST:
        return
    near = difflib.get_close_matches(word.lower(), READ, 1, ALIKE)
    if near and not _is_of_another_kind(value, cfg.get(near[0])):
        raise BadInput(f'unknown setting {word!r}; did you mean {near[0]!r}?')

    inner = dict(inner_names(cfg))
    near = difflib.get_close_matches(word.lower(), inner, 1, ALIKE)
    if near and near[0] != word and not isinstance(value, (dict, list, tuple)):
        raise BadInput(f'unknown setting {word!r}; did you mean {inner[near[0]]!r}?')


def _is_of_another_kind(value: Any, right: Any) -> bool:
    """Whether a word holds another kind of thing than the setting it resembles, so that it is not that one misspelt."""
    if right is None:
        return False
    same = isinstance(value, dict) == isinstance(right, dict)
    return not same or isinstance(value, (list, tuple)) != isinstance(right, (list, tuple))


def _is_used(word: str, value: Any, cfg: Config) -> bool:
    """Whether a value stands in the parts of the run; of a single one it counts under a name that is like its own."""
    if not isinstance(value, (dict, list, tuple)):
        inner = _inner_values(cfg)
        return any(held == value and _is_like(word, name) for name, held in inner)
    if not value:
        return False
    parts = [cfg.get(name) for name in READ]
    return any(_places_in(part, '', value) for part in parts)


def _is_like(word: str, name: str) -> bool:
    return difflib.SequenceMatcher(None, word.lower(), name.lower()).ratio() >= LIKE_ENOUGH


def _inner_values(cfg: Config) -> Iterator[tuple[str, Any]]:
    """Name and value of every option of the run that holds one value."""
    nodes = [cfg.get(name) for name in READ]
    while nodes:
        node = nodes.pop()
        if isinstance(node, (list, tuple)):
            nodes += node
        elif isinstance(node, dict):
            for name, value in node.items():
                if isinstance(value, (dict, list, tuple)):
                    nodes.append(value)
                else:
                    yield str(name), value


def inner_names(cfg: Config, shortest: int = SHORTEST) -> Iterator[tuple[str, str]]:
    """Name of an option -> its dotted name, for options of the run that hold one value.

    Args:
        cfg: a config.
        shortest: characters of a name.
    """
    for name in RUNNER:
        yield from _inner(cfg.get(name), name, shortest)


def _inner(node: Any, where: str, shortest: int) -> Iterator[tuple[str, str]]:
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if not isinstance(value, (dict, list, tuple)) and key != 'type' and len(str(key)) >= shortest:
            yield str(key), f'{where}.{key}'
        yield from _inner(value, f'{where}.{key}', shortest)


def check_option_names(options: dict, cfg: Config) -> None:
    """BadInput for an option of the command line that would change nothing.

    What stands on top of a config and is no setting is a variable: its value was put into the parts when the config was
    read, so that changing it afterwards does nothing.

    Args:
        options: dotted name -> value.
        cfg: the config before they are put into it.
    """
    for name in options:
        word = str(name).partition('.')[0]
        if word == 'launcher':
            raise BadInput('--cfg-options: launcher: the command sets it; give --launcher')
        if word in READ:
            continue
        if word in cfg:
            raise BadInput(
                f'--cfg-options: {name}: {word} is a variable of the config, whose value has been used; set '
                f'{_places(cfg[word], cfg)}'
            )
        raise BadInput(f'--cfg-options: {name}: there is no setting {word!r}{_meant(word, cfg)}')


def _meant(word: str, cfg: Config) -> str:
    near = difflib.get_close_matches(word, READ, 1, 0.7)
    if near:
        return f'; did you mean {near[0]!r}?'
    inner = dict(inner_names(cfg, shortest=1))
    near = [word] if word in inner else difflib.get_close_matches(word, inner, 1, 0.7)
    return f'; did you mean {inner[near[0]]!r}?' if near else ''


def _places(value: Any, cfg: Config) -> str:
    """Where a variable's value stands in the parts of a run."""
    found: list[str] = []
    for name in RUNNER:
        found += _places_in(cfg.get(name), name, value)
    return ', '.join(found[:4]) if found else 'the options of the parts that use it'


def _places_in(node: Any, where: str, value: Any) -> list[str]:
    """Dotted names of what equals a value inside a part of that name."""
    if type(node) is type(value) and node == value:
        return [where]
    found = []
    if isinstance(node, dict):
        for key, inner in node.items():
            found += _places_in(inner, f'{where}.{key}', value)
    elif isinstance(node, (list, tuple)):
        for number, inner in enumerate(node):
            found += _places_in(inner, f'{where}.{label(node, number)}', value)
    return found


def check_kept(options: dict, cfg: Config) -> None:
    """BadInput for an option of the command line that the config's ``codec`` has replaced by its own.

    Args:
        options: dotted name -> value.
        cfg: the config with these options, and with the recipe and the codec in its parts.
    """
    for name, value in options.items():
        *way, last = str(name).split('.')
        part: Any = cfg
        for step in way:
            part = inside(part, step)
        kept = isinstance(value, dict) or not isinstance(part, dict) or part.get(last, value) == value
        if not kept and last in (cfg.get('codec') or {}):
            raise BadInput(
                f'--cfg-options: {name}: codec of the config sets this in training and testing alike; set codec.{last}'
            )
