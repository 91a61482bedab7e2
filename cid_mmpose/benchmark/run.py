"""Runs the parts of the benchmark in this process; reads what another one has measured."""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmpose.utils import register_all_modules

from cid_mmpose.errors import BadInput

from .arguments import ALL, TUNED
from .device import device
from .head import head
from .inference import inference
from .measure import Row, Timing
from .predict import parts_of_time, predict
from .report import HEADING, line_of, machine, write
from .roialign import roialign
from .runtimes import runtimes
from .table3 import FlopCounterMode, table3
from .targets import targets
from .train import train

STEPS = dict(
    targets=[targets],
    head=[head],
    predict=[predict, parts_of_time],
    train=[train],
    roialign=[roialign],
    table3=[table3],
    inference=[inference],
    runtimes=[runtimes],
    device=[device],
)


def parts_of(name: str) -> Sequence[str]:
    """The parts that ``all`` stands for, as far as this torch can measure them, or the one named.

    Raises:
        BadInput: it is ``table3`` alone, and this torch does not count operations (2.0).
    """
    counts = FlopCounterMode is not None
    reason = f'torch {torch.__version__} does not count operations, 2.1 and newer do'
    if name == 'table3' and not counts:
        raise BadInput(f'table3: {reason}; measure another part, or update torch')
    if name != 'all':
        return [name]
    if counts:
        return ALL
    print(f'table3 is left out: {reason}')
    return [part for part in ALL if part != 'table3']


class Key(NamedTuple):
    """What tells rows apart."""

    part: str
    case: str
    measure: str


def key_of(row: Row) -> Key:
    """That of a row."""
    return Key(row.part, row.case, row.measure)


def measure(args: argparse.Namespace, tuned: Sequence[Row] = ()) -> list[Row]:
    """Runs the chosen parts in this process and prints each row when it is there.

    Args:
        args: settled.
        tuned: rows of the same parts with the tuned allocator, whose ratios stand in brackets.

    Returns:
        All rows; they are written, too.
    """
    register_all_modules()
    torch.set_num_threads(args.threads)

    allocator = 'default'
    if set(TUNED) <= set(os.environ):
        allocator = 'tuned'
    about = machine(args.device, args.threads, allocator)
    print(', '.join(f'{name}: {value}' for name, value in about.items()))
    print(HEADING)

    tuned_rows = {key_of(row): row for row in tuned}
    rows = []
    for name in parts_of(args.part):
        for part in STEPS[name]:
            for row in part(args):
                rows.append(row)
                line = line_of(row, tuned_rows.get(key_of(row)))
                print(line, flush=True)

    for path in write(rows, about, args.out):
        print(path)
    return rows


def read_rows(path: Path) -> list[Row]:
    """Rows that ``write`` wrote."""
    written = json.loads(path.read_text())
    rows = []
    for fields in written['rows']:
        ours = value_of(fields, 'ours')
        mmpose = value_of(fields, 'mmpose')
        rows.append(Row(fields['part'], fields['case'], fields['measure'], ours, mmpose))
    return rows


def value_of(fields: dict[str, Any], name: str) -> Timing | float | str | None:
    """One program's value of a row that ``report.flat`` made; '' stands for what there is not.

    Args:
        fields: of the row.
        name: 'ours' or 'mmpose'.
    """
    value = fields[name]
    low = fields[f'{name}_low']
    if value == '':
        return None
    if low == '':
        return value
    return Timing(value, low, fields[f'{name}_high'])
