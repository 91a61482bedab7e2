"""A training loop that ends in time: how many iterations it makes depends on how fast they are."""

import time
from collections import deque
from collections.abc import Sequence

from mmengine.optim import PolyParamScheduler
from mmengine.runner import IterBasedTrainLoop, Runner
from torch import nn
from torch.utils.data import DataLoader

from cid_mmpose.registry import LOOPS

PACE_OF = 20  # iterations; the last ones, whose pace the others are expected to keep
FEWEST = 5  # iterations before the first look at the clock


@LOOPS.register_module()
class TimedTrainLoop(IterBasedTrainLoop):
    """mmengine's loop by iterations, cut to fit into its time.

    After each iteration it works out from the last ones how many there will be when the time is up. The learning rate
    comes down to the end of the run wherever that is: ``PolyLR`` by iterations goes on from the rate it has.

    Args:
        runner: whose model is trained.
        dataloader: of the training images, or its config.
        max_iters: as many iterations where the time suffices.
        minutes: of training, above 0; the evaluation at the end comes on top.
        **kwargs: as mmengine's ``IterBasedTrainLoop``.

    Raises:
        ValueError: ``minutes`` is not above 0.
    """

    def __init__(self, runner: Runner, dataloader: DataLoader | dict, max_iters: int, minutes: float, **kwargs) -> None:
        super().__init__(runner, dataloader, max_iters, **kwargs)
        if not minutes > 0:
            raise ValueError(f'TimedTrainLoop: minutes must be above 0, got {minutes!r}')
        self.longest = self._max_iters
        self.seconds = 60 * minutes
        self.started = 0.0
        self.times: deque[float] = deque(maxlen=PACE_OF + 1)  # at the end of the last iterations

    def run(self) -> nn.Module:
        """As mmengine's, by the clock."""
        self.started = time.monotonic()
        self.times.clear()
        self.times.append(self.started)
        return super().run()

    def run_iter(self, data_batch: Sequence[dict]) -> None:
        """As mmengine's; looks at the clock."""
        super().run_iter(data_batch)
        self.times.append(time.monotonic())
        if len(self.times) > FEWEST and self._iter < self._max_iters:
            self.fit()

    def fit(self) -> None:
        """Sets the last iteration to where the time will be up, at the earliest after the next one."""
        now = self.times[-1]
        left = self.started + self.seconds - now
        pace = (now - self.times[0]) / (len(self.times) - 1)
        more = max(int(left / max(pace, 1e-9)), 1)
        self._max_iters = min(self._iter + more, self.longest)
        for scheduler in self.runner.param_schedulers:
            if isinstance(scheduler, PolyParamScheduler) and not scheduler.by_epoch:
                scheduler.end = self._max_iters
                scheduler.total_iters = self._max_iters - scheduler.begin - 1  # as mmengine counts
