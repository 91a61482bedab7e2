"""Files written whole or not at all, checkpoints among them; one training at a time in a folder."""

import errno
import os
import re
import resource
import stat
import subprocess
import sys

import pytest
import torch

from cid_mmpose import files
from cid_mmpose.engine.hooks import checkpoint
from cid_mmpose.engine.hooks.run_lock import RunLockHook
from cid_mmpose.errors import BadInput, RunStopped
from cid_mmpose.files import mode_at, only_run_in, remove_partial, unfinished_folder, write_whole
from cid_mmpose.scale.names import Shard
from cid_mmpose.scale.run import Table
from tests.helpers.images import ROOT
from tests.helpers.toy_run import Notes, Spoil, saved, toy_runner


def test_what_cannot_be_looked_at_is_not_what_is_not_there(tmp_path, monkeypatch):
    (tmp_path / 'a.txt').write_bytes(b'')
    (tmp_path / 'circle').symlink_to('circle')
    assert stat.S_ISREG(mode_at(tmp_path / 'a.txt')) and stat.S_ISDIR(mode_at(tmp_path))
    assert mode_at(tmp_path / 'b.txt') is None and mode_at(tmp_path / 'a.txt' / 'b.txt') is None
    for name in ('x' * 300, 'circle'):
        with pytest.raises(OSError):
            mode_at(tmp_path / name)

    def refused(path):
        error = OSError(errno.EINVAL, 'Invalid argument')
        error.winerror = number
        raise error

    monkeypatch.setattr(files.Path, 'stat', refused)
    number = 123  # Windows, of a name that none of its files can have
    assert mode_at(tmp_path / '*.jpg') is None
    number = 5  # Windows, of a file that may not be looked at
    with pytest.raises(OSError):
        mode_at(tmp_path / 'a.txt')


def test_a_file_is_written_below_a_new_folder_with_the_rights_of_any_other(tmp_path):
    write_whole(tmp_path / 'new' / 'a.pth', b'abc')
    (tmp_path / 'plain').write_bytes(b'')
    assert (tmp_path / 'new' / 'a.pth').read_bytes() == b'abc' and os.listdir(tmp_path / 'new') == ['a.pth']
    assert (tmp_path / 'new' / 'a.pth').stat().st_mode == (tmp_path / 'plain').stat().st_mode


@pytest.mark.parametrize('error', [OSError(errno.ENOSPC, 'full'), KeyboardInterrupt()])
def test_whoever_is_interrupted_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, error):
    write_whole(tmp_path / 'a', b'old')

    def fail(handle):
        raise error

    monkeypatch.setattr(files.os, 'fsync', fail)
    with pytest.raises(type(error)):
        write_whole(tmp_path / 'a', b'new')
    assert (tmp_path / 'a').read_bytes() == b'old' and os.listdir(tmp_path) == ['a']


def test_what_killed_runs_left_half_written_is_removed_and_nothing_else(tmp_path):
    for name in ('.epoch_3.pth.77.partial', 'epoch_2.pth', 'mine.partial', '.hidden'):
        (tmp_path / name).write_text('')
    remove_partial(tmp_path)
    remove_partial(tmp_path / 'gone')
    assert sorted(os.listdir(tmp_path)) == ['.hidden', 'epoch_2.pth', 'mine.partial']


HOLD = (
    'import sys, time\nfrom cid_mmpose.files import mode_at, only_run_in, unfinished_folder\n'
    'with {function}(sys.argv[1]):\n    print("held", flush=True)\n    time.sleep(60)\n'
)


