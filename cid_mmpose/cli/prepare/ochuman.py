"""Make the folder of OCHuman that the configs read from the official downloads (docs/data.md)."""

import argparse

from . import add_images

EXAMPLES = """
  cid prepare ochuman ~/Downloads/ochuman data/ochuman --max-iou 0.5 0.75"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of the data set."""
    parser.add_argument('downloads', help='folder with the annotation files and images.zip, or images/')
    parser.add_argument('out', nargs='?', default='data/ochuman', help='where to (%(default)s)')
    parser.add_argument(
        '--max-iou',
        nargs=2,
        type=float,
        default=(0.0, 1.0),
        metavar=('LOW', 'HIGH'),
        help="people whose box overlaps another one's that much (0 1); needs ochuman.json",
    )
    add_images(parser)


def run(args: argparse.Namespace) -> None:
    """Makes the folder."""
    from cid_mmpose.data.prepare import prepare_ochuman

    prepare_ochuman(
        args.downloads, args.out, max_iou=tuple(args.max_iou), images=args.images, allow_partial=args.allow_partial
    )
