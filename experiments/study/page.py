"""docs/evidence.md: tables, plots and sentences, all made from the lines of the runs."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from cid_mmpose.files import write_whole

from .answers import answers
from .claims import CLAIMS, NOT_RUN, OF_CODE, OF_PAPER, sentence
from .lines import PACE, REPEATS, read, read_file
from .plans import STUDIES
from .plots import BARS, write_plots
from .rules import what_to_check
from .summary import COLUMNS, by_row, hours, value, values_of
from .symptoms import symptoms
from .texts import ABOUT, INTRODUCTION, SETTING

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs' / 'evidence.md'


def write_page(results: Path, page: Path = PAGE) -> Path:
    """Writes the page and its plots.

    Args:
        results: folder of the lines.
        page: where to write; plots go into ``images`` beside it.
    """
    lines = read(results)
    repeats = read_file(results / f'{REPEATS}.jsonl')
    plots = write_plots(lines, page.parent / 'images')
    write_whole(page, text(lines, repeats, plots).encode())
    return page


def text(lines: Sequence[dict], repeats: Sequence[dict], plots: dict[str, str]) -> str:
    """The page.

    Args:
        lines: of the runs.
        repeats: of runs that were done again from their line.
        plots: study -> file beside the page; those that have one.
    """
    sections = [INTRODUCTION, answers(lines), SETTING]
    for name, study in STUDIES.items():
        rows = by_row(study.plan(lines), lines)
        sections.append(f'## {study.title}\n\n`cid study {name}`. {ABOUT[name]}\n')
        sections.append(table(rows))
        if name == 'crowds':
            sections.append(insides(rows))
        if name == 'methods':
            sections.append(durations(rows))
        if name == 'gpu':
            sections.append(speeds(rows))
        sections.append(claims_of(name, rows))
        if name == 'options':
            sections.append(what_to_check(rows))
        if name in plots:
            sections.append(f'![{study.title}: {BARS[name]}]({plots[name]})\n\n*{BARS[name]}*\n')
        if name == 'options':
            sections.append(symptoms(lines))
    sections += [pace_of(lines), repeated(lines, repeats), machines(lines)]
    return '\n'.join(section for section in sections if section)


def table(rows: dict[str, list[dict]]) -> str:
    """A table with a row for each row of a study; those without runs say so.

    Args:
        rows: row -> lines.
    """
    written = ['| | ' + ' | '.join(COLUMNS) + ' | runs |', '|---' * (len(COLUMNS) + 2) + '|']
    for row, lines in rows.items():
        if lines:
            values = [values_of(lines, name, place) for name, place in COLUMNS.values()]
            cells = ['' if value is None else str(value) for value in values] + [str(len(lines))]
        else:
            cells = [NOT_RUN] + [''] * len(COLUMNS)
        written.append(f'| {row} | ' + ' | '.join(cells) + ' |')
    return '\n'.join(written) + '\n'


def insides(rows: dict[str, list[dict]]) -> str:
    """A table of masks and vectors (``inside``); '' without runs."""
    written = ['| | cells of masks not saturated, %, of each run | cosine of two people, % |', '|---' * 3 + '|']
    for row, lines in rows.items():
        looks = [line['inside'] for line in lines if line.get('inside')]
        if not looks:
            continue
        masks = ' / '.join(f'{look["undecided"]:.0f}' for look in looks if 'undecided' in look)
        cosines = [look['alike'] for look in looks if 'alike' in look]
        written.append(f'| {row} | {masks} | {value(cosines) if cosines else ""} |')
    if len(written) == 2:
        return ''
    return '\n'.join([*written, '\nNot saturated: between 0.01 and 0.99, where the sigmoid has a slope.\n'])


def durations(rows: dict[str, list[dict]]) -> str:
    """A table of the size of each row's network and the CPU time of its trainings on each kind of machine; '' without.

    Args:
        rows: row -> lines.
    """
    kinds = sorted({line['machine'] for lines in rows.values() for line in lines})
    if not kinds:
        return ''
    written = ['| | parameters | iterations | ' + ' | '.join(f'seconds on {kind}' for kind in kinds) + ' |']
    written.append('|---' * (len(kinds) + 3) + '|')
    for row, lines in rows.items():
        if lines:
            cells = []
            for kind in kinds:
                seconds = [line['cpu_seconds'] for line in lines if line['machine'] == kind]
                cells.append(f'{fmean(seconds):.0f}' if seconds else '')
            sizes = f'{lines[0]["parameters"] / 1e6:.2f} million | {lines[0]["iterations"]}'
            written.append(f'| {row} | {sizes} | ' + ' | '.join(cells) + ' |')
    return '\n'.join([*written, '\nCPU time of the training process, the mean of the runs.\n'])


def speeds(rows: dict[str, list[dict]]) -> str:
    """A table with what the runs of each row came to in their time; '' without runs.

    Args:
        rows: row -> lines, of which the first counts.
    """
    written = ['| | minutes | iterations | images/s | waiting for images, % | GPU memory, MiB |', '|---' * 6 + '|']
    for row, lines in rows.items():
        for line in lines[:1]:
            found = line['speed']
            written.append(
                f'| {row} | {line["seconds"] / 60:.1f} | {line["iterations"]} | {found["images_per_second"]:.0f} | '
                f'{100 * found["waiting"]:.0f} | {found.get("peak_mib", "")} |'
            )
    return '\n'.join(written) + '\n' if len(written) > 2 else ''


def claims_of(study: str, rows: dict[str, list[dict]]) -> str:
    """A list item for each claim that a study is about, the paper's before ours; '' without."""
    written = []
    for whose in (OF_PAPER, OF_CODE):
        items = [f'- {sentence(claim, rows)}' for claim in CLAIMS if (claim.study, claim.whose) == (study, whose)]
        if items:
            written += [f'{whose}:\n', *items, '']
    return '\n'.join(written)


