"""Lines of runs: found again by what a run does, written whole, read with one clear error."""

import json
import multiprocessing
from pathlib import Path

import pytest
from study.lines import append, key_of, line_at, read, read_file, run_of

from cid_mmpose.errors import BadInput
from tests.helpers.study_lines import made_up, tiny_run

RUN = tiny_run()


def test_a_run_has_the_same_key_in_every_study_and_another_with_any_other_option_or_seed():
    assert key_of(RUN._replace(study='crowds', row='other')) == key_of(RUN)
    turned = dict(reversed(RUN.options.items()))
    assert key_of(RUN._replace(options=turned)) == key_of(RUN)
    others = [
        RUN._replace(seed=1),
        RUN._replace(config='varied'),
        RUN._replace(options={**RUN.options, 'recipe': 'mmpose'}),
        RUN._replace(start=RUN),
        RUN._replace(start=RUN._replace(seed=1)),
    ]
    assert len({key_of(run) for run in [RUN, *others]}) == 6


def test_a_key_stays_what_it_was():
    # of the lines that are committed: another key would mean that all runs are done again
    assert key_of(RUN._replace(config='crowd', options={'recipe': 'mmpose'}, seed=3)) == '3834dae2f2fc'


def test_the_run_of_a_line_is_the_run_that_was_done(tmp_path):
    run = RUN._replace(start=RUN._replace(seed=4))
    append(tmp_path / 'a.jsonl', made_up(run, 50.0))
    assert run_of(read_file(tmp_path / 'a.jsonl')[0]) == run


def test_lines_of_all_files_count_and_of_one_run_the_first(tmp_path):
    for name, seed, ap in (('a', 0, 50.0), ('b', 0, 60.0), ('b', 1, 70.0), ('repeats', 2, 80.0)):
        append(tmp_path / f'{name}.jsonl', made_up(tiny_run(seed=seed), ap))
    assert [line['bins']['all']['ap'] for line in read(tmp_path)] == [50.0, 70.0]
    assert read(tmp_path / 'gone') == []


def write_many(path: str, first: int) -> None:
    for number in range(first, first + 20):
        append(Path(path), made_up(tiny_run(seed=number), 1.0))


def test_two_processes_lose_none_of_each_others_lines(tmp_path):
    path = tmp_path / 'a.jsonl'
    context = multiprocessing.get_context('fork')
    both = [context.Process(target=write_many, args=(str(path), first)) for first in (0, 100)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert sorted(line['seed'] for line in read(tmp_path)) == [*range(20), *range(100, 120)]


def test_a_line_that_was_cut_by_hand_is_ended_before_the_next_one(tmp_path):
    path = tmp_path / 'a.jsonl'
    path.write_text(json.dumps(made_up(RUN, 1.0)))  # without the end of the line
    append(path, made_up(tiny_run(seed=1), 2.0))
    assert [line['seed'] for line in read_file(path)] == [0, 1]


def test_a_line_that_cannot_be_written_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / 'a.jsonl'
    append(path, made_up(RUN, 1.0))
    before = path.read_bytes()
    with pytest.raises(TypeError):
        append(path, dict(bad=object()))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    'text, says',
    [
        ('{"key": "a"', r'a\.jsonl:2: is no JSON .*; remove the line'),
        ('[]', r"a\.jsonl:2: field 'key' is missing; remove the line"),
        ('{"key": "a", "study": "crowds"}', r"a\.jsonl:2: field 'row' is missing"),
        (json.dumps(dict(made_up(RUN, 1.0), study='moon')), r"a\.jsonl:2: field 'study': there is no 'moon'"),
    ],
)
def test_a_spoilt_line_is_one_error_line(tmp_path, text, says):
    path = tmp_path / 'a.jsonl'
    append(path, made_up(RUN, 1.0))
    path.write_text(path.read_text() + text + '\n')
    with pytest.raises(BadInput, match=says):
        read(tmp_path)


def test_a_place_names_a_line(tmp_path):
    path = tmp_path / 'a.jsonl'
    for seed in (5, 6):
        append(path, made_up(tiny_run(seed=seed), 1.0))
    assert line_at(f'{path}:2')['seed'] == 6
    for place in (f'{path}:3', f'{path}:0', f'{path}', f'{path}:x', f'{tmp_path}/gone.jsonl:1'):
        with pytest.raises(BadInput, match='--line'):
            line_at(place)
