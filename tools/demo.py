"""Train a small CID on drawn people, evaluate it, and write images of what it sees; no data is needed.

The first iterations are timed: where this machine is too slow for images of 256 px, smaller ones are taken, and the
training is cut to what fits into its time.
"""
import argparse
from pathlib import Path

from cid_mmpose.cli.user_errors import user_errors

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
NAME = 'cid_hrnet-w16-small_synthcrowd'
SIZES = {   # side of the images in px -> config, the one that takes longest first
    256: CONFIGS / f'{NAME}.py',
    192: CONFIGS / 'demo' / f'{NAME}-192.py',
    128: CONFIGS / 'demo' / f'{NAME}-128.py',
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--work-dir', default='work_dirs/demo', help='folder for log, checkpoints and images')
    parser.add_argument('--size', type=int, choices=SIZES, help='side of the images in px, instead of what fits')
    parser.add_argument('--quick', action='store_true', help='a few iterations only, to see that everything works')
    return parser.parse_args()


if __name__ == '__main__':
    args = parse_args()
    sizes = [args.size] if args.size else list(SIZES)
    with user_errors():
        from cid_mmpose.engine.demo import run_demo
        run_demo([str(SIZES[size]) for size in sizes], args.work_dir, args.quick)
