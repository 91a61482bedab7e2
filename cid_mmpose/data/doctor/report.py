"""The report as text and as JSON."""

import textwrap
from collections import Counter

from .case import Case
from .examine import Findings, Repaired
from .table import SEVERITIES

WIDTH = 110  # characters of a line of text


def summary(case: Case) -> dict:
    """Counts of a file: images, people and keypoints."""
    labelled = int(case.is_labelled.sum())
    crowds = int(case.crowd.sum())
    return dict(
        images=len(case.images),
        images_with_labelled_people=len({a['image_id'] for a, counts in zip(case.people, case.is_labelled) if counts}),
        people=len(case.people) - crowds,
        labelled=labelled,
        crowds=crowds,
        keypoints=case.num_keypoints,
    )


def severities(findings: Findings) -> Counter:
    """How many findings there are of each grade."""
    return Counter(finding.severity for finding, _ in findings)


def as_dict(case: Case, findings: Findings) -> dict:
    """The report on one file, of plain values.

    Args: case: the file. findings: what was found in it.
    """
    return dict(
        file=case.source.path,
        roles=list(case.source.roles),
        folder=case.source.folder,
        **summary(case),
        findings=[
            dict(
                name=f.name,
                severity=f.severity,
                counts=f.counts,
                count=len(found.entries),
                of=found.of,
                examples=found.examples,
                means=f.means,
                fix=f.fix,
            )
            for f, found in findings
        ],
    )


def as_text(case: Case, findings: Findings) -> str:
    """The report on one file, for people to read.

    Args: case: the file. findings: what was found in it.
    """
    counts = summary(case)
    roles = f' ({", ".join(case.source.roles)})' if case.source.roles else ''
    lines = [
        f'{case.source.path}{roles}',
        '  {images} images, {images_with_labelled_people} of them with labelled people; {people} people, '
        '{labelled} of them with labelled keypoints, and {crowds} crowds; {keypoints} keypoints'.format(**counts),
        f'  {looked_at(case)}',
    ]
    for finding, found in findings:
        lines += ['', f'  {finding.severity:8}{finding.name}: {len(found.entries)} of {found.of} {finding.counts}']
        lines += indented([f'e.g. {"; ".join(found.examples)}'] if found.examples else [], 10)
        lines += indented([finding.means] + [f'--fix: {finding.fix}.'] * bool(finding.fix), 10)
    return '\n'.join(lines + ['', f'  {totals(severities(findings))}'])


def looked_at(case: Case) -> str:
    """Whether the files of the images were looked at."""
    if case.looks is None:
        return 'the images were not looked at; --images names their folder'
    decoded = sum(look.decoded for look in case.looks.values())
    present = sum(look.present for look in case.looks.values())
    text = f'images in {case.source.folder}: {present} found, {decoded} of them decoded'
    unread = sum(look.needs_pillow for look in case.looks.values())
    if unread:
        text += f'; {unread} not looked into, their kind takes Pillow (pip install pillow)'
    return text


def totals(counts: Counter) -> str:
    """One line: how many findings of each grade."""
    return ', '.join(f'{counts[grade]} {grade}{"s" * (counts[grade] != 1)}' for grade in SEVERITIES)


def indented(texts: list[str], margin: int) -> list[str]:
    """Lines of at most ``WIDTH`` characters."""
    return [
        line
        for text in texts
        for line in textwrap.wrap(
            text, WIDTH, initial_indent=' ' * margin, subsequent_indent=' ' * margin, break_long_words=False
        )
    ]


def repairs_text(log: list[Repaired], left: Findings) -> str:
    """What was repaired, one line each, and what is left."""
    lines = [f'  {r.finding.name}: ' + ', '.join(f'{n} {what}' for what, n in r.done.items() if n) for r in log]
    remaining = [f'  {f.name} ({f.severity}): {len(found.entries)} {f.counts} left as they are' for f, found in left]
    return '\n'.join(['repaired:', *(lines or ['  nothing']), 'left:', *(remaining or ['  nothing'])])
