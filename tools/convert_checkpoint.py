"""Write a checkpoint of CID in another layout: from the authors', MMPose's or ours to ours or to MMPose 1.x."""
import argparse

from cid_mmpose.cli.arguments import LAYOUTS
from cid_mmpose.cli.user_errors import user_errors


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', help='path or URL of the checkpoint, in any layout')
    parser.add_argument('target', help='path of the file to write')
    parser.add_argument('--to', choices=LAYOUTS, required=True, help="'mmpose' is MMPose 1.x")
    parser.add_argument('--force', action='store_true', help='replace the target if it is already there')
    return parser.parse_args()


if __name__ == '__main__':
    args = parse_args()
    with user_errors():
        from cid_mmpose.weights.convert import convert
        print(convert(args.source, args.target, args.to, args.force))
