"""Refuses a checkpoint of another model before anything is done with it."""
import re
from typing import List

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, Runner

from cid_mmpose.errors import BadInput
from cid_mmpose.registry import HOOKS

SHOWN = 5  # problems named in the message
ENOUGH = 0.5  # share of the model's weights that a checkpoint to start training from must hold


def misfits(wanted: dict, found: dict) -> List[str]:
    """What of the model's state ``wanted`` is not in ``found`` with its shape, one line each."""
    lines = []
    for name, value in wanted.items():
        if name not in found:
            lines.append(f'{name} is missing')
        elif getattr(found[name], 'shape', None) != value.shape:
            lines.append(f'{name} is {tuple(getattr(found[name], "shape", ()))}, the model has {tuple(value.shape)}')
    return lines


@HOOKS.register_module()
class CheckpointFitHook(Hook):
    """Compares a checkpoint with the model when a runner loads it; mmengine itself only logs what does not fit.

    Testing and resuming need every weight. Starting a training from other weights (``load_from``) needs half of them,
    so that layers of another data set's joints may differ.

    Raises:
        BadInput: names the file, how much does not fit, and the first weights.
    """

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Called by mmengine between reading and loading."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        wanted = model.state_dict()
        state = checkpoint.get('state_dict', checkpoint)
        wrong = misfits(wanted, {re.sub(r'^module\.', '', name): value for name, value in state.items()})
        starts_training = isinstance(runner._train_loop, BaseLoop) and not runner._resume
        file = runner._load_from or 'the latest checkpoint of the work dir'
        listed = '; '.join(wrong[:SHOWN]) + ('; ...' if len(wrong) > SHOWN else '')
        if len(wrong) > (1 - ENOUGH) * len(wanted) * starts_training:
            raise BadInput(f'{file}: is not a checkpoint of this model: {len(wrong)} of {len(wanted)} weights do not '
                           f'fit ({listed}); give the configuration it was trained with')
        if wrong:
            print_log(f'{file}: {len(wrong)} of {len(wanted)} weights do not fit and start anew ({listed})', 'current')
