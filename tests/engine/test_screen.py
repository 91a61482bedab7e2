"""What a run shows on the screen and what it keeps in its log file."""

import logging
import sys
import warnings

import pytest
from mmengine.logging import MMLogger, print_log

from cid_mmpose.engine import screen
from cid_mmpose.engine.data_workers import PackingRunner


@pytest.fixture
def log(tmp_path):
    """A run's logger of the quiet kind, and its file."""

    class Half(screen.QuietRunner):
        _experiment_name = str(tmp_path)

        def __init__(self) -> None:
            self.logger = self.build_logger(log_file=str(tmp_path / 'run.log'))

    return Half().logger, tmp_path / 'run.log'


def call_as(module: str, logger: MMLogger, text: str, level: int = logging.INFO) -> None:
    """Logs a line as code of another module does."""
    exec('log(text, logger, level)', dict(__name__=module, log=print_log, text=text, logger=logger, level=level))


LINES = [
    ('mmengine.hooks.logger_hook', 'Epoch(train)  [1][50/100]  loss: 2.5', logging.INFO, True),
    ('mmengine.hooks.checkpoint_hook', 'Saving checkpoint at 1 epochs', logging.INFO, True),
    ('mmengine.hooks.logger_hook', 'Exp name: mine_2026', logging.INFO, False),
    ('mmengine.runner.runner', 'Load checkpoint from a.pth', logging.INFO, True),
    ('mmengine.runner.runner', 'Config:\nmodel = dict()', logging.INFO, False),
    ('mmengine.runner.runner', '\n---\nSystem environment:\n', logging.INFO, False),
    ('mmengine.runner.runner', 'Hooks will be executed in the following order:\n', logging.INFO, False),
    ('mmengine.model.base_module', 'initialize HRNet with init_cfg', logging.INFO, False),
    ('mmpose.evaluation.metrics.coco_metric', 'Evaluating CocoMetric...', logging.INFO, False),
    ('cid_mmpose.data.loading', 'a.png: left out', logging.INFO, True),
    ('my_own_hooks', 'my line', logging.INFO, True),
    (
        'mmengine.registry.registry',
        'Failed to search registry with scope "mmpose" in the "x" tree',
        logging.WARNING,
        False,
    ),
    ('mmengine.runner.runner', 'The model and loaded state dict do not match', logging.WARNING, True),
    ('mmengine.registry.registry', 'something broke', logging.ERROR, True),
]


@pytest.mark.parametrize('module, text, level, shown', LINES)
def test_news_and_warnings_are_on_the_screen_and_every_line_is_in_the_file(log, capsys, module, text, level, shown):
    logger, file = log
    logger.handlers[0].setStream(sys.stdout)
    call_as(module, logger, text, level)
    last = text.strip().splitlines()[-1]
    assert (last in capsys.readouterr().out) is shown
    assert last in file.read_text()


def test_parts_that_are_built_without_a_run_are_as_quiet(log, capsys):
    logger, _ = log
    to_screen = logger.handlers[0]
    to_screen.setStream(sys.stdout)
    to_screen.removeFilter(screen.on_screen)
    with screen.quiet_log():
        call_as('mmengine.optim.optimizer.default_constructor', logger, 'paramwise_options -- x:lr=1')
        call_as('cid_mmpose.engine.optim', logger, 'float32 is taken instead')
    assert capsys.readouterr().out.count('\n') == 1 and screen.on_screen not in to_screen.filters
    to_screen.addFilter(screen.on_screen)
    with screen.quiet_log():
        pass
    assert screen.on_screen in to_screen.filters  # that of a run stays


def test_bookkeeping_of_the_coco_tools_goes_to_the_file_and_their_table_to_both(log, capsys):
    logger, file = log
    with screen.prints_in_log(logger):
        print('loading annotations into memory...')
        print('Done (t=0.00s)')
        print(' Average Precision  (AP) = 0.5')
        print('[>>>   ] 3/8', end='', flush=True)
    assert capsys.readouterr().out == ' Average Precision  (AP) = 0.5\n[>>>   ] 3/8'
    kept = file.read_text()
    assert 'loading annotations' in kept and 'Done' in kept and '(AP) = 0.5' in kept


def test_a_warning_is_one_line_unless_nobody_can_act_on_it_and_always_in_the_file(log, capsys):
    _, file = log  # the current logger
    with screen.quiet_warnings():
        warnings.simplefilter('always')
        warnings.warn('the disk is nearly full', stacklevel=1)
        text = 'torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument'
        warnings.warn(text, stacklevel=1)
        warnings.warn('x is deprecated', FutureWarning, stacklevel=1)
    assert capsys.readouterr().err == 'warning: the disk is nearly full\n'
    assert [word in file.read_text() for word in ('nearly full', 'meshgrid', 'x is deprecated')] == [True] * 3


@pytest.mark.parametrize(
    'level, verbose, kind',
    [
        ('INFO', False, screen.QuietRunner),
        ('WARNING', False, screen.QuietRunner),
        ('INFO', True, PackingRunner),
        ('DEBUG', False, PackingRunner),
    ],
)
def test_everything_is_on_the_screen_when_asked_for(level, verbose, kind):
    assert screen.runner_class(level, verbose) is kind


def test_the_level_that_a_user_sets_holds_for_screen_and_file(tmp_path, capsys):
    class Half(screen.QuietRunner):
        _experiment_name = str(tmp_path)

        def __init__(self) -> None:
            self.logger = self.build_logger('ERROR', str(tmp_path / 'run.log'))

    logger = Half().logger
    logger.handlers[0].setStream(sys.stdout)
    logger.warning('a warning')
    logger.error('an error')
    assert 'a warning' not in capsys.readouterr().out + (tmp_path / 'run.log').read_text()
    assert 'an error' in (tmp_path / 'run.log').read_text()
