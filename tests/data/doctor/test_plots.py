"""The command of the doctor, its report as JSON, and its plots with the numbers in them."""

import json
import runpy
import sys

import cv2
import numpy as np
import pytest

from cid_mmpose.cli.user_errors import user_errors
from cid_mmpose.data.doctor import diagnose, file_source
from cid_mmpose.data.doctor.case import Case
from cid_mmpose.data.doctor.plots import overlaps, people_per_image, radii
from tests.helpers.broken import EXPECTED, write_broken
from tests.helpers.images import ROOT, coco, person

DOCTOR = ROOT / 'tools' / 'doctor.py'


def crowd() -> Case:
    """Two people who overlap and a crowd in image 1, one person in image 2, nobody in image 3."""
    people = [
        person(1, box=(0, 0, 20, 30)),
        person(2, box=(10, 0, 20, 30)),
        person(3, iscrowd=1),
        person(4, image=2, box=(8, 8, 32, 32)),
    ]
    return Case(file_source('people.json'), coco(people, images=3))


def test_people_are_counted_by_image():
    counts = people_per_image(crowd())
    assert {name: values.tolist() for name, values in counts.items()} == {
        'with labelled keypoints': [2, 1, 0],
        'all': [3, 1, 0],
    }


def test_the_overlap_of_a_person_is_that_with_the_nearest_other_and_crowds_do_not_count():
    assert overlaps(crowd()).tolist() == pytest.approx([1 / 3, 1 / 3, 0])  # 10 x 30 of 30 x 30


def test_sizes_and_radii_are_those_of_the_input():
    side, radius = radii(crowd())
    scale = 512 / 48  # the short side of the images
    assert side == pytest.approx([scale * np.sqrt(600), scale * np.sqrt(600), scale * 32])
    # 32 px are 85.33 cells, 86 rounded up; the roots of r^2 - 172 r + 86^2 * 0.3 / 1.7 and of its two sisters
    a, b, c = 86**2 * 0.3 / 1.7, 86**2 * 0.3, -(86**2) * 0.3
    roots = [
        (172 + np.sqrt(172**2 - 4 * a)) / 2,
        (344 + np.sqrt(344**2 - 16 * b)) / 2,
        (-2 * 0.7 * 172 + np.sqrt((2 * 0.7 * 172) ** 2 - 16 * 0.7 * c)) / 2,
    ]
    assert radius[2] == np.floor(min(roots))


def test_people_without_a_usable_box_are_in_no_plot():
    case = Case(file_source('people.json'), coco([person(1, bbox=[1, 2, 0, 4]), person(2, bbox=None)]))
    assert (len(overlaps(case)), len(radii(case)[0])) == (0, 0)


@pytest.mark.parametrize('people', [[], [person(1)], [person(1, bbox=None)]])
def test_plots_are_drawn_of_any_file(tmp_path, people):
    path = tmp_path / 'people.json'
    path.write_text(json.dumps(coco(people)))
    diagnose([file_source(str(path))], plots=str(tmp_path / 'plots'))
    drawn = {p.name: cv2.imread(str(p)) for p in (tmp_path / 'plots').iterdir()}
    assert {name: image.shape for name, image in drawn.items()} == dict.fromkeys(
        ['people_people.png', 'people_sizes.png', 'people_overlap.png'], (450, 1100, 3)
    )


def run(monkeypatch, *arguments) -> int:
    """The exit status of the command, in this process."""
    monkeypatch.setattr(sys, 'argv', ['doctor.py', *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(DOCTOR), run_name='__main__')
    return left.value.code


def test_the_command_reports_repairs_and_draws_and_the_repaired_file_is_better(tmp_path, monkeypatch, capsys):
    path, fixed = write_broken(tmp_path), tmp_path / 'fixed.json'
    options = ['--images', tmp_path / 'images', '--against', tmp_path / 'others']
    status = run(
        monkeypatch, path, *options, '--fix', fixed, '--json', tmp_path / 'report.json', '--plots', tmp_path / 'plots'
    )
    said = capsys.readouterr().out
    report = json.loads((tmp_path / 'report.json').read_text())
    found = {f['name']: (f['count'], f['of']) for f in report['files'][0]['findings']}
    assert (status, found) == (1, EXPECTED)
    assert (report['error'], report['warning'], report['note']) == (20, 11, 2)
    assert '  11 images, 5 of them with labelled people; 23 people, 19 of them with labelled keypoints, ' in said
    assert '\n  error   box_no_size: 1 of 19 people\n          e.g. id 14 in 1.png: 0 x 30 pixels\n' in said
    assert f'{fixed}: repaired:\n' in said and len(list((tmp_path / 'plots').glob('*.png'))) == 3
    assert run(monkeypatch, fixed, *options) == 1
    assert '  2 errors, 2 warnings, 2 notes' in capsys.readouterr().out


def test_the_exit_status_is_0_without_errors(tmp_path, monkeypatch):
    path = tmp_path / 'people.json'
    path.write_text(json.dumps(coco([person(category_id=5)], categories=[dict(id=5, name='person')])))
    assert run(monkeypatch, path) == 0  # a warning


@pytest.mark.parametrize(
    'arguments, says',
    [
        (['gone.json'], 'gone.json: no such annotation file'),
        (['gone.py'], 'gone.py: no such config'),
        ([ROOT / 'configs' / 'cid_hrnet-w32_coco.py', '--images', 'x'], '--images goes with an annotation file'),
        ([ROOT / 'setup.cfg'], 'setup.cfg: not valid JSON'),
        (['gone.json', '--against', 'nowhere'], 'nowhere: no such folder'),
        (['gone.json', '--images', 'nowhere'], 'nowhere: no such folder'),
    ],
)
def test_what_cannot_be_read_is_one_line_and_status_2(monkeypatch, capsys, arguments, says):
    assert run(monkeypatch, *arguments) == 2
    (line,) = [text for text in capsys.readouterr().err.splitlines() if text.startswith('error: ')]
    assert says in line


def test_a_file_cut_off_in_writing_leaves_nothing(tmp_path, monkeypatch):
    path = tmp_path / 'people.json'
    path.write_text(json.dumps(coco([person(bbox=[1, 2, 0, 4])])))
    monkeypatch.setattr('os.replace', lambda *_: (_ for _ in ()).throw(OSError('disk full')))
    with pytest.raises(OSError, match='disk full'), user_errors():
        diagnose([file_source(str(path))], fix=str(tmp_path / 'fixed.json'))
    assert [p.name for p in tmp_path.iterdir()] == ['people.json']
