"""How a run ends from outside: what is said, and with which status."""

import errno
import logging
import os
import signal
import threading
import zipfile

import pytest
import torch

from cid_mmpose.cli.user_errors import user_errors
from cid_mmpose.engine.interrupts import Stopped, outside_cause, run_ends
from cid_mmpose.errors import RunStopped
from tests.helpers.toy_run import toy_runner


@pytest.fixture
def main_thread() -> None:
    """Python sets and handles signals in the main thread alone; old versions of execnet may run tests in another."""
    if threading.current_thread() is not threading.main_thread():
        pytest.skip('the test runs beside the main thread of its process')


@pytest.mark.usefixtures('main_thread')
@pytest.mark.parametrize('number, status', [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_is_one_line_with_the_way_on_and_the_status_of_shells(tmp_path, capsys, monkeypatch, number, status):
    monkeypatch.chdir(tmp_path)
    torch.save(dict(state_dict={}), tmp_path / 'epoch_3.pth')
    # a shell's background job ignores SIGINT, and a process that runs some tests may have no handler at all
    before = signal.signal(number, signal.default_int_handler)
    try:
        with pytest.raises(SystemExit) as left, user_errors(), run_ends(str(tmp_path)):
            os.kill(os.getpid(), number)
        assert left.value.code == status and signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)
    assert capsys.readouterr().err == (
        f'stopped by {number.name}; the last whole checkpoint is epoch_3.pth: --resume goes on from it\n'
    )


def test_a_signal_before_the_run_is_one_line_too(capsys):
    with pytest.raises(SystemExit) as left, user_errors():
        raise KeyboardInterrupt
    assert (left.value.code, capsys.readouterr().err) == (130, 'stopped by SIGINT\n')


@pytest.mark.usefixtures('main_thread')
def test_a_signal_that_a_library_turns_into_another_error_is_still_a_signal(tmp_path):
    with pytest.raises(Stopped, match='^stopped by SIGTERM; '), run_ends(str(tmp_path)):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except BaseException:
            raise SyntaxError('as mmengine does where it formats a config')  # noqa: B904  and it says no 'from'


@pytest.mark.usefixtures('main_thread')
def test_a_signal_that_the_caller_ignores_stays_ignored():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        went_on = False
        with run_ends():
            os.kill(os.getpid(), signal.SIGTERM)
            went_on = True
        assert went_on and signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_checkpoint_of_an_earlier_run_in_the_folder_is_not_called_this_run_s(tmp_path):
    path = tmp_path / 'epoch_3.pth'
    with zipfile.ZipFile(path, 'w') as file:
        file.writestr('data', b'0')
    os.utime(path, (1, 1))
    with pytest.raises(RunStopped, match='^why; .* holds no checkpoint of this run yet$'), run_ends(str(tmp_path)):
        raise RunStopped('why')
    with pytest.raises(RunStopped, match='the last whole checkpoint is .*epoch_3.pth: --resume goes on from it$'):
        with run_ends(str(tmp_path), resumed=str(path)):
            raise RunStopped('why')


def test_a_caller_in_python_sees_a_keyboard_interrupt(tmp_path):
    with pytest.raises(KeyboardInterrupt, match='holds no checkpoint yet'), run_ends(str(tmp_path)):
        raise KeyboardInterrupt
    assert issubclass(Stopped, KeyboardInterrupt)


DEAD = [
    'DataLoader worker (pid 4711) is killed by signal: Killed. ',
    'DataLoader worker (pid(s) 4711, 4712) exited unexpectedly',
    'DataLoader worker (pid: 4711) exited unexpectedly with exit code 1. Details are lost due to multiprocessing.',
]


@pytest.mark.parametrize('text', DEAD)
def test_a_dead_worker_is_told_with_what_to_set(tmp_path, text):
    with pytest.raises(RunStopped, match='^a data worker died .*set a smaller num_workers.*holds no checkpoint yet$'):
        with run_ends(str(tmp_path)):
            raise RuntimeError(text)


def test_a_dead_worker_is_told_also_where_a_library_made_another_error_of_it(tmp_path):
    with pytest.raises(RunStopped, match='^a data worker died'), run_ends(str(tmp_path)):
        try:
            raise RuntimeError(DEAD[0])  # torch raises it anywhere, when the system says that a child is gone
        except BaseException:
            raise SyntaxError('as mmengine does where it formats a config')  # noqa: B904  and it says no 'from'


@pytest.mark.parametrize(
    'text',
    [
        "DataLoader worker (pid 7) is killed by signal: Bus error. It is possible that dataloader's workers are out of "
        'shared memory. Please try to raise your shared memory limit.',
        'Caught RuntimeError in DataLoader worker process 0.\nRuntimeError: unable to write to file </torch_7_8_9>: No '
        'space left on device (28)',
    ],
)
def test_a_full_shared_memory_is_told_as_such(text):
    assert 'no shared memory (/dev/shm)' in outside_cause(RuntimeError(text))


def test_too_many_files_are_told_with_what_allows_more():
    text = 'RuntimeError: unable to open shared memory object </torch_7_8> in read-write mode: Too many open files (24)'
    assert 'ulimit -n' in outside_cause(RuntimeError(f'Caught RuntimeError in DataLoader worker process 0.\n{text}'))


def test_a_full_disk_names_the_file_and_other_errors_pass_through():
    full = OSError(errno.ENOSPC, 'No space left on device', 'work/scalars.json')
    assert outside_cause(full) == 'work/scalars.json: cannot be written (no space left on the device)'
    for error in (OSError(errno.ENOENT, 'gone', 'x'), RuntimeError('CUDA error')):
        with pytest.raises(type(error)), run_ends():
            raise error


def test_the_log_is_quiet_about_a_disk_that_takes_no_line_of_it_and_talks_again_later():
    with run_ends():
        assert not logging.raiseExceptions
    assert logging.raiseExceptions


class Kills:
    """Samples, the third of which ends its worker."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int):
        if index == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return dict(inputs=torch.ones(3))


def test_a_worker_that_is_killed_ends_the_run_in_one_line(tmp_path):
    runner = toy_runner(tmp_path, 'killed_worker')
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    runner._train_loop.dataloader = torch.utils.data.DataLoader(Kills(), 2, num_workers=1)
    says = '^a data worker died .(killed by signal: Killed|it exited)'
    with pytest.raises(RunStopped, match=says), run_ends(str(tmp_path)):
        runner.train()
