"""Make the folder of CrowdPose that the configs read from the official downloads (docs/data.md)."""
import argparse

from cid_mmpose.cli.user_errors import user_errors


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('downloads', help='folder with crowdpose_{train,val,test}.json and images.zip, or images/')
    parser.add_argument('out', nargs='?', default='data/crowdpose', help='where to (%(default)s)')
    parser.add_argument('--images', choices=('link', 'copy'), default='link',
                        help='what to do with an unpacked folder (%(default)s); an archive is extracted')
    parser.add_argument('--allow-partial', action='store_true', help='take less than what is published')
    return parser.parse_args()


if __name__ == '__main__':
    args = parse_args()
    with user_errors():
        from cid_mmpose.data.prepare import prepare_crowdpose
        prepare_crowdpose(args.downloads, args.out, images=args.images, allow_partial=args.allow_partial)
