"""What every evaluation is asked, whichever metric it has."""

import os.path as osp
from collections.abc import Sequence
from typing import Any

from mmengine.evaluator import Evaluator
from mmengine.hooks import Hook
from mmengine.runner import Runner

from cid_mmpose.errors import BadInput
from cid_mmpose.evaluation.finite import WAY_OUT, check_prediction
from cid_mmpose.registry import HOOKS

from .finite import which_not_finite

PARTS = '.results'  # folder in the work folder for what several processes hand to the first one


@HOOKS.register_module()
class EvaluationHook(Hook):
    """Refuses weights and predictions that are NaN or infinite, and keeps the current folder free of files.

    Metrics of several processes exchange their results by files, for which mmengine makes a folder in the current
    one; here it is made in the work folder, and removed at the end.

    Raises:
        BadInput: names the weight, or the image and the field.
    """

    priority = 'VERY_HIGH'

    def before_val_epoch(self, runner: Runner) -> None:
        """Called before images are looked at."""
        self._prepare(runner, runner.val_loop.evaluator)

    def before_test_epoch(self, runner: Runner) -> None:
        """Called before images are looked at."""
        self._prepare(runner, runner.test_loop.evaluator)

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Sequence = ()) -> None:
        """Called with the predictions of a batch."""
        _check(outputs)

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Sequence = ()) -> None:
        """Called with the predictions of a batch."""
        _check(outputs)

    def _prepare(self, runner: Runner, evaluator: Evaluator) -> None:
        for metric in evaluator.metrics:
            by_files = getattr(metric, 'collect_device', None) == 'cpu'
            if by_files and getattr(metric, 'collect_dir', PARTS) is None:
                metric.collect_dir = osp.join(runner.work_dir, PARTS)

        state = {name: value for name, value in runner.model.state_dict().items() if value.is_floating_point()}
        which = which_not_finite(state)
        if which is not None:
            raise BadInput(f'the weights cannot be evaluated, because some are NaN or infinite ({which}); {WAY_OUT}')


def _check(outputs: Sequence) -> None:
    for sample in outputs:
        people = getattr(sample, 'pred_instances', None)
        if people is not None:
            check_prediction(dict(people.items()), getattr(sample, 'img_id', 'without an id'))
