"""Refuses a checkpoint that lacks something before anything is done with it."""

import logging
from collections.abc import Mapping

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, Runner
from torch import nn

from cid_mmpose.errors import BadInput
from cid_mmpose.models import CID, CIDHead
from cid_mmpose.registry import HOOKS
from cid_mmpose.weights.fit import why_unfit
from cid_mmpose.weights.layouts import listed, misfits, state_in, translate, weights_of
from cid_mmpose.weights.loaders import note_file

from .schedule_state import without_functions
from .training_state import why_no_training_state


@HOOKS.register_module()
class CheckpointFitHook(Hook):
    """Compares a checkpoint with the model when a runner tests or resumes: every weight must be there and fit.

    mmengine itself only logs what does not fit, and ``cid_mmpose.CID`` lets some weights be missing, as a training that
    starts from other weights (``load_from``) needs it.

    Raises:
        BadInput: names the file, how much does not fit, and the first weights.
    """

    priority = 'VERY_HIGH'  # before mmengine's EMAHook, which asks every checkpoint for its ``state_dict``

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Called by mmengine between reading and loading."""
        file = runner._load_from or 'the latest checkpoint of the work dir'
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if runner._resume or not isinstance(runner._train_loop, BaseLoop):
            check_every_weight(model, checkpoint, file)
        if runner._resume:
            check_training_state(runner, checkpoint, file)
        if 'state_dict' not in checkpoint:
            checkpoint.update(note_file(dict(state_dict=state_in(checkpoint)), file))

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Takes out what no resume would read: a checkpoint holds numbers only."""
        schedules = checkpoint.get('param_schedulers')
        if isinstance(schedules, list):
            checkpoint['param_schedulers'] = [without_functions(state) for state in schedules]

    def before_train(self, runner: Runner) -> None:
        """Says so where the run that was resumed had come to its end."""
        loop = runner.train_loop
        if runner._resume and (runner.epoch >= loop.max_epochs or runner.iter >= loop.max_iters):
            print_log(
                f'cid_mmpose: nothing is left to train: the checkpoint is of epoch {runner.epoch} and iteration '
                f'{runner.iter}, the run has {loop.max_epochs} epochs and {loop.max_iters} iterations',
                'current',
                logging.WARNING,
            )


def check_training_state(runner: Runner, checkpoint: dict, file: str) -> None:
    """BadInput if a training cannot go on from a checkpoint.

    Args:
        runner: of the run.
        checkpoint: as read from ``file``, which is named in the message.
        file: path or URL.
    """
    complaint = why_no_training_state(checkpoint, runner)
    if complaint:
        raise BadInput(f'{file}: {complaint}')
    # mmengine would run this text as a program, to compare the numbers of GPUs; it writes none any more
    checkpoint['meta'].pop('config', None)


def check_every_weight(model: nn.Module, checkpoint: Mapping, file: str) -> None:
    """BadInput if a checkpoint lacks a weight of the model.

    Args:
        model: any network.
        checkpoint: as read.
        file: its name, for the message.
    """
    wanted = model.state_dict()
    if isinstance(model, CID):
        complaint = why_unfit(wanted, translate(checkpoint)[0], complete=True)
        if complaint:
            raise BadInput(f'{file}: {complaint}')
    elif wrong := misfits(wanted, weights_of(checkpoint)):
        ours = isinstance(getattr(model, 'head', None), CIDHead)
        hint = ", or model.type='cid_mmpose.CID', which knows the other layouts of CID's weights" if ours else ''
        raise BadInput(
            f'{file}: is not a checkpoint of this model: {listed(wrong, wanted)}; give the configuration it '
            f'was trained with{hint}'
        )
