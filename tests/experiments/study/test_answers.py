"""The answers at the top of the page, from lines that nobody ran: hand-made APs."""

from study.answers import answers, of_others, of_paper, of_port, of_rules, of_wrong
from study.claims import DEKR, EMBEDDING, MMPOSE, MMPOSE_RULES, SAME_START
from study.plans import OPTIONS, OURS, PAIR, STUDIES
from study.rules import ALL_OF_MMPOSE, FIRST_WEIGHTS

from tests.helpers.study_lines import made_up, tiny_run


def lines(middle: float) -> list[dict]:
    return [made_up(tiny_run(seed=seed), middle + seed - 1) for seed in range(3)]


ROWS = {
    OURS: lines(40.0),
    MMPOSE_RULES: lines(30.0),
    SAME_START: lines(29.0),
    f'{SAME_START}, equal time': lines(25.0),
    f'{MMPOSE}, equal time': lines(12.0),
}


def test_the_margin_is_parted_into_rules_iterations_and_the_rest():
    said = of_port(ROWS)
    # two rows of deviation 1: 2.776 (t of 4 degrees of freedom) times (2 / 3)^0.5
    assert '+15.0 (+12.7 to +17.3) AP with first weights of the same size' in said
    assert (
        'Of these 10.0 are rules' in said and '4.0 the iterations' in said and 'the rest, +1.0 (-1.3 to +3.3),' in said
    )
    assert 'it is +28.0 (+25.7 to +30.3), of which 13.0 are those weights' in said
    assert '*not yet run*' in of_port({**ROWS, f'{MMPOSE}, equal time': []})


def test_other_methods_are_told_where_they_were_run():
    said = of_others({**ROWS, f'{DEKR}, equal time': lines(10.0)})
    assert f'{DEKR} in equal time +30.0 (+27.7 to +32.3) AP' in said
    assert f'{DEKR} at equal iterations *not yet run*' in said
    assert of_others({f'{DEKR}, equal time': lines(10.0)}).count('*not yet run*') == 4  # ours is missing


def test_the_share_of_keypoints_on_others_is_that_of_each_method():
    # 30 of 1000 in each line
    assert of_wrong({OURS: lines(40.0)}).endswith(
        f'found: {OURS} 3.0 ± 0.0; {SAME_START} *not yet run*; {DEKR} *not yet run*; {EMBEDDING} *not yet run*.'
    )


def test_claims_of_the_paper_stand_below_what_is_to_be_said_of_them():
    rows = {name: {} for name in STUDIES}
    rows['crowds'] = {'spatial, contrastive loss': lines(27.0), 'spatial': lines(27.0)}
    said = of_paper(rows)
    assert '  - *does not hold here*: The contrastive loss makes spatial recalibration alone work.' in said
    assert '16 channels are better than 8' in said.partition('*not yet run*')[2]
    assert "MMPose's port" not in said  # is no claim of the paper


def test_the_rules_that_cost_most_are_named_and_neither_all_nor_those_of_several_at_once():
    names = [row for row, options in OPTIONS.items() if options and row not in (ALL_OF_MMPOSE, PAIR, FIRST_WEIGHTS)]
    rows = {'reference': lines(50.0), ALL_OF_MMPOSE: lines(1.0), PAIR: lines(2.0), FIRST_WEIGHTS: lines(3.0)}
    rows.update({row: lines(30.0 + number) for number, row in enumerate(names)})
    told = [f'{row}, {20.0 - number:.1f} AP lost' for number, row in enumerate(names[:4])]
    assert f': {"; ".join(told)}. These' in of_rules(rows)


def test_rules_that_cost_nothing_that_can_be_told_are_said_to_have_been_run():
    rows = {'reference': lines(50.0), 'two people may share a cell': lines(50.0)[::-1]}
    rows['two people may share a cell'][1]['bins']['all']['ap'] += 1
    assert of_rules(rows).endswith('of no rule that was run can the cost be told from 0.')


def test_without_runs_every_answer_says_so():
    assert answers([]).count('*not yet run*') == 1 + 1 + 4 + 4 + 1
