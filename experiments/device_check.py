"""Check a GPU in one command and write one report: tests, training in each precision, compile, memory, benchmark.

    .venv/bin/python experiments/device_check.py

Each step runs in a process of its own, so that one that fails does not stop the others.
"""

import argparse
import datetime
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cid_mmpose.cli.user_errors import user_errors

ROOT = Path(__file__).resolve().parents[1]
DEMO = 'cid_hrnet-w16-small_synthcrowd.py'
DEMO_ITERATIONS = 24
NOT_RUN = 'not run: the time was up'
LINES = 60  # of each step's output that the report keeps, the last ones


class Step(NamedTuple):
    """One part of the check."""

    name: str
    words: list[str]  # behind the interpreter
    seconds: float  # it may take


class Outcome(NamedTuple):
    """What became of a step."""

    step: Step
    result: str  # 'passed', or what went wrong
    seconds: float
    output: str


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        '--device',
        choices=('cuda', 'cpu'),
        default='cuda',
        help='cpu tries the check itself where there is no GPU; that takes longer',
    )
    parser.add_argument('--minutes', type=float, default=9.5, help='steps that do not fit are left out (9.5)')
    parser.add_argument('--out', type=Path, default=Path('work_dirs/device_check'), help='folder for report.md')
    return parser.parse_args()


def steps_for(device: str, root: Path, out: Path) -> list[Step]:
    """The parts of the check, the most telling first.

    Args:
        device: 'cuda', or 'cpu' to try the check itself.
        root: folder of the repository.
        out: folder for what the steps write.
    """
    tests = ['-m', 'pytest', '-q', str(root / 'tests' / 'test_device.py'), '--device', device]
    alone = benchmark_words('device', device, out / 'device')
    demo = [
        str(root / 'tools' / 'train.py'),
        str(root / 'configs' / DEMO),
        '--work-dir',
        str(out / 'demo'),
        '--cfg-options',
        f'train_cfg.max_iters={DEMO_ITERATIONS}',
        'val_dataloader.dataset.length=16',
        'default_hooks.logger.interval=4',
    ]
    beside_mmpose = benchmark_words('all', device, out / 'benchmark')
    return [
        Step('targets, losses, chunks and models as on the CPU', tests, 150),
        Step('training in each precision, compiled testing, memory of a crowd', alone, 210),
        Step(f'{DEMO_ITERATIONS} iterations of the demo', demo, 60),
        Step('beside MMPose', beside_mmpose, 240),
    ]


def benchmark_words(part: str, device: str, out: Path) -> list[str]:
    """The words behind the interpreter that run a part of the benchmark."""
    return ['-m', 'cid_mmpose', 'benchmark', part, '--quick', '--device', device, '--out', str(out)]


def run(steps: Sequence[Step], minutes: float) -> list[Outcome]:
    """Runs the steps within ``minutes`` in all; what fails does not keep the others from running."""
    end = time.monotonic() + 60 * minutes
    outcomes = []
    for step in steps:
        print(f'== {step.name}', flush=True)

        left = end - time.monotonic()
        if left > 0:
            outcome = run_step(step, min(left, step.seconds))
        else:
            outcome = Outcome(step, NOT_RUN, 0, '')

        print(f'{outcome.result} ({outcome.seconds:.0f} s)', flush=True)
        outcomes.append(outcome)
    return outcomes


def run_step(step: Step, seconds: float) -> Outcome:
    """Runs one step for at most ``seconds``; its output is shown as it comes and kept."""
    start = time.monotonic()
    command = [sys.executable] + step.words
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        output, _ = process.communicate(timeout=seconds)
        result = 'passed'
        if process.returncode != 0:
            result = f'FAILED with status {process.returncode}'
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        result = f'stopped after {seconds:.0f} s'
    taken = time.monotonic() - start

    text = output.decode(errors='replace')
    print(text, flush=True)
    return Outcome(step, result, taken, text)


def report_of(outcomes: Sequence[Outcome], device: str) -> str:
    """The report as Markdown: the machine, a table of the steps, and what each of them printed."""
    today = datetime.date.today().isoformat()
    lines = [f'# Check of {device}, {today}', '']
    lines += machine_lines(device)

    lines += ['', '| step | result | seconds |', '|---|---|---|']
    for outcome in outcomes:
        lines.append(f'| {outcome.step.name} | {outcome.result} | {outcome.seconds:.0f} |')

    for outcome in outcomes:
        command = ' '.join(['python'] + outcome.step.words)
        shown = outcome.output.rstrip().splitlines()
        lines += ['', f'## {outcome.step.name}', '', f'`{command}`', '', '```']
        lines += shown[-LINES:]
        lines.append('```')
    return '\n'.join(lines) + '\n'


def machine_lines(device: str) -> list[str]:
    """What the figures depend on, a list item each."""
    import torch

    lines = [f'- {platform.platform()}, Python {platform.python_version()}, torch {torch.__version__}']
    if device == 'cuda':
        about = torch.cuda.get_device_properties(0)
        lines.append(
            f'- {about.name}, {about.total_memory / 2**30:.0f} GiB, compute {about.major}.{about.minor}, '
            f'CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}'
        )
    return lines


def main(args: argparse.Namespace) -> int:
    """Runs the check; the exit status says whether all of it passed."""
    import torch

    if args.device == 'cuda' and not torch.cuda.is_available():
        print(f'skipped: torch {torch.__version__} finds no CUDA device here; --device cpu tries the check itself')
        return 0
    args.out.mkdir(parents=True, exist_ok=True)
    outcomes = run(steps_for(args.device, ROOT, args.out), args.minutes)
    report = args.out / 'report.md'
    report.write_text(report_of(outcomes, args.device), encoding='utf-8')
    print(report)
    passed = all(outcome.result == 'passed' for outcome in outcomes)
    return 0 if passed else 1


if __name__ == '__main__':
    args = parse_args()
    with user_errors():
        sys.exit(main(args))
