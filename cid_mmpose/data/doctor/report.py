"""The report as text and as JSON."""

import textwrap
from collections import Counter
from itertools import compress

from .case import Case, FoundEntries
from .examine import Findings, Repaired
from .table import SEVERITIES, Finding

WIDTH = 110  # characters of a line of text
MARGIN = 10  # characters before the lines on a finding


def summary(case: Case) -> dict:
    """Counts of a file: images, people and keypoints."""
    labelled = int(case.is_labelled.sum())
    crowds = int(case.crowd.sum())
    images_with_labelled_people = {a['image_id'] for a in compress(case.people, case.is_labelled)}
    return dict(
        images=len(case.images),
        images_with_labelled_people=len(images_with_labelled_people),
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

    Args:
        case: the file.
        findings: what was found in it.
    """
    return dict(
        file=case.source.path,
        roles=list(case.source.roles),
        folder=case.source.folder,
        **summary(case),
        findings=[_finding_as_dict(finding, found) for finding, found in findings],
    )


def _finding_as_dict(finding: Finding, found: FoundEntries) -> dict:
    """One finding, of plain values."""
    return dict(
        name=finding.name,
        severity=finding.severity,
        counts=finding.counts,
        count=len(found.entries),
        of=found.of,
        examples=found.examples,
        means=finding.means,
        fix=finding.fix,
    )


def as_text(case: Case, findings: Findings) -> str:
    """The report on one file, for people to read.

    Args:
        case: the file.
        findings: what was found in it.
    """
    roles = ', '.join(case.source.roles)
    title = f'{case.source.path} ({roles})' if roles else case.source.path
    lines = [title, f'  {_summary_as_text(case)}', f'  {looked_at(case)}']
    for finding, found in findings:
        lines.append('')
        lines += _finding_as_lines(finding, found)

    grades = severities(findings)
    lines += ['', f'  {totals(grades)}']
    return '\n'.join(lines)


def _summary_as_text(case: Case) -> str:
    """The counts of a file in one line."""
    text = (
        '{images} images, {images_with_labelled_people} of them with labelled people; {people} people, '
        '{labelled} of them with labelled keypoints, and {crowds} crowds; {keypoints} keypoints'
    )
    return text.format(**summary(case))


def _finding_as_lines(finding: Finding, found: FoundEntries) -> list[str]:
    """One finding: how often, examples, what it means, how it is repaired."""
    lines = [f'  {finding.severity:8}{finding.name}: {len(found.entries)} of {found.of} {finding.counts}']
    if found.examples:
        examples = '; '.join(found.examples)
        lines += indented(f'e.g. {examples}', MARGIN)
    lines += indented(finding.means, MARGIN)
    if finding.fix:
        lines += indented(f'--fix: {finding.fix}.', MARGIN)
    return lines


def looked_at(case: Case) -> str:
    """Whether the files of the images were looked at."""
    if case.looks is None:
        return 'the images were not looked at; --images names their folder'

    looks = case.looks.values()
    present = sum(look.present for look in looks)
    decoded = sum(look.decoded for look in looks)
    unread = sum(look.needs_pillow for look in looks)
    text = f'images in {case.source.folder}: {present} found, {decoded} of them decoded'
    if unread:
        text += f'; {unread} not looked into, their kind takes Pillow (pip install pillow)'
    return text


def totals(counts: Counter) -> str:
    """One line: how many findings of each grade."""
    parts = []
    for grade in SEVERITIES:
        number = counts[grade]
        parts.append(f'{number} {grade}' if number == 1 else f'{number} {grade}s')
    return ', '.join(parts)


def indented(text: str, margin: int) -> list[str]:
    """A text in lines of at most ``WIDTH`` characters.

    Args:
        text: of any length.
        margin: spaces before each line.
    """
    indent = ' ' * margin
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False)


def repairs_text(log: list[Repaired], left: Findings) -> str:
    """What was repaired, one line each, and what is left."""
    repaired = []
    for finding, done in log:
        counts = ', '.join(f'{number} {what}' for what, number in done.items() if number)
        repaired.append(f'  {finding.name}: {counts}')

    remaining = []
    for finding, found in left:
        number = len(found.entries)
        remaining.append(f'  {finding.name} ({finding.severity}): {number} {finding.counts} left as they are')

    nothing = ['  nothing']
    lines = ['repaired:'] + (repaired or nothing) + ['left:'] + (remaining or nothing)
    return '\n'.join(lines)
