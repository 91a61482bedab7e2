"""Confidence intervals against textbook values, and the rule by which a claim holds."""

import pytest
from study.claims import (
    CLAIMS,
    FAILS,
    HOLDS,
    IN_PART,
    UNKNOWN,
    Claim,
    judge,
    sentence,
    verdict,
)
from study.differences import Difference, difference, paired_difference
from study.plans import METHODS, OURS, STUDIES, plan_of

from tests.helpers.study_lines import made_up, tiny_run


def test_the_interval_is_welchs_worked_out_by_hand():
    found = difference([10.0, 12.0, 14.0], [1.0, 2.0, 3.0])
    # variances 4 / 3 and 1 / 3; (5 / 3)^2 / ((16 / 9) / 2 + (1 / 9) / 2) = 2.9412 degrees of freedom, t = 3.2187
    assert found.mean == 10.0
    assert found.high - found.mean == pytest.approx(3.2187 * (5 / 3) ** 0.5, abs=0.002)
    assert found.mean - found.low == pytest.approx(found.high - found.mean)


def test_the_interval_of_equal_spreads_has_the_t_of_a_table():
    found = difference([4.0, 5.0, 6.0], [1.0, 2.0, 3.0])
    # 4 degrees of freedom, for which tables have 2.776; spread (1 / 3 + 1 / 3)^0.5
    assert found.high - found.mean == pytest.approx(2.776 * (2 / 3) ** 0.5, abs=0.001)


def test_runs_without_any_spread_have_no_interval():
    assert difference([3.0, 3.0], [1.0, 1.0]) == Difference(2.0, 2.0, 2.0)


@pytest.mark.parametrize(
    'low, high, kind, expected',
    [
        (0.1, 4.0, 'more', HOLDS),
        (-0.1, 4.0, 'more', UNKNOWN),
        (-4.0, 0.1, 'more', UNKNOWN),
        (-4.0, -0.1, 'more', FAILS),
        (0.1, 4.0, 'hard', HOLDS),
        (-1.9, 1.9, 'alike', HOLDS),
        (-2.1, 1.9, 'alike', UNKNOWN),
        (-9.0, 9.0, 'alike', UNKNOWN),
        (2.1, 9.0, 'alike', FAILS),
        (-9.0, -2.1, 'alike', FAILS),
    ],
)
def test_a_claim_holds_by_the_interval(low, high, kind, expected):
    assert verdict(Difference((low + high) / 2, low, high), kind) == expected


@pytest.mark.parametrize(
    'low, high, paper, expected',
    [
        (-0.2, 0.5, 46.7, FAILS),  # so small that it is not what the paper found
        (-0.2, 23.4, 46.7, UNKNOWN),
        (6.5, 10.8, 47.0, IN_PART),
        (6.5, 23.6, 47.0, HOLDS),
        (9.0, 12.7, 1.4, HOLDS),
        (-3.1, 5.1, 0.4, UNKNOWN),
    ],
)
def test_less_than_half_of_the_papers_difference_is_not_the_papers(low, high, paper, expected):
    assert verdict(Difference((low + high) / 2, low, high), 'more', paper) == expected


def test_the_interval_of_pairs_is_worked_out_by_hand():
    found = paired_difference([10.0, 20.0, 30.0], [9.0, 18.0, 27.0])
    # differences 1, 2, 3: mean 2, deviation 1; t of 2 degrees of freedom 4.303, over the root of 3
    assert found.mean == pytest.approx(2.0)
    assert found.high - found.mean == pytest.approx(4.303 / 3**0.5, abs=0.001)
    assert paired_difference([3.0, 4.0], [3.0, 4.0]) == Difference(0.0, 0.0, 0.0)
    with pytest.raises(ValueError):
        paired_difference([1.0, 2.0, 3.0], [1.0, 2.0])


def lines(*aps: float, easy: float = 0.0, hard: float = 0.0) -> list[dict]:
    return [made_up(tiny_run(seed=seed), ap, easy, hard) for seed, ap in enumerate(aps)]


CLAIM = Claim('crowds', 'A is better', 'a', 'b')


def test_a_sentence_has_the_difference_and_its_interval():
    said = sentence(CLAIM, dict(a=lines(4.0, 5.0, 6.0), b=lines(1.0, 2.0, 3.0)))
    assert said == 'A is better. **Holds**: the difference is +3.0 AP (+0.7 to +5.3).'
    said = sentence(CLAIM, dict(a=lines(1.0, 2.0, 9.0), b=lines(1.0, 2.0, 3.0)))
    assert said.startswith('A is better. **Cannot be told at this size**: the difference is +2.0 AP (')


def test_the_papers_difference_stands_behind_ours():
    said = sentence(CLAIM._replace(paper=0.6, aside='1.6, 1.0'), dict(a=lines(4.0, 5.0, 6.0), b=lines(1.0, 2.0, 3.0)))
    assert said.startswith('A is better (paper: 1.6, 1.0). **Holds**: ')
    assert said.endswith("(+0.7 to +5.3). The paper's is +0.6.")


def test_a_claim_about_crowding_compares_hard_images_less_easy_ones():
    claim = CLAIM._replace(kind='hard')
    rows = dict(a=lines(50.0, 50.0, 9.0, easy=60.0, hard=40.0), b=lines(10.0, 90.0, 9.0, easy=60.0, hard=30.0))
    expected = '**Holds**: the gain on hard images less that on easy ones is +10.0 AP (+10.0 to +10.0)'
    assert expected in sentence(claim, rows)


TWO = dict(a=lines(1.0, 2.0, 3.0), b=lines(1.0, 2.0))  # of three seeds


def test_losses_by_crowding_are_not_compared_where_easy_images_are_far_apart():
    claim = CLAIM._replace(kind='hard')
    rows = dict(a=lines(1.0, 2.0, 3.0, easy=70.0, hard=30.0), b=lines(1.0, 2.0, 3.0, easy=59.9, hard=9.0))
    assert judge(claim, rows).said == UNKNOWN and judge(claim, rows).found.mean == pytest.approx(10.9)
    rows['b'] = lines(1.0, 2.0, 3.0, easy=60.1, hard=9.0)
    assert judge(claim, rows).said == HOLDS


@pytest.mark.parametrize('rows', [{}, dict(a=lines(1.0, 2.0, 3.0)), TWO])
def test_what_was_not_run_is_said_to_be_so(rows):
    assert sentence(CLAIM, rows) == 'A is better. *not yet run*'


def test_the_rows_of_every_claim_are_those_of_its_study():
    for claim in CLAIMS:
        assert claim.study in STUDIES
        rows = {run.row for run in plan_of(claim.study, []).runs} if claim.study != 'methods' else set()
        if claim.study == 'methods':
            rows = {*METHODS, *(f'{method}, equal time' for method in METHODS if method != OURS)}
        assert {claim.better, claim.worse} <= rows


def test_claims_of_equal_time_compare_rows_of_equal_time_with_ours():
    for claim in CLAIMS:
        if claim.text.endswith('equal time'):
            assert claim.worse.endswith(', equal time')
            assert claim.better == OURS or claim.better.endswith(', equal time')
