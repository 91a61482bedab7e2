"""Short trainings on drawn crowds that show what CID's parts are worth, and how it compares; needs a checkout.

Each run leaves a line in experiments/results; docs/evidence.md is written from the lines. A study does the runs that
have none yet. It may be stopped at any time, and several may run at once, on one machine or on several.

Studies: pilot, crowds (table 1 of the paper), channels (table 2), rates (learning rates for methods), pace (seconds an
iteration for methods), methods (ours and MMPose's), options (each rule of the recipes), real (images of COCO), gpu (a
few minutes of one).
"""

import argparse
import sys
from pathlib import Path

from cid_mmpose.errors import BadInput

EXAMPLES = """
  cid study crowds --seed 0
  cid study --list
  cid study methods --only DEKR
  cid study --line experiments/results/crowds.jsonl:3
  cid study --page"""
EXPERIMENTS = Path(__file__).resolve().parents[2] / 'experiments'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of the verb."""
    parser.add_argument('name', nargs='?', metavar='STUDY', help='whose runs are to be done, see above')
    parser.add_argument('--seed', type=int, nargs='+', help='runs of these seeds only')
    parser.add_argument('--only', metavar='PATTERN', help='runs of the rows only in which this is found')
    parser.add_argument('--list', action='store_true', help='what is done, what is left, and how long it will take')
    parser.add_argument('--line', metavar='FILE:N', help='do the run of a line again and compare')
    parser.add_argument('--page', action='store_true', help='write docs/evidence.md from the lines')
    parser.add_argument(
        '--results', type=Path, default=EXPERIMENTS / 'results', help='folder of the lines (experiments/results)'
    )
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/study'), help='folder for logs and weights')


def run(args: argparse.Namespace) -> int | None:
    """Does what was asked."""
    if not (EXPERIMENTS / 'study').is_dir():
        raise BadInput('cid study: its code is not in the wheel; clone the repository, and run it there')
    from cid_mmpose.compat import check_versions

    check_versions()
    sys.path.insert(0, str(EXPERIMENTS))
    from study.command import study

    return study(args)
