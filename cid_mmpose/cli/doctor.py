"""Examine annotations before they are trained on: what is wrong, how often, and what it does to training or AP.

Exit status: 0 without errors, 1 if the report names errors, 2 if something cannot be read.
"""

import argparse

from .arguments import add_cfg_options

EXAMPLES = """
  cid doctor annotations.json --images pictures
  cid doctor annotations.json --fix repaired.json
  cid doctor configs/cid_hrnet-w32_coco.py --against data/crowdpose/images"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of the verb."""
    parser.add_argument('source', metavar='CONFIG|ANN_FILE', help='a config (.py), or an annotation file (.json)')
    parser.add_argument('--images', metavar='DIR', help='folder with the images of ANN_FILE')
    parser.add_argument(
        '--against',
        nargs='+',
        default=[],
        metavar='DIR|CONFIG',
        help='images that must not be among them: folders, or the evaluation sets of configs',
    )
    parser.add_argument('--sample', type=int, metavar='N', help='decode N images of each file only')
    parser.add_argument('--fix', metavar='JSON', help='write a repaired copy of ANN_FILE')
    parser.add_argument('--only', nargs='+', default=[], metavar='FINDING', help='repair these findings only')
    parser.add_argument('--json', metavar='JSON', help='write the report to this file')
    parser.add_argument('--plots', metavar='DIR', help='write plots of sizes, crowds and overlap to this folder')
    add_cfg_options(parser)


def run(args: argparse.Namespace) -> int:
    """Checks where the results go, then examines."""
    from cid_mmpose.data.doctor import diagnose, images_against, sources_of
    from cid_mmpose.files import check_file, check_writable

    configs = [name for name in args.against if name.endswith('.py')]
    folders = [name for name in args.against if not name.endswith('.py')]
    is_config = args.source.endswith('.py')
    if is_config or configs or args.plots:  # an annotation file alone needs nothing of the stack
        from cid_mmpose.compat import check_versions

        check_versions()
    for path in (args.fix, args.json):
        if path:
            check_file(path)
    if args.plots:
        check_writable(args.plots, '--plots')

    cfg = None
    if is_config:
        from cid_mmpose.engine.launch import load_config, read_options

        cfg = load_config(args.source, cfg_options=read_options(args.cfg_options))
    apart = []
    if configs:
        from cid_mmpose.engine.launch import load_config

        apart = [load_config(name) for name in configs]
    return diagnose(
        sources_of(args.source, args.images, cfg),
        against=images_against(folders, apart),
        sample=args.sample,
        fix=args.fix,
        only=args.only,
        report=args.json,
        plots=args.plots,
    )
