"""The command ``benchmark``: which parts run, and with which allocator."""
import os
import subprocess
import sys
from pathlib import Path
from typing import Optional, Sequence

from cid_mmpose.errors import BadInput

from .arguments import TUNED, parse_args


def measure_tuned(words: Sequence[str], out: Path) -> list:
    """The rows of the same command in a process of its own with the tuned allocator."""
    folder = out / 'tuned'
    command = [sys.executable, '-m', 'cid_mmpose', 'benchmark', *words, '--allocator', 'default', '--out', str(folder)]
    if status := subprocess.run(command, env={**os.environ, **TUNED}).returncode:
        raise SystemExit(status)   # it has said why
    from .run import read_rows
    return read_rows(folder / 'benchmark.json')


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
        from .run import measure
        measure(args, tuned)
