"""`cid study`: runs that are done once, begun again when they were killed, and not done by two at a time."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from study import command, plans
from study.lines import append, as_dict, key_of, read, read_file
from study.plans import Plan, Study, Waiting, length
from study.worker import BUSY, finish

from cid_mmpose.cli import main
from cid_mmpose.cli import study as verb
from cid_mmpose.errors import BadInput
from cid_mmpose.files import only_run_in
from tests.helpers.images import ROOT
from tests.helpers.study_lines import made_up, tiny_run


@pytest.fixture(scope='module')
def done(tmp_path_factory) -> SimpleNamespace:
    """A tiny run that was done by a process, as the command does it."""
    folder = tmp_path_factory.mktemp('study')
    results, work_dir = folder / 'results', folder / 'work'
    status = command.start(tiny_run(), results / 'pilot.jsonl', work_dir)
    return SimpleNamespace(status=status, results=results, work_dir=work_dir)


@pytest.mark.slow
def test_a_run_leaves_its_line(done):
    (line,) = read(done.results)
    assert done.status == 0
    assert line['key'] == key_of(tiny_run()) and line['iterations'] == 4 and line['threads'] == 1
    assert [point[0] for point in line['losses']] == [1, 2, 3, 4]
    assert line['bins']['all']['images'] == 3
    assert 0 < line['seconds'] < line['all_seconds'] and line['cpu_seconds'] > 0
    numbers = [line['bins'][place]['images'] for place in ('easy', 'medium', 'hard') if place in line['bins']]
    assert sum(numbers) == 3


@pytest.mark.slow
def test_a_run_that_is_done_is_not_done_again(done):
    start = time.monotonic()
    assert finish(tiny_run(), done.results / 'other.jsonl', done.work_dir) == 0
    assert time.monotonic() - start < 1 and len(read(done.results)) == 1


@pytest.mark.slow
def test_the_same_run_has_the_same_losses_again(done, capsys):
    before = (done.results / 'pilot.jsonl').read_bytes()
    command.repeat(f'{done.results}/pilot.jsonl:1', done.results, done.work_dir)
    (again,) = read_file(done.results / 'repeats.jsonl')
    assert again['losses'] == read(done.results)[0]['losses']
    assert (done.results / 'pilot.jsonl').read_bytes() == before
    assert 'a row, seed 0: AP 0.0; the line has 0.0 (' in capsys.readouterr().out


def test_a_run_that_another_process_does_is_left_to_it(tmp_path):
    run = tiny_run(seed=1)
    words = [sys.executable, '-c', HOLD, str(tmp_path / 'work' / key_of(run))]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == 'held\n'
        assert finish(run, tmp_path / 'a.jsonl', tmp_path / 'work') == BUSY
        other.kill()
    assert read(tmp_path) == []


HOLD = """
import sys, time
from cid_mmpose.files import only_run_in
with only_run_in(sys.argv[1]):
    print('held', flush=True)
    time.sleep(60)
