"""What a run shows on the screen, and what goes to its log file alone.

The log file keeps everything. By default the screen has the progress, the figures, where things are, and what is wrong;
not the machine, the config and the order of hooks, and no warning of the stack that its user cannot act on.
"""

import contextlib
import logging
import re
import sys
import warnings
from collections.abc import Iterator
from typing import TextIO

from mmengine.logging import MMLogger
from mmengine.runner import Runner

from cid_mmpose.compat import stack

from .data_workers import PackingRunner

STACK = ('mmengine', 'mmcv', 'mmdet', 'mmpose', 'torch', 'torchvision')
# parts of the stack whose lines are news of the run: progress, checkpoints, what was loaded
NEWS = ('mmengine.hooks', 'mmengine.runner.runner', 'mmengine.runner.loops')
NO_NEWS = re.compile(
    r'\nSystem environment|Config:\n|Hooks will be executed|Distributed training|Exp name|Checkpoints will'
)
# warnings that nobody who runs a config can do anything about
IDLE_WARNINGS = re.compile(
    r'Failed to search registry with scope|pkg_resources|torch\.meshgrid|The metainfo config file'
    r'|is created without name|instance named|lr_scheduler\.step\(\)|pin_memory.*no accelerator'
    r'|init_weights of \w+ has been called|is not a meta file|save_best.*is not set'
    r'|Attribute `save_dir` is not set|The prefix is not set in metric class'
    r'|Creating a tensor from a list of numpy|enable_nested_tensor'
    r'|Multi-processing start method'  # that of a config is another than Python's own from 3.14 on
    r'|"FileClient" will be deprecated|"HardDiskBackend" is the alias'
)
# what the COCO tools and mmengine print between the figures
BOOKKEEPING = re.compile(
    r'loading annotations into memory|creating index|index created|Loading and preparing results|done \(t='
    r'|Running per image evaluation|Evaluate annotation type|Accumulating evaluation results|Loads checkpoint by',
    re.I,
)


class QuietRunner(PackingRunner):
    """A runner whose log shows on the screen what ``on_screen`` lets through."""

    def build_logger(self, log_level: str = 'INFO', log_file: str | None = None, **kwargs) -> MMLogger:
        """As mmengine's, with less on the screen."""
        logger = super().build_logger(log_level, log_file, **kwargs)
        for handler in screen_handlers(logger):
            handler.addFilter(on_screen)
        return logger


def screen_handlers(logger: logging.Logger) -> list[logging.Handler]:
    """The handlers of a logger that write to the screen."""
    return [handler for handler in logger.handlers if not isinstance(handler, logging.FileHandler)]


@contextlib.contextmanager
def quiet_log() -> Iterator[None]:
    """While it is open, the current log is as quiet on the screen as that of a run: for parts built without one."""
    handlers = screen_handlers(MMLogger.get_current_instance())
    handlers = [handler for handler in handlers if on_screen not in handler.filters]  # a run may have it already
    for handler in handlers:
        handler.addFilter(on_screen)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(on_screen)


def on_screen(record: logging.LogRecord) -> bool:
    """Whether a line of the log is for the screen too.

    Args:
        record: as logged; who logged it is looked up among the callers.
    """
    text = record.getMessage()
    if record.levelno >= logging.WARNING:
        return IDLE_WARNINGS.search(text) is None
    caller = calling_module()
    if caller.partition('.')[0] not in STACK:
        return True  # this project's, or a user's own
    return caller.startswith(NEWS) and NO_NEWS.search(text) is None


def calling_module() -> str:
    """Name of the module that is writing to the log, above the functions of logging itself."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get('__name__', '')
        if name != __name__ and not name.startswith(('logging', 'mmengine.logging')):
            return name
        frame = frame.f_back
    return ''


class LoggedScreen:
    """Takes the place of ``sys.stdout``: what is printed goes to the log file, and all but bookkeeping to the screen.

    Args:
        screen: where printed lines went before.
        logger: of the run; its file gets every line.
    """

    def __init__(self, screen: TextIO, logger: logging.Logger) -> None:
        self.screen = screen
        self.logger = logger
        self.line = ''

    def write(self, text: str) -> int:
        """Passes whole lines on."""
        *lines, self.line = (self.line + text).split('\n')
        for line in lines:
            write_to_file(self.logger, line)
            if not BOOKKEEPING.match(line.strip()):
                self.screen.write(line + '\n')
        return len(text)

    def flush(self) -> None:
        """Passes on what is not a whole line yet, such as a progress bar."""
        if self.line and not BOOKKEEPING.match(self.line.strip()):
            self.screen.write(self.line)
            self.line = ''
        self.screen.flush()

    def __getattr__(self, name: str) -> object:
        return getattr(self.screen, name)


def write_to_file(logger: logging.Logger, text: str, level: int = logging.INFO) -> None:
    """Writes one line to the files of a logger alone.

    Args:
        logger: of a run.
        text: the line.
        level: as in ``logging``.
    """
    if not text.strip():
        return
    record = logger.makeRecord(logger.name, level, __file__, 0, text, (), None)
    for handler in logger.handlers:
        if isinstance(handler, logging.FileHandler) and level >= handler.level:
            handler.handle(record)


@contextlib.contextmanager
def prints_in_log(logger: logging.Logger) -> Iterator[None]:
    """While it is open, what is printed goes to the log file too, and bookkeeping only there.

    Args:
        logger: of a run.
    """
    screen = LoggedScreen(sys.stdout, logger)
    with contextlib.redirect_stdout(screen):
        try:
            yield
        finally:
            screen.flush()


@contextlib.contextmanager
def quiet_warnings() -> Iterator[None]:
    """While it is open, warnings are one line each, also in the log file; those nobody can act on are only there."""
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        yield


def _show_warning(
    message: Warning, category: type, filename: str, lineno: int, file: TextIO | None = None, line: str | None = None
) -> None:
    text = f'{category.__name__}: {message} ({filename}:{lineno})'
    write_to_file(MMLogger.get_current_instance(), text, logging.WARNING)

    for_programmers = issubclass(category, (DeprecationWarning, PendingDeprecationWarning, FutureWarning))
    if for_programmers or IDLE_WARNINGS.search(str(message)):
        return
    print(f'warning: {message}', file=file or sys.stderr)


def runner_class(log_level: object, verbose: bool) -> type:
    """The runner that says everything if ``--verbose`` or the level DEBUG asks for that; else the quiet one."""
    return PackingRunner if verbose or str(log_level).upper() == 'DEBUG' else QuietRunner


def tell_of_the_run(runner: Runner) -> None:
    """Says where the log is, and notes there which parts of the stack are stood in for.

    Args:
        runner: as built.
    """
    for note in stack.NOTES:
        write_to_file(runner.logger, f'cid_mmpose: {note}')
    stack.say(f'log: {runner.logger.log_file}')
