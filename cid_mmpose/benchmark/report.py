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
    """What the figures depend on."""
    lines = CPU_INFO.read_text().splitlines() if CPU_INFO.is_file() else []
    cpu = next((line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')), platform.processor())
    return dict(
        cpu=cpu,
        bfloat16='of its own' if cpu_has(torch.bfloat16) else 'imitated',
        threads=str(threads),
        device=torch.cuda.get_device_name(device) if device.type == 'cuda' else device.type,
        allocator=allocator,
        torch=torch.__version__,
        mmpose=mmpose.__version__,
        date=datetime.date.today().isoformat(),
    )


def flat(row: Row) -> dict[str, object]:
    """A row with one value a field of ``FIELDS``; '' for what there is not."""
    values = dict(part=row.part, case=row.case, measure=row.measure, ratio=row.ratio)
    for name, value in (('ours', row.ours), ('mmpose', row.mmpose)):
        timing = value if isinstance(value, Timing) else Timing(value, None, None)
        values.update({name: timing.median, f'{name}_low': timing.low, f'{name}_high': timing.high})
    return {field: '' if values[field] is None else values[field] for field in FIELDS}


def text_of(value) -> str:
    """A number to three figures, with the quartiles of a timing."""
    if value is None:
        return '-'
    if isinstance(value, Timing):
        return f'{value.median:.4g} ({value.low:.3g}-{value.high:.3g})'
    return f'{value:.4g}'


def line_of(row: Row, tuned: Row | None = None) -> str:
    """One printed line; the ratio with the tuned allocator's in brackets where it was measured."""
    ratio = '' if row.ratio is None else f'{row.ratio:.3g}x'
    if tuned is not None and tuned.ratio is not None and ratio:
        ratio += f' ({tuned.ratio:.3g}x)'
    return (
        f'{row.part:10} {row.case:48} {row.measure:46} {text_of(row.ours):>24} {text_of(row.mmpose):>24} {ratio:>16}'
    ).rstrip()


HEADING = f'{"part":10} {"case":48} {"measure":46} {"ours":>24} {"MMPose":>24} {"MMPose / ours":>16}'


def write(rows: Sequence[Row], about: dict[str, str], out: Path) -> list[Path]:
    """``benchmark.csv``, ``benchmark.json``, and the figures for which there are rows; their paths."""
    out.mkdir(parents=True, exist_ok=True)
    table = [flat(row) for row in rows]
    with open(out / 'benchmark.csv', 'w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        writer.writerows(table)
    (out / 'benchmark.json').write_text(json.dumps(dict(machine=about, rows=table), indent=1))
    drawn = [draw_figure_5a(rows, out / 'figure_5a.png'), draw_figure_5b(rows, out / 'figure_5b.png')]
    return [out / 'benchmark.csv', out / 'benchmark.json', *(path for path in drawn if path)]


def people_of(row: Row) -> int:
    """N of a case such as '30 people'."""
    return int(row.case.split()[0])


def draw_figure_5a(rows: Sequence[Row], path: Path) -> Path | None:
    """Stacked times of the parts against the number of people, ours left and MMPose's right."""
    chosen = [row for row in rows if row.part == 'figure 5a']
    if not chosen:
        return None
    figure = Figure(figsize=(10, 4.5), layout='constrained')
    panels = figure.subplots(1, 2, sharey=True)
    counts = sorted({people_of(row) for row in chosen})
    names = list(dict.fromkeys(row.measure for row in chosen))
    for axes, field, title in zip(panels, ('ours', 'mmpose'), ('cid_mmpose', 'MMPose')):
        heights = [[getattr(row, field) for row in chosen if row.measure == name] for name in names]
        axes.stackplot(counts, heights, labels=[name.split(',')[0] for name in names])
        axes.set(title=title, xlabel='people')
    panels[0].set_ylabel('ms an image, with flip')
    panels[0].legend(loc='upper left')
    figure.savefig(path)
    return path


def draw_figure_5b(rows: Sequence[Row], path: Path) -> Path | None:
    """Times of features of each person against the number of people."""
    chosen = [row for row in rows if row.part == 'figure 5b']
    if not chosen:
        return None
    figure = Figure(figsize=(6, 4.5), layout='constrained')
    axes = figure.subplots()
    for name in dict.fromkeys(row.measure for row in chosen):
        points = [(people_of(row), row.ours.median) for row in chosen if row.measure == name]
        axes.plot(*zip(*points), marker='o', label=name.split(',')[0])
    axes.set(xlabel='people', ylabel='ms', title='features of each person')
    axes.legend()
    figure.savefig(path)
    return path
