"""The command ``benchmark``: which parts run, and with which allocator."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from cid_mmpose.errors import BadInput

from .arguments import TUNED, settle


def measure_tuned(words: Sequence[str], out: Path) -> list:
    """Runs the same command in a process of its own with the tuned allocator.

    Args:
        words: of the command line behind 'benchmark'.
        out: folder of the results.

    Returns:
        The rows that it measured.

    Raises:
        SystemExit: the process failed; it has said why.
    """
    folder = out / 'tuned'
    command = [sys.executable, '-m', 'cid_mmpose', 'benchmark']
    command += words
    command += ['--allocator', 'default', '--out', str(folder)]
    environment = dict(os.environ, **TUNED)

    status = subprocess.run(command, env=environment).returncode
    if status:
        raise SystemExit(status)

    from .run import read_rows

    return read_rows(folder / 'benchmark.json')


def benchmark(args: argparse.Namespace) -> None:
    """Measures what the arguments ask for.

    Args:
        args: of ``add_arguments``, and ``words``, those of the command line behind 'benchmark'.

    Raises:
        BadInput: an argument is wrong, or the folder of the results cannot be written to.
    """
    settle(args)
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f'--out: {args.out} cannot be made ({error.strerror}); give another folder') from error

    if not os.access(args.out, os.W_OK):
        raise BadInput(f'--out: nothing can be written to {args.out}; give another folder')

    tuned = []
    if args.allocator != 'default':
        tuned = measure_tuned(args.words, args.out)
    if args.allocator != 'tuned':
        from .run import measure

        measure(args, tuned)
