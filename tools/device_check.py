"""Check a GPU in one command and write one report: tests, training in each precision, compile, memory, benchmark."""

import argparse
import sys
from pathlib import Path

from cid_mmpose.cli.user_errors import user_errors


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--device',
        choices=('cuda', 'cpu'),
        default='cuda',
        help='cpu tries the check itself where there is no GPU; that takes longer',
    )
    parser.add_argument('--minutes', type=float, default=9.5, help='steps that do not fit are left out (9.5)')
    parser.add_argument('--out', type=Path, default=Path('work_dirs/device_check'), help='folder for report.md')
    return parser.parse_args()


def main(args: argparse.Namespace) -> int:
    """Runs the check; the exit status says whether all of it passed."""
    import torch

    from cid_mmpose.benchmark.device_check import report_of, run, steps_for

    if args.device == 'cuda' and not torch.cuda.is_available():
        print(f'skipped: torch {torch.__version__} finds no CUDA device here; --device cpu tries the check itself')
        return 0
    args.out.mkdir(parents=True, exist_ok=True)
    root = Path(__file__).resolve().parents[1]
    outcomes = run(steps_for(args.device, root, args.out), args.minutes)
    report = args.out / 'report.md'
    report.write_text(report_of(outcomes, args.device), encoding='utf-8')
    print(report)
    return 0 if all(outcome.result == 'passed' for outcome in outcomes) else 1


if __name__ == '__main__':
    args = parse_args()
    with user_errors():
        sys.exit(main(args))
