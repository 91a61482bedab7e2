"""What the benchmark prints and writes: tables, CSV, JSON, and the paper's figure 5 drawn again."""

import csv
import datetime
import json
import platform
from collections.abc import Sequence
from pathlib import Path

import mmpose
import torch
from matplotlib.figure import Figure

from cid_mmpose.compat.precision import CPU_INFO, cpu_has

from .measure import Row, Timing

FIELDS = ('part', 'case', 'measure', 'ours', 'ours_low', 'ours_high', 'mmpose', 'mmpose_low', 'mmpose_high', 'ratio')


def machine(device: torch.device, threads: int, allocator: str) -> dict[str, str]:
    """What the figures depend on.

    Args:
        device: that is measured.
        threads: of the CPU.
        allocator: 'default' or 'tuned'.
    """
    bfloat16 = 'imitated'
    if cpu_has(torch.bfloat16):
        bfloat16 = 'of its own'

    device_name = device.type
    if device.type == 'cuda':
        device_name = torch.cuda.get_device_name(device)

    return dict(
        cpu=cpu_name(),
        bfloat16=bfloat16,
        threads=str(threads),
        device=device_name,
        allocator=allocator,
        torch=torch.__version__,
        mmpose=mmpose.__version__,
        date=datetime.date.today().isoformat(),
    )


def cpu_name() -> str:
    """The model of the CPU as Linux names it, or what Python knows of it."""
    if CPU_INFO.is_file():
        for line in CPU_INFO.read_text().splitlines():
            name, _, value = line.partition(':')
            if name.startswith('model name'):
                return value.strip()
    return platform.processor()


def flat(row: Row) -> dict[str, object]:
    """A row with one value a field of ``FIELDS``; '' for what there is not."""
    values = dict.fromkeys(FIELDS, '')
    values.update(part=row.part, case=row.case, measure=row.measure)
    if row.ratio is not None:
        values['ratio'] = row.ratio

    for name, value in (('ours', row.ours), ('mmpose', row.mmpose)):
        if isinstance(value, Timing):
            values[name] = value.median
            values[f'{name}_low'] = value.low
            values[f'{name}_high'] = value.high
        elif value is not None:
            values[name] = value
    return values


def text_of(value: Timing | float | None) -> str:
    """A number to three figures, with the quartiles of a timing."""
    if value is None:
        return '-'
    if isinstance(value, Timing):
        return f'{value.median:.4g} ({value.low:.3g}-{value.high:.3g})'
    return f'{value:.4g}'


def line_of(row: Row, tuned: Row | None = None) -> str:
    """One printed line; the ratio with the tuned allocator's in brackets where it was measured."""
    ratio = ''
    if row.ratio is not None:
        ratio = f'{row.ratio:.3g}x'
        if tuned is not None and tuned.ratio is not None:
            ratio += f' ({tuned.ratio:.3g}x)'

    ours = text_of(row.ours)
    mmpose = text_of(row.mmpose)
    line = f'{row.part:10} {row.case:48} {row.measure:46} {ours:>24} {mmpose:>24} {ratio:>16}'
    return line.rstrip()


HEADING = f'{"part":10} {"case":48} {"measure":46} {"ours":>24} {"MMPose":>24} {"MMPose / ours":>16}'


def write(rows: Sequence[Row], about: dict[str, str], out: Path) -> list[Path]:
    """Writes ``benchmark.csv``, ``benchmark.json``, and the figures for which there are rows.

    Args:
        rows: all.
        about: of ``machine``.
        out: folder; it is made.

    Returns:
        Paths of the files.
    """
    out.mkdir(parents=True, exist_ok=True)
    table = [flat(row) for row in rows]

    csv_path = out / 'benchmark.csv'
    with open(csv_path, 'w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        writer.writerows(table)

    json_path = out / 'benchmark.json'
    text = json.dumps(dict(machine=about, rows=table), indent=1)
    json_path.write_text(text)

    paths = [csv_path, json_path]
    for draw, name in ((draw_figure_5a, 'figure_5a.png'), (draw_figure_5b, 'figure_5b.png')):
        drawn = draw(rows, out / name)
        if drawn is not None:
            paths.append(drawn)
    return paths


def people_of(row: Row) -> int:
    """N of a case such as '30 people'."""
    return int(row.case.split()[0])


def series_of(rows: Sequence[Row], part: str) -> dict[str, list[Row]]:
    """measure -> its rows in a part of the benchmark, by number of people as measured."""
    series: dict[str, list[Row]] = {}
    for row in rows:
        if row.part == part:
            series.setdefault(row.measure, []).append(row)
    return series


def draw_figure_5a(rows: Sequence[Row], path: Path) -> Path | None:
    """Stacked times of the parts against the number of people, ours left and MMPose's right.

    Args:
        rows: all.
        path: of the image.

    Returns:
        The path; None if there are no rows for it, and then nothing is written.
    """
    series = series_of(rows, 'figure 5a')
    if not series:
        return None

    labels = [name.split(',')[0] for name in series]
    lines = list(series.values())
    counts = [people_of(row) for row in lines[0]]

    figure = Figure(figsize=(10, 4.5), layout='constrained')
    panels = figure.subplots(1, 2, sharey=True)
    for axes, field, title in zip(panels, ('ours', 'mmpose'), ('cid_mmpose', 'MMPose')):
        heights = []  # (parts, counts) ms
        for line in lines:
            heights.append([getattr(row, field) for row in line])
        axes.stackplot(counts, heights, labels=labels)
        axes.set(title=title, xlabel='people')

    panels[0].set_ylabel('ms an image, with flip')
    panels[0].legend(loc='upper left')
    figure.savefig(path)
    return path


def draw_figure_5b(rows: Sequence[Row], path: Path) -> Path | None:
    """Times of features of each person against the number of people; arguments and result as of figure 5a."""
    series = series_of(rows, 'figure 5b')
    if not series:
        return None

    figure = Figure(figsize=(6, 4.5), layout='constrained')
    axes = figure.subplots()
    for name, line in series.items():
        counts = [people_of(row) for row in line]
        times = [row.ours.median for row in line]
        label = name.split(',')[0]
        axes.plot(counts, times, marker='o', label=label)

    axes.set(xlabel='people', ylabel='ms', title='features of each person')
    axes.legend()
    figure.savefig(path)
    return path
