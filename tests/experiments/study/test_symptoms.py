"""The table of symptoms: what each row and the one beside it came to."""

from study.plans import REFERENCES, STUDIES
from study.symptoms import SYMPTOMS, symptoms

from tests.helpers.study_lines import made_up

ROUNDED = 'cells rounded to the nearest'


def runs_of(row: str) -> list:
    return [run for run in STUDIES['options'].plan([]).runs if run.row == row]


def test_every_symptom_names_rows_that_there_are():
    for symptom in SYMPTOMS:
        rows = {run.row for run in STUDIES[symptom.study].plan([]).runs}
        assert {symptom.row, symptom.healthy} <= rows


def test_figures_of_a_row_stand_before_those_of_the_one_beside_it():
    lines = [made_up(run, 10.0 + run.seed) for run in runs_of(ROUNDED)]
    lines += [made_up(run, 30.0) for run in runs_of(REFERENCES['crowd'])]
    rows = symptoms(lines).splitlines()[6:]
    assert len(rows) == 1  # of the others the runs are missing
    assert f'(*{ROUNDED}*, beside *reference*) | 11.0 (30.0) |' in rows[0]


def test_without_runs_there_is_no_table():
    assert symptoms([]) == ''
