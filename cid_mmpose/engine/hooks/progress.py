"""A bar with the time that is left, where a person is looking on."""

import logging
from typing import Any

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cid_mmpose.registry import HOOKS


@HOOKS.register_module()
class ProgressHook(Hook):
    """Shows a bar with the time left while training and evaluating.

    On a terminal it takes the place of mmengine's lines of losses, which then go to the log file alone. Where the
    output is no terminal those lines remain, and there is no bar.
    """

    priority = 'VERY_LOW'  # when losses have been averaged and the loop's length is known

    def __init__(self) -> None:
        self.bar: Progress | None = None
        self.task: TaskID | None = None

    @master_only
    def before_train(self, runner: Runner) -> None:
        """Puts up the bar, if this is a terminal."""
        console = Console(stderr=True)
        if not console.is_terminal:
            return
        for handler in screen_handlers(runner.logger):
            handler.addFilter(no_lines_of_losses)
        self.bar = Progress(
            TextColumn('{task.description}'),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn('{task.fields[loss]}'),
            TimeRemainingColumn(),
            console=console,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self.task = self.bar.add_task('training', total=runner.max_iters, loss='')
        self.bar.start()

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Moves the bar on."""
        if self.bar is None:
            return
        loss = runner.message_hub.get_scalar('train/loss').mean(25)
        self.bar.update(self.task, completed=runner.iter + 1, total=runner.max_iters, loss=f'loss {loss:.2f}')

    def before_val(self, runner: Runner) -> None:
        """A bar of its own for each evaluation."""
        if self.bar is not None:
            self.task = self.bar.add_task('evaluating', total=len(runner.val_dataloader), loss='')

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: list | None = None
    ) -> None:
        """Moves the bar on."""
        if self.bar is not None:
            self.bar.update(self.task, completed=batch_idx + 1)

    def after_train(self, runner: Runner) -> None:
        """Leaves the full bar where it is, and the lines to mmengine again."""
        if self.bar is None:
            return
        self.bar.stop()
        self.bar = None
        for handler in screen_handlers(runner.logger):
            handler.removeFilter(no_lines_of_losses)


def screen_handlers(logger: logging.Logger) -> list:
    """The handlers of a logger that write no file.

    Args:
        logger: of a run.
    """
    return [handler for handler in logger.handlers if not isinstance(handler, logging.FileHandler)]


def no_lines_of_losses(record: logging.LogRecord) -> bool:
    """Whether a line of the log is none of those that a bar stands for.

    Args:
        record: as logged.
    """
    text = record.getMessage()
    return not text.startswith(('Iter(train)', 'Epoch(train)', 'Iter(val)', 'Epoch(val)'))
