"""The command ``benchmark``: which parts run, and with which allocator."""
import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import List, Optional, Sequence

import torch
from mmpose.utils import register_all_modules

from cid_mmpose.errors import BadInput

from .device import device
from .head import head
from .measure import Row, Timing
from .predict import parts_of_time, predict
from .report import FIELDS, HEADING, line_of, machine, write
from .roialign import roialign
from .table3 import table3
from .targets import targets
from .train import train

PARTS = dict(targets=[targets], head=[head], predict=[predict, parts_of_time], train=[train], roialign=[roialign],
             table3=[table3], device=[device])
ALL = [part for part in PARTS if part != 'device']  # which is about the device alone and has no peer
# glibc then keeps large blocks; by default it gives them back after each operation and faults them in again
TUNED = dict(MALLOC_MMAP_THRESHOLD_='8000000000', MALLOC_TRIM_THRESHOLD_='16000000000')
COUNTS, QUICK_COUNTS = (1, 10, 30, 50, 100), (1, 30)  # people
ALLOCATORS = ('default', 'tuned', 'both')


def parse_args(words: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog='python -m cid_mmpose benchmark',
        description="Time and memory of CID here and in MMPose, side by side in one process, on the same weights.")
    parser.add_argument('part', choices=[*PARTS, 'all'], help='what to measure')
    parser.add_argument('--quick', action='store_true',
                        help='few repeats and crowds, nothing compiled, no DEKR: under 5 minutes on 2 cores')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--threads', type=int, default=torch.get_num_threads(), help='of the CPU')
    parser.add_argument('--repeats', type=int, help='rounds; 7, or 3 with --quick')
    parser.add_argument('--checkpoint', help='weights of CID-W32, for predict alone; random ones by default')
    parser.add_argument('--curves', action='store_true', help='train: 300 iterations in float32 and in bfloat16 too')
    parser.add_argument('--allocator', choices=ALLOCATORS,
                        help="glibc's: as it is, told to keep large blocks, or a process with each; 'both' for all")
    parser.add_argument('--out', type=Path, default=Path('work_dirs/benchmark'), help='folder for tables and figures')
    args = parser.parse_args(words)
    args.counts = QUICK_COUNTS if args.quick else COUNTS
    args.repeats = (3 if args.quick else 7) if args.repeats is None else args.repeats
    args.allocator = args.allocator or ('both' if args.part == 'all' and not args.quick else 'default')
    if args.threads < 1 or args.repeats < 1:
        parser.error('--threads and --repeats must be at least 1')
    for option, part in dict(checkpoint='predict', curves='train').items():
        if getattr(args, option) and args.part not in (part, 'all'):
            parser.error(f'--{option} is for {part} and all, not for {args.part}')
    if args.out.exists() and not args.out.is_dir():
        parser.error(f'--out: {args.out} is a file; give a folder')
    if args.device.split(':')[0] not in ('cpu', 'cuda') or (args.device != 'cpu' and not torch.cuda.is_available()):
        parser.error(f'--device: there is no {args.device!r} here; cpu and, with a GPU, cuda can be measured')
    args.device = torch.device(args.device)
    return args


def measure(args: argparse.Namespace, tuned: Sequence[Row] = ()) -> List[Row]:
    """Runs the chosen parts in this process and prints each row when it is there."""
    register_all_modules()
    torch.set_num_threads(args.threads)
    about = machine(args.device, args.threads, 'tuned' if set(TUNED) <= set(os.environ) else 'default')
    print(', '.join(f'{name}: {value}' for name, value in about.items()), HEADING, sep='\n')
    other = {row[:3]: row for row in tuned}
    rows = []
    for name in ALL if args.part == 'all' else [args.part]:
        for part in PARTS[name]:
            for row in part(args):
                rows.append(row)
                print(line_of(row, other.get(row[:3])), flush=True)
    for path in write(rows, about, args.out):
        print(path)
    return rows


def measure_tuned(words: Sequence[str], out: Path) -> List[Row]:
    """The rows of the same command in a process of its own with the tuned allocator."""
    folder = out / 'tuned'
    command = [sys.executable, '-m', 'cid_mmpose', 'benchmark', *words, '--allocator', 'default', '--out', str(folder)]
    if status := subprocess.run(command, env={**os.environ, **TUNED}).returncode:
        raise SystemExit(status)   # it has said why
    return read_rows(folder / 'benchmark.json')


def read_rows(path: Path) -> List[Row]:
    """Rows that ``write`` wrote."""
    rows = []
    for flat in json.loads(path.read_text())['rows']:
        values = {name: None if flat[name] == '' else flat[name] for name in FIELDS}
        pair = [Timing(values[name], values[f'{name}_low'], values[f'{name}_high'])
                if values[f'{name}_low'] is not None else values[name] for name in ('ours', 'mmpose')]
        rows.append(Row(values['part'], values['case'], values['measure'], *pair))
    return rows


def main(words: Optional[Sequence[str]] = None) -> None:
    """``words`` as on the command line, behind 'benchmark'."""
    words = list(sys.argv[1:] if words is None else words)
    args = parse_args(words)
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f'--out: {args.out} cannot be made ({error.strerror}); give another folder') from error
    if not os.access(args.out, os.W_OK):
        raise BadInput(f'--out: nothing can be written to {args.out}; give another folder')
    tuned = [] if args.allocator == 'default' else measure_tuned(words, args.out)
    if args.allocator != 'tuned':
        measure(args, tuned)