def holder(folder, function: str = 'only_run_in') -> subprocess.Popen:
    """Another process that holds a folder, or one below it."""
    program = HOLD.format(function=function)
    command = [sys.executable, '-c', program, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout.readline() == 'held\n'
    return process


def test_a_folder_that_another_process_trains_into_is_refused_until_that_is_killed(tmp_path):
    other = holder(tmp_path)
    says = f'^folder .*: process {other.pid} on .*, since .*, is training into it; wait for its end'
    for _ in range(2):  # the first refusal leaves the note of the owner as it is
        with pytest.raises(BadInput, match=says), only_run_in(str(tmp_path)):
            pass
    other.kill()
    other.wait()
    with only_run_in(str(tmp_path)), only_run_in(str(tmp_path / '.')):
        assert re.match(f'process {os.getpid()} on', (tmp_path / '.lock').read_text())
    assert (tmp_path / '.lock').read_text() == ''


def test_a_lock_that_a_finished_run_removes_meanwhile_is_taken_anew(tmp_path, monkeypatch):
    take = files._take
    taken = []

    def removed_the_first_time(file, folder, doing):
        take(file, folder, doing)
        if not taken:
            (tmp_path / files.LOCK).unlink()
        taken.append(file)

    monkeypatch.setattr(files, '_take', removed_the_first_time)
    with only_run_in(str(tmp_path)):
        assert len(taken) == 2 and taken[0].closed
        assert (tmp_path / files.LOCK).read_text().startswith(f'process {os.getpid()} ')


def test_what_a_killed_run_left_unfinished_is_removed_and_what_a_living_one_writes_is_not(tmp_path):
    (tmp_path / '.mine.unfinished').mkdir()
    killed = holder(tmp_path, 'unfinished_folder')
    (of_killed,) = set(os.listdir(tmp_path)) - {'.mine.unfinished'}
    killed.kill()
    killed.wait()
    living = holder(tmp_path, 'unfinished_folder')
    (of_living,) = set(os.listdir(tmp_path)) - {'.mine.unfinished'}
    assert of_living != of_killed and (tmp_path / of_living / files.LOCK).is_file()
    with unfinished_folder(tmp_path) as first, unfinished_folder(tmp_path) as second:
        (first / 'a').write_text('')
        assert set(os.listdir(tmp_path)) == {'.mine.unfinished', of_living, first.name, second.name}
    assert set(os.listdir(tmp_path)) == {'.mine.unfinished', of_living}
    living.kill()
    living.wait()
    with unfinished_folder(tmp_path):
        pass
    assert os.listdir(tmp_path) == ['.mine.unfinished']


def test_the_rows_of_a_killed_shard_stay_when_a_file_is_exported_beside_them(tmp_path):
    shard = Table(tmp_path, Shard(3, 100), 'jsonl').unfinished
    killed = holder(shard)
    (shard / 'people.jsonl').write_text('{"path": "a.jpg"}\n')
    killed.kill()
    killed.wait()
    with unfinished_folder(tmp_path):
        pass
    assert (shard / 'people.jsonl').read_text() == '{"path": "a.jpg"}\n'


@pytest.mark.parametrize(
    'number, says', [(errno.ENOSPC, 'no space left on the device'), (errno.EDQUOT, 'quota exceeded')]
)
def test_files_for_which_there_is_no_room_are_one_line_and_leave_nothing(tmp_path, number, says):
    with pytest.raises(BadInput, match=rf'^{tmp_path}: cannot be written to \({says}\); make room, or choose another$'):
        with unfinished_folder(tmp_path) as folder:
            (folder / 'a.onnx').write_bytes(b'half')
            raise OSError(number, 'as the system says it')
    assert os.listdir(tmp_path) == []


def test_another_error_of_the_system_while_files_are_written_keeps_its_traceback(tmp_path):
    with pytest.raises(FileNotFoundError), unfinished_folder(tmp_path) as folder:
        (folder / 'gone').read_bytes()
    assert os.listdir(tmp_path) == []


def test_a_run_of_any_program_is_refused_before_it_writes_a_checkpoint(tmp_path):
    other = holder(tmp_path)
    with pytest.raises(BadInput, match='is training into it'):
        toy_runner(tmp_path, 'second', RunLockHook()).train()
    other.kill()
    other.wait()
    toy_runner(tmp_path, 'third', RunLockHook(), epochs=1).train()
    assert saved(tmp_path) == ['epoch_1.pth']


def numbers(path) -> list:
    """The weights in a checkpoint, to see that it is whole."""
    state = torch.load(path, weights_only=False)['state_dict']
    return state['linear.weight'].flatten().tolist()


def test_weights_that_are_no_numbers_are_not_written_and_push_no_checkpoint_out(tmp_path):
    runner = toy_runner(tmp_path, 'nan_weights', Spoil([11], 'weight'), epochs=4)
    with pytest.raises(
        RunStopped,
        match=r'iteration 12: no checkpoint is written, because weights are NaN or infinite '
        r'\(linear.weight and 0 more\)',
    ):
        runner.train()
    assert saved(tmp_path) == ['epoch_1.pth', 'epoch_2.pth']
    assert (tmp_path / 'last_checkpoint').read_text().endswith('epoch_2.pth') and len(numbers(tmp_path / 'epoch_2.pth'))


def test_moments_of_the_optimizer_that_are_no_numbers_are_not_written_either(tmp_path):
    runner = toy_runner(tmp_path, 'moments', epochs=1)
    runner.train()
    next(iter(runner.optim_wrapper.optimizer.state.values()))['exp_avg'].fill_(torch.inf)
    with pytest.raises(RunStopped, match='exp_avg 0 of the optimizer'):
        checkpoint.refuse_not_finite(runner)


def test_the_newest_are_kept_and_older_ones_go_when_the_new_one_is_there(tmp_path, monkeypatch):
    seen = []
    plain = checkpoint.write_whole

    def watched(path, content):
        seen.append((os.path.basename(path), saved(tmp_path)))
        plain(path, content)

    monkeypatch.setattr(checkpoint, 'write_whole', watched)
    toy_runner(tmp_path, 'kept', epochs=4).train()
    assert saved(tmp_path) == ['epoch_3.pth', 'epoch_4.pth']
    assert [names for name, names in seen if name == 'epoch_3.pth'] == [['epoch_1.pth', 'epoch_2.pth']]
    assert [names for name, names in seen if name == 'last_checkpoint'][2] == [f'epoch_{i}.pth' for i in (1, 2, 3)]


def full(monkeypatch, name: str):
    """From now on the disk is full for files of this name."""
    plain = checkpoint.write_whole

    def write(path, content):
        if name in os.path.basename(path):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        plain(path, content)

    monkeypatch.setattr(checkpoint, 'write_whole', write)


@pytest.mark.parametrize('name', ['epoch_3.pth', 'last_checkpoint'])
def test_a_full_disk_stops_the_run_and_leaves_the_earlier_checkpoints(tmp_path, monkeypatch, name):
    toy_runner(tmp_path, f'room{name}', epochs=2).train()
    before = [numbers(tmp_path / f'epoch_{i}.pth') for i in (1, 2)]
    full(monkeypatch, name)
    runner = toy_runner(tmp_path, f'full{name}', epochs=3, resume=True)
    with pytest.raises(RunStopped, match=r'of iteration 12 cannot be written \(No space left on device\); the earlier'):
        runner.train()
    assert [numbers(tmp_path / f'epoch_{i}.pth') for i in (1, 2)] == before
    assert (tmp_path / 'last_checkpoint').read_text().endswith('epoch_2.pth')


def test_a_limit_of_the_system_on_file_sizes_leaves_no_part_of_a_checkpoint(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    runner = toy_runner(tmp_path, 'limit', epochs=1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, before[1]))
    try:
        with pytest.raises(RunStopped, match='cannot be written .File too large.'):
            runner.train()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert saved(tmp_path) == []


def best_run(folder, name, figures, **options):
    """A run whose evaluations give these figures."""
    runner = toy_runner(folder, name, checkpoint=dict(save_best='AP', rule='greater', max_keep_ckpts=1), **options)
    left = list(figures)
    runner.register_hook(_Evaluation(left))
    return runner


class _Evaluation(Notes):
    """Evaluates after each epoch, in place of a validation loop."""

    priority = 'LOWEST'

    def __init__(self, left) -> None:
        super().__init__()
        self.left = left

    def after_train_epoch(self, runner) -> None:
        runner.train_loop._epoch += 1
        for hook in runner.hooks:
            if isinstance(hook, checkpoint.CheckpointHook):
                hook.after_val_epoch(runner, dict(AP=self.left.pop(0)))
        runner.train_loop._epoch -= 1


def test_the_best_one_is_replaced_by_a_better_one_only_when_that_is_written(tmp_path, monkeypatch):
    best_run(tmp_path, 'best', [0.1, 0.3, 0.2]).train()
    assert saved(tmp_path) == ['best_AP_epoch_2.pth', 'epoch_3.pth']
    full(monkeypatch, 'best_AP_epoch_2.pth')
    other = tmp_path / 'other'
    with pytest.raises(RunStopped, match='No space left'):
        best_run(other, 'best_full', [0.1, 0.3, 0.2]).train()
    assert saved(other) == ['best_AP_epoch_1.pth', 'epoch_2.pth']
