"""What rules cost, from lines that nobody ran: hand-made APs."""

import pytest
from study.plans import OPTIONS, OPTIONS_OF_VARIED, PAIR, REFERENCES
from study.rules import ALL_OF_MMPOSE, FIRST_WEIGHTS, WHOSE, costs_of, option_of, what_to_check

from tests.helpers.study_lines import made_up, tiny_run


def lines(*aps: float, config: str = 'crowd') -> list[dict]:
    return [made_up(tiny_run(config, seed), ap) for seed, ap in enumerate(aps)]


ROUNDED, BORDER = 'cells rounded to the nearest', 'peaks at the border are not moved'
REFERENCE = {'reference': lines(50.0, 52.0, 54.0)}


def test_rules_are_in_the_order_of_the_ap_that_they_cost_seed_by_seed():
    rows = {**REFERENCE, BORDER: lines(49.5, 53.0, 53.5), ROUNDED: lines(39.0, 42.0, 45.0), 'twice': lines(1.0, 2.0)}
    found = costs_of(rows)
    assert [cost.row for cost in found] == [ROUNDED, BORDER]
    # 11, 10 and 9 AP lost: 10 +- 4.303 / 3^0.5
    assert found[0].lost.mean == pytest.approx(10.0) and found[0].lost.low == pytest.approx(7.516, abs=0.001)
    assert found[0].is_told and not found[1].is_told


def test_rules_without_a_reference_have_no_cost():
    assert costs_of({ROUNDED: lines(39.0, 42.0, 45.0), 'reference': lines(50.0)}) == []
    assert costs_of({ROUNDED: lines(39.0, 42.0, 45.0)}) == []


def test_seeds_are_paired_whatever_their_order():
    rows = {**REFERENCE, ROUNDED: lines(45.0, 47.0, 49.0)[::-1]}
    (cost,) = costs_of(rows)
    assert (cost.lost.mean, cost.lost.low, cost.lost.high) == (5.0, 5.0, 5.0)


def test_a_rule_tried_on_varied_images_is_compared_with_the_reference_there():
    rows = {
        **REFERENCE,
        REFERENCES['varied']: lines(20.0, 21.0, 22.0, config='varied'),
        'no loss mask': lines(15.0, 16.0, 17.0, config='varied'),
    }
    assert [(cost.row, cost.lost.mean) for cost in costs_of(rows)] == [('no loss mask', 5.0)]


def test_what_cannot_be_told_stands_in_a_table_of_its_own_and_sums_of_rules_in_none():
    rows = {
        **REFERENCE,
        ROUNDED: lines(39.0, 42.0, 45.0),
        BORDER: lines(49.5, 53.0, 53.5),
        'people who touch the map are drawn': REFERENCE['reference'],
        ALL_OF_MMPOSE: lines(43.0, 45.0, 47.0),
        PAIR: lines(48.0, 50.0, 52.0),
        FIRST_WEIGHTS: lines(1.0, 2.0, 4.0),
        'two people may share a cell': lines(50.0),
    }
    told, _, others = what_to_check(rows).partition('These cannot be told')
    assert f'| {ROUNDED} | `codec.rounding=nearest` | MMPose, with the Gaussians | +10.0 (+7.5 to +12.5) |' in told
    assert 'The recipe mmpose, as far as these images let it act, costs +7.0 (+7.0 to +7.0) AP' in others
    assert 'its rounding together cost +2.0 (+2.0 to +2.0) AP' in others
    assert f'| {BORDER} |' in others and '| none: the runs are the same to the last digit |' in others
    assert '(`model.head.init_std=0.001`) cost +49.7' in others
    assert not any(f'| {row} |' in told + others for row in (ALL_OF_MMPOSE, PAIR, FIRST_WEIGHTS))
    assert '- *not yet run* with all seeds: two people may share a cell.' in others
    assert '*not yet run*' in what_to_check(REFERENCE)


def test_every_rule_names_its_option_and_whose_it_is():
    rules = {**OPTIONS, **OPTIONS_OF_VARIED}
    assert {*WHOSE, ALL_OF_MMPOSE, PAIR, FIRST_WEIGHTS} <= set(rules)
    assert all(option_of(row) for row, options in rules.items() if options)
    assert option_of('no loss mask') == '`LossMask.regions=ignored`'
