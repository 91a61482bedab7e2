"""Train a small CID on drawn people, evaluate it, and write pictures of what it sees; no data is needed."""
import argparse
from pathlib import Path

CONFIG = Path(__file__).resolve().parents[1] / 'configs' / 'cid_hrnet-w16-small_synthcrowd.py'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work-dir', default='work_dirs/demo', help='folder for log, checkpoints and pictures')
    parser.add_argument('--quick', action='store_true', help='a few iterations only, to see that everything works')
    return parser.parse_args()


if __name__ == '__main__':
    args = parse_args()
    from cid_mmpose.apis.demo import run_demo
    from cid_mmpose.apis.launch import user_errors
    with user_errors():
        run_demo(str(CONFIG), args.work_dir, args.quick)
