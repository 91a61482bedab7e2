"""docs/evidence.md: what made-up lines give, and that the page is that of the lines which are there."""

import subprocess

import cv2
import pytest
from PIL import Image
from study.lines import REPEATS, RESULTS, read, read_file
from study.page import PAGE, claims_of, durations, machines, pace_of, repeated, speeds, table, text, write_page
from study.plans import STUDIES, plan_of
from study.plots import fingerprint, write_plots
from study.summary import by_row, figure, value

from tests.helpers.images import ROOT
from tests.helpers.study_lines import made_up, tiny_run


def lines(*aps: float, **more) -> list[dict]:
    return [made_up(tiny_run(seed=seed), ap, **more) for seed, ap in enumerate(aps)]


def changed(path: str) -> str:
    """What git says of changes below a path; '' without git."""
    try:
        return subprocess.run(['git', '-C', ROOT, 'status', '--porcelain', path], capture_output=True, text=True).stdout
    except OSError:
        return ''


def test_the_page_is_that_of_the_lines_in_the_repository():
    if changed('experiments/results'):
        pytest.skip('there are lines that are not committed yet; cid study --page')
    found = read(RESULTS)
    plots = {name: f'images/evidence_{name}.png' for name in STUDIES
             if (PAGE.parent / f'images/evidence_{name}.png').is_file()}  # fmt: skip
    expected = text(found, read_file(RESULTS / f'{REPEATS}.jsonl'), plots)
    assert PAGE.read_text(encoding='utf-8') == expected, 'cid study --page'
    for name, file in plots.items():
        rows = by_row(STUDIES[name].plan(found), found)
        drawn = {row: of_row for row, of_row in rows.items() if of_row}
        assert Image.open(PAGE.parent / file).text['Description'] == fingerprint(drawn), 'cid study --page'


def test_a_row_has_means_and_standard_deviations_and_one_without_runs_says_so():
    written = table({'a': lines(49.0, 50.0, 51.0, easy=70.0, hard=30.0), 'b': [], 'c': lines(40.0)}).splitlines()
    # 50 of 200 people missed, 30 of 1000 keypoints wrong; AP50 is 10 more than AP, AP75 half of it; no medium image
    assert written[2] == (
        '| a | 50.0 ± 1.0 | 60.0 ± 1.0 | 25.0 ± 0.5 | 70.0 ± 0.0 |  | 30.0 ± 0.0 | 25.0 ± 0.0 | 3.0 ± 0.0 | 3 |'
    )
    assert written[3] == '| b | not yet run |  |  |  |  |  |  |  |  |'
    assert written[4].startswith('| c | 40.0 | 50.0 | 20.0 |')
    assert {line.count('|') for line in written} == {11}


def test_speeds_are_those_of_the_first_run_of_each_row():
    found = dict(images_per_second=123.4, waiting=0.25, peak_mib=2048)
    written = speeds({'a': lines(49.0, 50.0, speed=found), 'b': []}).splitlines()
    assert written[2:] == ['| a | 1.0 | 4 | 123 | 25 | 2048 |']
    assert speeds({'a': [], 'b': []}) == ''


def test_the_deviation_is_that_of_a_sample():
    assert value([1.0, 2.0, 3.0, 4.0]).deviation == pytest.approx((5 / 3) ** 0.5)
    assert value([5.0]).deviation is None


def test_a_share_of_nothing_is_none():
    line = made_up(tiny_run(), 50.0)
    line['bins']['all'].update(keypoints=0, wrong=0)
    assert figure(line, 'wrong') is None
    assert figure(line, 'missed') == 25.0 and figure(line, 'missed', 'medium') is None


def test_a_run_counts_for_every_study_that_has_it():
    shared = next(run for run in plan_of('channels', [], seeds=[0]).runs if run.row == '32 channels')
    found = [made_up(shared, 50.0)]
    rows = by_row(plan_of('crowds', found), found)
    assert [row for row, of_row in rows.items() if of_row] == ['fused, contrastive loss']


def test_claims_follow_the_rows_of_their_study():
    rows = {'16 channels': lines(4.0, 5.0, 6.0), '8 channels': lines(1.0, 2.0, 3.0)}
    items = claims_of('channels', rows)
    assert items.splitlines()[:2] == ['What the paper says:', '']
    assert items.splitlines()[2].endswith("**Holds**: the difference is +3.0 AP (+0.7 to +5.3). The paper's is +1.6.")
    assert items.count('*not yet run*') == 2
    assert claims_of('real', {}).startswith('About this implementation:')
    assert claims_of('pilot', {}) == ''


def test_hours_and_machines_are_those_of_the_lines():
    found = lines(1.0, 2.0) + [made_up(tiny_run(seed=9), 3.0, machine='3 cores of Y', date='2026-11-28', commit='d')]
    written = machines(found).splitlines()
    assert written[2].startswith('3 runs took 0.1 hours by the clock,')  # 3 x 90 s
    assert 'computed for 1.5 hours' in written[2]  # 3 x 1800 s
    assert '| 3 cores of Y | 1 | 0.0 | 0.5 | `2.14` | 2026-11-28 | `d` |' in written
    assert '*not yet run*' in machines([])


def test_a_run_done_again_stands_below_the_first():
    first = lines(50.0)
    again = lines(51.0, machine='3 cores of Y', commit='d')
    assert repeated(first, again).splitlines()[-2:] == [
        '| a row, seed 0 | first | 50.0 | 4 | 2 cores of X | `abc` |',
        '| a row, seed 0 | again | 51.0 | 4 | 3 cores of Y | `d` |',
    ]
    assert '*not yet run*' in repeated(first, [])


def test_durations_of_two_kinds_of_machines_are_not_mixed():
    rows = {'a': lines(1.0, 2.0), 'b': lines(3.0, machine='3 cores of Y', cpu_seconds=60.0), 'c': []}
    written = durations(rows).splitlines()
    assert written[0] == '| | parameters | iterations | seconds on 2 cores of X | seconds on 3 cores of Y |'
    assert written[2:4] == ['| a | 1.50 million | 4 | 1800 |  |', '| b | 1.50 million | 4 |  | 60 |']
    assert durations({'c': []}) == ''


def test_the_pace_of_each_method_is_a_row():
    pace = dict(key='pace', study='pace', pace={'ours': 0.21}, machine='M', date='2026-11-27')
    assert '| ours | 0.210 |' in pace_of([pace]) and '*not yet run*' in pace_of([])


def test_the_page_and_its_plots_are_written_from_lines(tmp_path):
    found = [
        made_up(run, 40.0 + run.seed, 60.0, 20.0)
        for name in ('pilot', 'crowds', 'options')
        for run in plan_of(name, []).runs
    ]
    plots = write_plots(found, tmp_path / 'images')
    assert plots == {name: f'images/evidence_{name}.png' for name in ('pilot', 'crowds', 'options')}
    for file in plots.values():
        picture = cv2.imread(str(tmp_path / file))
        assert picture.shape[0] > 200 and picture.std() > 10  # something is drawn
    first = (tmp_path / plots['crowds']).read_bytes()
    write_plots(found, tmp_path / 'images')
    assert (tmp_path / plots['crowds']).read_bytes() == first

    page = write_page(tmp_path / 'none', tmp_path / 'page.md').read_text(encoding='utf-8')
    assert page.startswith('# Evidence\n') and '| spatial | not yet run |' in page
