"""Make the folder of CrowdPose that the configs read from the official downloads (docs/data.md)."""

import argparse

from . import add_images

EXAMPLES = """
  cid prepare crowdpose ~/Downloads/crowdpose data/crowdpose"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of the data set."""
    parser.add_argument('downloads', help='folder with crowdpose_{train,val,test}.json and images.zip, or images/')
    parser.add_argument('out', nargs='?', default='data/crowdpose', help='where to (%(default)s)')
    add_images(parser)


def run(args: argparse.Namespace) -> None:
    """Makes the folder."""
    from cid_mmpose.data.prepare import prepare_crowdpose

    prepare_crowdpose(args.downloads, args.out, images=args.images, allow_partial=args.allow_partial)
