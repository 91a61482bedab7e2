"""From the name of a model to something that can be called."""

import os
from dataclasses import fields
from typing import Any

import torch
from mmcv.transforms import Compose
from mmengine.config import ConfigDict
from mmengine.model.utils import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from mmpose.apis.inference import dataset_meta_from_config
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from cid_mmpose.engine.config.errors import config_errors
from cid_mmpose.engine.hooks.checkpoint_fit import check_every_weight
from cid_mmpose.engine.screen import quiet_warnings
from cid_mmpose.errors import BadInput
from cid_mmpose.models import CID
from cid_mmpose.registry import MODELS
from cid_mmpose.weights.layouts import state_in
from cid_mmpose.weights.loaders import note_file

from . import keypoints
from .keypoints import KeypointSet
from .networks import Choice, choose, pipeline_of
from .options import PredictOptions
from .predictor import Predictor

COCO = 'configs/_base_/datasets/coco.py'  # MMPose's; of checkpoints that say nothing of their keypoints


def load(
    model: str | os.PathLike,
    checkpoint: str | os.PathLike | None = None,
    device: str | None = None,
    **options: Any,
) -> Predictor:
    """A model that is called with images; see ``cid_mmpose.load``."""
    _check_name('model', model)
    if checkpoint is not None:
        _check_name('checkpoint', checkpoint)
    known = [field.name for field in fields(PredictOptions)]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise BadInput(f'load: unknown options {unknown}; there are: {", ".join(known)}')
    chosen = PredictOptions(**options)
    where = _device(device)
    return predictor_of(choose(model, checkpoint), chosen, where)


def predictor_of(
    choice: Choice, options: PredictOptions, device: torch.device, steps: list[ConfigDict] | None = None
) -> Predictor:
    """A network, its weights and its pipeline, ready to be called.

    Args:
        choice: of ``networks.choose``.
        options: how people are found.
        device: of the network.
        steps: by which images become its input; None takes those of the config, for ``options.size``.

    Raises:
        BadInput: the weights are of another network, or an option is not possible with it.
    """
    init_default_scope(choice.config.get('default_scope', 'mmpose'))
    with config_errors(choice.config_file), quiet_warnings():
        network = build(choice).to(device).eval()
        meta = meta_of(choice, network)
        keypoint_set = keypoint_set_of(meta, choice.weights)
        if steps is None:
            steps = sized(pipeline_of(choice.config, choice.config_file), options.size, choice.config_file)
        pipeline = Compose([dict(step) for step in steps])
    network.test_cfg.update(options.test_cfg())
    if network.head.test.with_test_cfg(network.test_cfg).precision is None:
        network.test_cfg['precision'] = precision_of(network)
    if network.test_cfg.get('flip_test') and not keypoint_set.swaps:
        raise BadInput(f'{choice.weights}: its keypoints have no flip_indices, which flip needs; load with flip=False')
    return Predictor(network, pipeline, keypoint_set, meta, options, choice.weights)


def build(choice: Choice) -> CID:
    """The network with its weights, every one of which must be there.

    Args:
        choice: of ``networks.choose``.

    Raises:
        BadInput: it is not a CID, or the weights are of another network.
    """
    config = choice.config.get('model')
    if not config:
        raise BadInput(f'{choice.config_file}: the config has no model')
    network = revert_sync_batchnorm(MODELS.build(config))
    if not isinstance(network, CID):
        raise BadInput(
            f'{choice.config_file}: its model is a {type(network).__name__}; only a cid_mmpose.CID is loaded here'
        )
    check_every_weight(network, choice.checkpoint, choice.weights)
    weights = note_file(dict(state_in(choice.checkpoint)), choice.weights)
    network.load_state_dict(weights, strict=False)
    return network


def meta_of(choice: Choice, network: CID) -> dict[str, Any]:
    """What is known of the keypoints: by the checkpoint, else by the config's data set, else COCO's.

    Args:
        choice: of ``networks.choose``.
        network: built from it.

    Raises:
        BadInput: it is of another number of keypoints than the network.
    """
    meta = choice.checkpoint.get('meta', {}).get('dataset_meta')
    if meta is None and not choice.is_strangers:  # a data set may name a file that is run
        meta = dataset_meta_from_config(choice.config, dataset_mode='train')
    if meta is None:
        meta = parse_pose_metainfo(dict(from_file=COCO))
    wanted = network.head.gfd.heatmap.out_channels
    if meta.get('num_keypoints') != wanted:
        raise BadInput(
            f'{choice.weights}: its data set has {meta.get("num_keypoints")} keypoints and its network {wanted}; set '
            'metainfo of the data set in the config'
        )
    return meta


def keypoint_set_of(meta: dict[str, Any], weights: str) -> KeypointSet:
    """``keypoints.keypoint_set`` of what a file says; BadInput if it is not what a training writes.

    Args:
        meta: of ``meta_of``.
        weights: the file, for the message.
    """
    try:
        return keypoints.keypoint_set(meta)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f'{weights}: its dataset_meta is not what a training writes ({error!r:.100})') from error


def sized(steps: list[ConfigDict], size: int | None, name: str) -> list[ConfigDict]:
    """The steps of a pipeline for another short side of the network's input.

    Args:
        steps: of the config.
        size: in pixels; None changes nothing.
        name: of the config, for the message.

    Raises:
        BadInput: no step has an ``input_size``.
    """
    if size is None:
        return steps
    resized = []
    is_set = False
    for step in steps:
        if 'input_size' in step:
            step = ConfigDict(step, input_size=(size, size))
            is_set = True
        resized.append(step)
    if not is_set:
        raise BadInput(f'{name}: size={size}: no step of its test pipeline has an input_size that could be set')
    return resized


def precision_of(network: CID) -> str | None:
    """'float32' where the backbone has such weights: its folded copy gives the same people sooner.

    Args:
        network: as built.
    """
    return 'float32' if next(network.backbone.parameters()).dtype is torch.float32 else None


def _check_name(what: str, name: Any) -> None:
    """BadInput unless something is the name of a file, a folder or a model."""
    if not isinstance(name, (str, os.PathLike)) or not isinstance(os.fspath(name), str):
        raise BadInput(
            f'load: {what} is {name!r:.80}; give the name of a model, or the path of a work folder, a checkpoint or a '
            'config'
        )
    if not os.fspath(name):
        raise BadInput(f"load: {what} has an empty name; '.' is the folder that you are in")


def _device(name: str | torch.device | None) -> torch.device:
    if name is None:
        return torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).cpu()  # 'meta' has no values to bring here
    except Exception as error:  # each kind of device has its own for being absent
        text = str(error).partition('\n')[0]
        raise BadInput(f'device {name!r} cannot be used here ({text:.120}); leave it out, or take cpu') from error
    return device