"""


@pytest.mark.slow
def test_a_killed_run_leaves_no_line_and_begins_again(tmp_path):
    run = tiny_run(seed=2, **length(100000))
    results, folder = tmp_path / 'results', tmp_path / 'work' / key_of(run)
    words = [sys.executable, '-m', 'study.worker', json.dumps(as_dict(run)), str(results / 'a.jsonl')]
    paths = os.pathsep.join([str(ROOT), str(ROOT / 'experiments')])
    environment = {**os.environ, 'PYTHONPATH': paths, 'OMP_NUM_THREADS': '1'}
    with subprocess.Popen([*words, str(tmp_path / 'work')], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:  # fmt: skip
        end = time.monotonic() + 120
        while not list(folder.glob('*/vis_data/scalars.json')) and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    assert read(results) == [] and list(folder.glob('*/vis_data'))

    short = run._replace(options=tiny_run().options)
    folder.rename(tmp_path / 'work' / key_of(short))  # as if the short one had been killed
    assert command.start(short, results / 'a.jsonl', tmp_path / 'work') == 0
    (line,) = read(results)
    assert [point[0] for point in line['losses']] == [1, 2, 3, 4]  # none of the killed one's


@pytest.fixture
def two_rows(monkeypatch):
    """A study of two rows, of which the second cannot be trained, and one that waits."""
    runs = [tiny_run()._replace(row='good'), tiny_run(seed=1)._replace(row='bad', options={'model.moon': 1})]
    study = Study('Two rows', lambda lines: Plan(runs, [Waiting('later', 'it waits')]))
    monkeypatch.setitem(plans.STUDIES, 'pilot', study)
    return runs


def test_a_run_that_fails_is_told_and_does_not_keep_others_from_being_done(two_rows, tmp_path, monkeypatch, capsys):
    started = []

    def start(run, file, work_dir):
        started.append(run.row)
        if run.row == 'bad':
            raise BadInput('it is bad')
        append(file, made_up(run, 50.0))
        return 0

    monkeypatch.setattr(command, 'start', start)
    plan = Plan(two_rows[::-1], [Waiting('later', 'it waits')])
    with pytest.raises(BadInput, match='1 runs failed; the first: it is bad'):
        command.run_all(plan, 'pilot', tmp_path, tmp_path)
    assert started == ['bad', 'good']
    said = capsys.readouterr().out
    assert 'later: it waits' in said and 'study pilot: 1 of 2 runs are done' in said


@pytest.mark.slow
def test_a_run_with_a_wrong_option_ends_in_one_line(two_rows, tmp_path):
    with pytest.raises(BadInput, match=r'bad, seed 1: stopped with status 2 \(error: .*moon.*log\.txt'):
        command.start(two_rows[1], tmp_path / 'a.jsonl', tmp_path / 'work')


def test_the_list_says_what_is_done_and_how_long_the_rest_takes(two_rows, tmp_path):
    good, other = two_rows[0], tiny_run(seed=5, **length(400))
    append(tmp_path / 'a.jsonl', made_up(good, 42.0))  # 4 iterations, 90 s with its test
    plans.STUDIES['pilot'] = Study('Two rows', lambda lines: Plan([good, other], []))
    args = SimpleNamespace(results=tmp_path, seed=None, only=None)
    written = command.listing(['pilot'], args)
    assert written[0] == 'pilot: Two rows; 1 of 2 runs done'
    assert written[1].endswith('AP  42.0, 1.5 min') and written[2].endswith('left, about 150 min')
    assert written[-1].startswith('left: about 2.5 hours')


def words_end(words: list) -> int:
    try:
        main([str(word) for word in words])
    except SystemExit as left:
        return left.code
    return 0


@pytest.mark.parametrize(
    'words, says',
    [
        ([], 'nothing to do: name a study (pilot, crowds, '),
        (['moon'], 'study moon: there is none of this name; there are pilot, crowds, '),
        (['crowds', '--only', 'moon'], 'study crowds: no run has such a row and seed; '),
        (['--line', 'gone:3'], '--line gone:3: give FILE:N, '),
    ],
)
def test_wrong_words_are_one_line(words, says, capsys):
    assert words_end(['study', *words]) == 2
    assert capsys.readouterr().err.startswith(f'error: {says}')


def test_in_a_wheel_the_verb_says_that_it_needs_a_checkout(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(verb, 'EXPERIMENTS', tmp_path)
    assert words_end(['study', '--list']) == 2
    assert 'its code is not in the wheel; clone the repository' in capsys.readouterr().err


def test_the_help_names_every_study():
    assert [
        name for name in [*plans.STUDIES, 'pace'] if f'{name} ' not in verb.__doc__ and name + ',' not in verb.__doc__
    ] == []


@pytest.mark.slow
def test_the_folder_of_a_run_is_free_after_it(done):
    with only_run_in(str(Path(done.work_dir) / key_of(tiny_run()))):
        pass
