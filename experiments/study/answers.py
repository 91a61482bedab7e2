"""The answers that the page begins with, computed from the runs."""

from collections.abc import Sequence

from .claims import (
    CLAIMS,
    DEKR,
    EMBEDDING,
    MMPOSE,
    MMPOSE_RULES,
    NOT_RUN,
    OF_PAPER,
    SAME_START,
    VERDICTS,
    judge,
)
from .differences import Difference, difference
from .plans import OURS, SEEDS, STUDIES
from .rules import single_costs
from .summary import by_row, figure, values_of

Rows = dict[str, list[dict]]
MOST = 4  # rules that are named
LIMITS = (
    '**What this cannot say**: anything about long trainings, pretrained backbones or photographs. All networks here '
    'are still learning, and two rows may differ in speed of learning alone. What does not hold here is not refuted: '
    'without the contrastive loss, spatial recalibration does not fail here as in the paper as long as the mask learns '
    'slowly.'
)


def answers(lines: Sequence[dict]) -> str:
    """A list item for each question of the page.

    Args:
        lines: of the runs of all studies.
    """
    rows = {name: by_row(study.plan(lines), lines) for name, study in STUDIES.items()}
    methods = rows['methods']
    items = [of_paper(rows), of_port(methods), of_others(methods), of_wrong(methods), of_rules(rows['options']), LIMITS]
    return '\n'.join(['## Answers\n', *(f'- {item}' for item in items), ''])


def of_paper(rows: dict[str, Rows]) -> str:
    """The paper's claims by what is to be said of each.

    Args:
        rows: study -> row -> lines.
    """
    said: dict[str, list[str]] = {}
    for claim in CLAIMS:
        if claim.whose == OF_PAPER:
            said.setdefault(judge(claim, rows[claim.study]).said, []).append(claim.text)
    items = [f'  - *{answer}*: {". ".join(said[answer])}.' for answer in (*VERDICTS, NOT_RUN) if answer in said]
    return '\n'.join(["**The paper's claims**", *items])


def of_port(rows: Rows) -> str:
    """Ours against MMPose's head of CID in equal time, and what that consists of.

    Args:
        rows: of the study ``methods``.
    """
    question = "**Ours against MMPose's CIDHead in equal time**"
    in_time, as_it_is = f'{SAME_START}, equal time', f'{MMPOSE}, equal time'
    aps = {row: _aps(rows, row) for row in (OURS, MMPOSE_RULES, SAME_START, in_time, as_it_is)}
    if min(len(of_row) for of_row in aps.values()) < len(SEEDS):
        return f'{question}: *{NOT_RUN}*.'

    def between(better: str, worse: str) -> Difference:
        return difference(aps[better], aps[worse])

    of_rules, of_time = between(OURS, MMPOSE_RULES).mean, between(SAME_START, in_time).mean
    return (
        f'{question}: {between(OURS, in_time)} AP with first weights of the same size, three seeds each. Of these '
        f"{of_rules:.1f} are rules (the authors' in place of MMPose's), which weigh more on small images than on "
        f"COCO's; {of_time:.1f} the iterations that ours does more in the time; the rest, "
        f'{between(MMPOSE_RULES, SAME_START)}, is not explained. Against the port with its own first weights it is '
        f'{between(OURS, as_it_is)}, of which {between(in_time, as_it_is).mean:.1f} are those weights.'
    )


def of_others(rows: Rows) -> str:
    """CID against MMPose's other methods, in equal time and at equal iterations.

    Args:
        rows: of the study ``methods``.
    """
    ours = _aps(rows, OURS)
    parts = []
    for method in (DEKR, EMBEDDING):
        for row, when in ((f'{method}, equal time', 'in equal time'), (method, 'at equal iterations')):
            aps = _aps(rows, row)
            found = difference(ours, aps) if min(len(ours), len(aps)) >= len(SEEDS) else None
            parts.append(f'{method} {when} {f"{found} AP" if found else f"*{NOT_RUN}*"}')
    return f'**Ours against other methods**: {"; ".join(parts)}.'


def of_wrong(rows: Rows) -> str:
    """How often a keypoint lies on somebody else.

    Args:
        rows: of the study ``methods``.
    """
    parts = []
    for method in (OURS, SAME_START, DEKR, EMBEDDING):
        share = values_of(rows.get(method, []), 'wrong')
        parts.append(f'{method} {share or f"*{NOT_RUN}*"}')
    return f'**Keypoints on the wrong person**, % of those of people who were found: {"; ".join(parts)}.'


def of_rules(rows: Rows) -> str:
    """The rules that cost most.

    Args:
        rows: of the study ``options``.
    """
    question = '**What somebody who cannot reproduce CID should check first**'
    costs = single_costs(rows)
    if not costs:
        return f'{question}: *{NOT_RUN}*.'
    told = [f'{cost.row}, {cost.lost.mean:.1f} AP lost' for cost in costs if cost.lost.low > 0]
    if not told:
        return f'{question}: of no rule that was run can the cost be told from 0.'
    return (
        f'{question}: {"; ".join(told[:MOST])}. These are of short runs at 128 px; half a cell costs less where people '
        'are larger. [All of them](#what-to-check-first) are below.'
    )


def _aps(rows: Rows, row: str) -> list[float]:
    return [figure(line, 'ap') for line in rows.get(row, [])]
