"""Make the folder of COCO 2017 that the configs read from the official downloads (docs/data.md)."""

import argparse

from . import add_images

EXAMPLES = """
  cid prepare coco ~/Downloads/coco data/coco --parts val"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of the data set."""
    parser.add_argument('downloads', help='folder with the zip archives, or with the folders unpacked from them')
    parser.add_argument('out', nargs='?', default='data/coco', help='where to (%(default)s)')
    parser.add_argument(
        '--parts',
        nargs='+',
        choices=('train', 'val', 'test'),
        default=('train', 'val'),
        help='which parts (train val); test is test-dev',
    )
    add_images(parser)


def run(args: argparse.Namespace) -> None:
    """Makes the folder."""
    from cid_mmpose.data.prepare import prepare_coco

    prepare_coco(args.downloads, args.out, parts=args.parts, images=args.images, allow_partial=args.allow_partial)
