"""Make the folder of COCO 2017 that the configs read from the official downloads (docs/data.md)."""
import argparse

from cid_mmpose.cli.user_errors import user_errors


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('downloads', help='folder with the zip archives, or with the folders unpacked from them')
    parser.add_argument('out', nargs='?', default='data/coco', help='where to (%(default)s)')
    parser.add_argument('--parts', nargs='+', choices=('train', 'val', 'test'), default=('train', 'val'),
                        help='which parts (train val); test is test-dev')
    parser.add_argument('--images', choices=('link', 'copy'), default='link',
                        help='what to do with unpacked folders (%(default)s); archives are extracted')
    parser.add_argument('--allow-partial', action='store_true', help='take less than what is published')
    return parser.parse_args()


if __name__ == '__main__':
    args = parse_args()
    with user_errors():
        from cid_mmpose.data.prepare import prepare_coco
        prepare_coco(args.downloads, args.out, parts=args.parts, images=args.images, allow_partial=args.allow_partial)
