"""The check of a GPU: its steps, its limits of time, and its report."""

from pathlib import Path

from device_check import NOT_RUN, Step, report_of, run, steps_for

from tests.helpers.images import ROOT

GOOD = Step('good', ['-c', 'print("a figure: 42")'], 60)
BAD = Step('bad', ['-c', 'raise SystemExit("no kernel image")'], 60)
SLOW = Step('slow', ['-c', 'import time; time.sleep(600)'], 1)


def test_a_step_that_fails_or_takes_too_long_is_told_and_the_next_ones_run():
    results = {outcome.step.name: outcome.result for outcome in run([BAD, SLOW, GOOD], minutes=10)}
    assert results == dict(bad='FAILED with status 1', slow='stopped after 1 s', good='passed')


def test_what_does_not_fit_into_the_time_is_left_out():
    outcomes = run([GOOD, GOOD], minutes=0)
    assert [outcome.result for outcome in outcomes] == [NOT_RUN, NOT_RUN]


def test_the_report_holds_each_result_with_what_was_printed():
    report = report_of(run([GOOD, BAD], minutes=10), 'cpu')
    assert '| good | passed |' in report and '| bad | FAILED with status 1 |' in report
    assert 'a figure: 42' in report and 'no kernel image' in report


def test_the_steps_name_files_and_commands_that_there_are(tmp_path):
    steps = steps_for('cuda', ROOT, tmp_path)
    files = [Path(word) for step in steps for word in step.words if word.endswith('.py')]
    assert len(files) == 3 and all(file.is_file() for file in files)
    assert sum('cuda' in step.words for step in steps) == 3  # mmengine takes the GPU for the demo by itself
    assert sum(step.seconds for step in steps) <= 660
