"""Which network, with which weights: what a user names a model by."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config, ConfigDict
from mmengine.logging import MMLogger
from mmengine.runner import CheckpointLoader

import cid_mmpose
from cid_mmpose.engine.config.check import check_kinds
from cid_mmpose.engine.config.errors import of_config
from cid_mmpose.engine.config.names import check_names
from cid_mmpose.engine.launch import read_config
from cid_mmpose.engine.resume import newest_checkpoint
from cid_mmpose.errors import BadInput
from cid_mmpose.recipes import apply_recipe
from cid_mmpose.registry import KEYPOINT_CODECS, MODELS, TRANSFORMS
from cid_mmpose.weights.model_zoo import read_rows

from .config_text import check_types, config_of

WEIGHTS_ENDINGS = ('.pth', '.pt', '.ckpt', '.safetensors')
OWN_CONFIG = 'give its config as well: load(CONFIG, checkpoint=CHECKPOINT), or --model CONFIG --checkpoint CHECKPOINT'


class Choice(NamedTuple):
    """A network and its weights."""

    config: Config
    checkpoint: dict[str, Any]  # as read
    weights: str  # the file of the checkpoint, by path or URL
    config_file: str  # that of the config; it is the checkpoint itself where the config is in it
    is_strangers: bool = False  # whether the config came with the weights, so that nothing it names is run


def choose(model: str | os.PathLike, checkpoint: str | os.PathLike | None = None) -> Choice:
    """The network and the weights that a user means.

    Args:
        model: a work folder of a training; a checkpoint that carries its config, by path or URL; the path of a config;
            or the name of a config of this package, whose public weights are taken if no others are given.
        checkpoint: path or URL of the weights.

    Raises:
        BadInput: there is no such model, or no weights for it.
    """
    name = os.fspath(model)
    weights = None if checkpoint is None else os.fspath(checkpoint)
    if os.path.isdir(name):
        return _of_work_folder(Path(name), weights)
    if name.endswith('.py'):
        if not os.path.isfile(name):
            raise BadInput(f'{name}: no such config{_known_models()}')
        return _of_config_file(name, weights)
    if name.endswith(WEIGHTS_ENDINGS) or os.path.isfile(name):
        if weights is not None:
            raise BadInput(f'{name} and {weights} are two files of weights; give a config and a checkpoint')
        return _with_own_config(_read(name), name)
    return _of_name(name, weights)


def _of_work_folder(folder: Path, weights: str | None) -> Choice:
    """The best checkpoint of a training, else the newest one, with the config that the training wrote down."""
    if weights is None:
        best = _by_age(folder.glob('best_*.pth'))
        weights = str(best[-1]) if best else newest_checkpoint(str(folder))
    if weights is None:
        raise BadInput(f'{folder}: holds no checkpoint (best_*.pth, epoch_*.pth, iter_*.pth); name another work folder')
    configs = _by_age(folder.glob('*.py'))
    if configs:
        return _of_config_file(str(configs[-1]), weights)
    return _with_own_config(_read(weights), weights)


def _by_age(paths: Iterable[Path]) -> list[Path]:
    """Files, that which was changed last behind the others."""
    return sorted(paths, key=lambda path: path.stat().st_mtime)


def _of_config_file(path: str, weights: str | None) -> Choice:
    if weights is None:
        known = public_weights().get(Path(path).stem)
        if known is None:
            raise BadInput(f'{path}: which weights? name a checkpoint: load({path!r}, checkpoint=...), or --checkpoint')
        weights = known
    config = read_config(path)
    with of_config(path):
        check_names(config)
        check_kinds(config)
        apply_recipe(config)
    return Choice(config, _read(weights), weights, path)


def _of_name(name: str, weights: str | None) -> Choice:
    """A config of this package by its name, with the public weights that the model index names."""
    path = Path(cid_mmpose.__file__).resolve().parent / '.mim' / 'configs' / f'{name}.py'
    if not os.path.isfile(path) or '..' in name:
        raise BadInput(f'{name}: no such file, folder or model{_known_models()}')
    if weights is None and name not in public_weights():
        raise BadInput(
            f'{name}: nobody has published weights of this model; name a checkpoint of yours '
            f'(checkpoint=..., or --checkpoint){_known_models()}'
        )
    return _of_config_file(str(path), weights)


def _with_own_config(checkpoint: dict[str, Any], name: str) -> Choice:
    """A checkpoint whose training wrote its config into it; it is taken for a stranger's, of whom nothing is run."""
    text = checkpoint.get('meta', {}).get('cfg')
    if not isinstance(text, str):
        raise BadInput(f'{name}: holds weights alone; {OWN_CONFIG}')
    config = config_of(text, name)
    parts = dict(model=config.get('model'), pipeline=pipeline_of(config, name))
    if not isinstance(parts['model'], dict) or not isinstance(config.get('default_scope', ''), str):
        raise BadInput(f'{name}: the model or default_scope of its config is not what a training writes; {OWN_CONFIG}')
    check_types(parts, (MODELS, KEYPOINT_CODECS, TRANSFORMS), name)
    _drop_init_cfg(parts['model'])
    return Choice(config, checkpoint, name, name, is_strangers=True)


def _drop_init_cfg(node: Any) -> None:
    """Nothing is initialised where all weights are loaded, and no other file is read."""
    if isinstance(node, dict):
        node.pop('init_cfg', None)
        for value in node.values():
            _drop_init_cfg(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            _drop_init_cfg(value)


def pipeline_of(config: Config, name: str) -> list[ConfigDict]:
    """The steps by which a config brings images to the network in testing.

    Args:
        config: of a training.
        name: of its file, for the message.

    Raises:
        BadInput: the config has none.
    """
    for part in ('test_dataloader', 'val_dataloader'):
        loader = config.get(part)
        dataset = loader.get('dataset') if isinstance(loader, dict) else None
        steps = dataset.get('pipeline') if isinstance(dataset, dict) else None
        if isinstance(steps, list) and steps and all(isinstance(step, dict) for step in steps):
            return steps
    raise BadInput(f'{name}: its config has no test_dataloader.dataset.pipeline, which says how images are resized')


def public_weights() -> dict[str, str]:
    """Name of a model -> URL of its public weights, of those that have some."""
    index = Path(cid_mmpose.__file__).resolve().parent / '.mim' / 'model-index.yml'
    return {row.name: row.weights for row in read_rows(index) if row.weights}


def _known_models() -> str:
    return f'; models with public weights: {", ".join(sorted(public_weights()))}'


def _read(name: str) -> dict[str, Any]:
    """The content of a file of weights, by path or URL."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel('WARNING')  # mmengine tells of every file that it reads
    try:
        return CheckpointLoader.load_checkpoint(name, map_location='cpu')
    finally:
        logger.setLevel(level)
