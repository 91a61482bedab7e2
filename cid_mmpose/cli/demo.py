"""Train a small CID on drawn people, evaluate it, and write images of what it sees; no data is needed.

The first iterations are timed: where this machine is too slow for images of 256 px, smaller ones are taken, and the
training is cut to what fits into its time.
"""

import argparse

EXAMPLES = """
  cid demo
  cid demo --quick --work-dir demo-quick"""
NAME = 'cid_hrnet-w16-small_synthcrowd'
SIZES = {256: f'{NAME}.py', 192: f'demo/{NAME}-192.py', 128: f'demo/{NAME}-128.py'}  # px a side, the slowest first


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of the verb."""
    parser.add_argument('--work-dir', default='work_dirs/demo', help='folder for log, checkpoints and images')
    parser.add_argument('--size', type=int, choices=SIZES, help='side of the images in px, instead of what fits')
    parser.add_argument('--quick', action='store_true', help='a few iterations only, to see that everything works')


def run(args: argparse.Namespace) -> None:
    """Trains, evaluates and draws."""
    from cid_mmpose import config_path
    from cid_mmpose.compat import check_versions

    check_versions()
    from cid_mmpose.engine.demo import run_demo

    sizes = [args.size] if args.size else list(SIZES)
    run_demo([config_path(SIZES[size]) for size in sizes], args.work_dir, args.quick)
