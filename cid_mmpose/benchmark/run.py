"""Runs the parts of the benchmark in this process; reads what another one has measured."""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

import torch
from mmpose.utils import register_all_modules

from cid_mmpose.errors import BadInput

from .arguments import ALL, TUNED
from .device import device
from .head import head
from .measure import Row, Timing
from .predict import parts_of_time, predict
from .report import FIELDS, HEADING, line_of, machine, write
from .roialign import roialign
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


def measure(args: argparse.Namespace, tuned: Sequence[Row] = ()) -> list[Row]:
    """Runs the chosen parts in this process and prints each row when it is there."""
    register_all_modules()
    torch.set_num_threads(args.threads)
    about = machine(args.device, args.threads, 'tuned' if set(TUNED) <= set(os.environ) else 'default')
    print(', '.join(f'{name}: {value}' for name, value in about.items()), HEADING, sep='\n')
    other = {row[:3]: row for row in tuned}
    rows = []
    for name in parts_of(args.part):
        for part in STEPS[name]:
            for row in part(args):
                rows.append(row)
                print(line_of(row, other.get(row[:3])), flush=True)
    for path in write(rows, about, args.out):
        print(path)
    return rows


def read_rows(path: Path) -> list[Row]:
    """Rows that ``write`` wrote."""
    rows = []
    for flat in json.loads(path.read_text())['rows']:
        values = {name: None if flat[name] == '' else flat[name] for name in FIELDS}
        pair = [
            Timing(values[name], values[f'{name}_low'], values[f'{name}_high'])
            if values[f'{name}_low'] is not None
            else values[name]
            for name in ('ours', 'mmpose')
        ]
        rows.append(Row(values['part'], values['case'], values['measure'], *pair))
    return rows