def pace_of(lines: Sequence[dict]) -> str:
    """Seconds an iteration of each method."""
    measured = [line for line in lines if line['study'] == PACE]
    title = '## Time of an iteration\n\n`cid study pace`, drawing of the images included, one thread.\n'
    if not measured:
        return f'{title}\n*{NOT_RUN}*\n'
    line = measured[0]
    rows = '\n'.join(f'| {method} | {seconds:.3f} |' for method, seconds in line['pace'].items())
    return f'{title}\n| | seconds |\n|---|---|\n{rows}\n\non {line["machine"]}, {line["date"]}\n'


def repeated(lines: Sequence[dict], repeats: Sequence[dict]) -> str:
    """Runs that were done again from their line, with both APs."""
    title = '## Runs done again from their line\n\n`cid study --line FILE:N`\n'
    first = {line['key']: line for line in lines}
    rows = []
    for again in repeats:
        before = first.get(again['key'])
        if before:
            rows += [_repeat(before, 'first'), _repeat(again, 'again')]
    if not rows:
        return f'{title}\n*{NOT_RUN}*\n'
    return '\n'.join([title, '| | | AP | iterations | machine | commit |', '|---' * 6 + '|', *rows, ''])


def _repeat(line: dict, which: str) -> str:
    """The row of a run that was done twice."""
    ap = f'{line["bins"]["all"]["ap"]:.1f}'
    cells = [f'{line["row"]}, seed {line["seed"]}', which, ap, str(line['iterations'])]
    return '| ' + ' | '.join([*cells, line['machine'], f'`{line["commit"]}`']) + ' |'


def machines(lines: Sequence[dict]) -> str:
    """How long all of it took, and on what."""
    runs = [line for line in lines if line['study'] != PACE]
    title = '## Time and machines\n'
    if not runs:
        return f'{title}\n*{NOT_RUN}*\n'
    written = [
        title,
        f'{len(runs)} runs took {hours(runs, "all_seconds"):.1f} hours by the clock, testing included; the processes '
        f'that train computed for {hours(runs, "cpu_seconds"):.1f} hours. Two ran at once on most machines, some '
        'beside other programs. Runs of earlier settings, whose lines are not here, are not counted.\n',
        '| machine | runs | hours | CPU hours | torch | days | commits |',
        '|---' * 7 + '|',
    ]
    for machine in sorted({line['machine'] for line in runs}):
        of_machine = [line for line in runs if line['machine'] == machine]
        times = [f'{hours(of_machine, kind):.1f}' for kind in ('all_seconds', 'cpu_seconds')]
        days = sorted({line['date'] for line in of_machine})
        cells = [
            machine,
            str(len(of_machine)),
            *times,
            _each(of_machine, 'torch'),
            ' to '.join(dict.fromkeys((days[0], days[-1]))),
        ]
        written.append('| ' + ' | '.join([*cells, _each(of_machine, 'commit')]) + ' |')
    return '\n'.join(written) + '\n'


def _each(lines: Sequence[dict], field: str) -> str:
    """The different values of a field, in the order of the lines."""
    return ', '.join(f'`{value}`' for value in dict.fromkeys(line[field] for line in lines))
