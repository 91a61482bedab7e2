"""Time and memory of CID here and in MMPose, side by side in one process, on the same weights."""

import argparse

from cid_mmpose.benchmark.arguments import add_arguments

__all__ = ['EXAMPLES', 'add_arguments', 'run']
EXAMPLES = """
  cid benchmark all --quick
  cid benchmark predict --device cuda --repeats 15"""


def run(args: argparse.Namespace) -> None:
    """Measures."""
    from cid_mmpose.compat import check_versions

    check_versions()
    from cid_mmpose.benchmark.command import benchmark

    benchmark(args)
