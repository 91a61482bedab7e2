"""Write a checkpoint of CID in another layout: from the authors', MMPose's or ours to ours or to MMPose 1.x."""

import argparse

from .arguments import LAYOUTS

EXAMPLES = """
  cid convert authors.pth ours.pth --to ours
  cid convert epoch_140.pth for_mmpose.safetensors --to mmpose"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of the verb."""
    parser.add_argument('source', help='path or URL of the checkpoint, in any layout')
    parser.add_argument('target', help='path of the file to write')
    parser.add_argument('--to', choices=LAYOUTS, required=True, help="'mmpose' is MMPose 1.x")
    parser.add_argument('--force', action='store_true', help='replace the target if it is already there')


def run(args: argparse.Namespace) -> None:
    """Converts."""
    from cid_mmpose.compat import check_versions

    check_versions()
    from cid_mmpose.weights.convert import convert

    print(convert(args.source, args.target, args.to, args.force))
