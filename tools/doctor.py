"""Examine annotations before they are trained on: what is wrong, how often, and what it does to training or AP.

Exit status: 0 without errors, 1 if the report names errors, 2 if something cannot be read.
"""
import argparse
import sys

from cid_mmpose.cli.arguments import add_cfg_options
from cid_mmpose.cli.user_errors import user_errors


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source', metavar='CONFIG|ANN_FILE', help='a config (.py), or an annotation file (.json)')
    parser.add_argument('--images', metavar='DIR', help='folder with the images of ANN_FILE')
    parser.add_argument('--against', nargs='+', default=[], metavar='DIR|CONFIG',
                        help='images that must not be among them: folders, or the evaluation sets of configs')
    parser.add_argument('--sample', type=int, metavar='N', help='decode N images of each file only')
    parser.add_argument('--fix', metavar='JSON', help='write a repaired copy of ANN_FILE')
    parser.add_argument('--only', nargs='+', default=[], metavar='FINDING', help='repair these findings only')
    parser.add_argument('--json', metavar='JSON', help='write the report to this file')
    parser.add_argument('--plots', metavar='DIR', help='write plots of sizes, crowds and overlap to this folder')
    add_cfg_options(parser)
    return parser.parse_args()


def main(args: argparse.Namespace) -> int:
    """Checks where the results go, then examines."""
    from cid_mmpose.data.doctor import diagnose, images_against, sources_of
    from cid_mmpose.engine.launch import check_file, check_writable, load_config, read_options
    for path in filter(None, (args.fix, args.json)):
        check_file(path)
    if args.plots:
        check_writable(args.plots, '--plots')
    options = read_options(args.cfg_options)
    cfg = load_config(args.source, cfg_options=options) if args.source.endswith('.py') else None
    configs = [load_config(name) for name in args.against if name.endswith('.py')]
    against = images_against([name for name in args.against if not name.endswith('.py')], configs)
    return diagnose(sources_of(args.source, args.images, cfg), against=against, sample=args.sample, fix=args.fix,
                    only=args.only, report=args.json, plots=args.plots)


if __name__ == '__main__':
    args = parse_args()
    with user_errors():
        sys.exit(main(args))
