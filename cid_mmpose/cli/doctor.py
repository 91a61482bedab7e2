"""Examine annotations before they are trained on: what is wrong, how often, and what it does to training or AP.

With --make-config it also writes a config that trains on them, for any keypoints.

Exit status: 0 without errors, 1 if the report names errors, 2 if something cannot be read.
"""

import argparse

from cid_mmpose.errors import BadInput

from .arguments import add_cfg_options

NETWORKS = ('hrnet-w32', 'hrnet-w48', 'hrnet-w16-small')  # as ``data.own.text``, which help does without

EXAMPLES = """
  cid doctor annotations.json --images pictures
  cid doctor annotations.json --fix repaired.json
  cid doctor train.json --test test.json --make-config fox.py
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

    config = parser.add_argument_group('a config for own keypoints')
    config.add_argument('--make-config', metavar='PY', help='write a config that trains on ANN_FILE')
    config.add_argument('--test', metavar='JSON', help='annotation file that the config evaluates on')
    config.add_argument(
        '--keypoints', nargs='+', default=[], metavar='NAME', help='names of the keypoints, if ANN_FILE has none'
    )
    config.add_argument('--network', choices=NETWORKS, default=NETWORKS[0], help='%(default)s by default')
    config.add_argument('--overwrite', action='store_true', help='replace a config that is there already')


def run(args: argparse.Namespace) -> int:
    """Checks where the results go, then examines, then writes what is asked for."""
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
    _check_make_config(args, is_config)

    cfg = None
    if is_config:
        from cid_mmpose.engine.launch import load_config, read_options

        cfg = load_config(args.source, cfg_options=read_options(args.cfg_options))
    apart = []
    if configs:
        from cid_mmpose.engine.launch import load_config

        apart = [load_config(name) for name in configs]
    status = diagnose(
        sources_of(args.source, args.images, cfg),
        against=images_against(folders, apart),
        sample=args.sample,
        fix=args.fix,
        only=args.only,
        report=args.json,
        plots=args.plots,
    )
    if args.make_config:
        _make_config(args, status)
    return status


def _check_make_config(args: argparse.Namespace, is_config: bool) -> None:
    """BadInput if a config is to be written and cannot, or an option would do nothing without one."""
    if args.make_config:
        from cid_mmpose.data.own import check_new_config

        if is_config:
            raise BadInput(f'--make-config goes with an annotation file; {args.source} is a config already')
        check_new_config(args.make_config, args.overwrite)
        return
    for name in ('test', 'keypoints', 'overwrite'):
        if getattr(args, name):
            raise BadInput(f'--{name} is for the config that --make-config PY writes; name that too')


def _make_config(args: argparse.Namespace, status: int) -> None:
    """Writes the config, which trains on the repaired file if there is one, and prints what it holds."""
    from cid_mmpose.data.own import make_config

    text = make_config(
        args.make_config,
        args.fix or args.source,
        images=args.images,
        test=args.test,
        keypoints=args.keypoints,
        network=args.network,
        overwrite=args.overwrite,
    )
    print(f'\n{text}')
    if status and not args.fix:
        print('the errors above may stop it; --fix writes a repaired copy to train on')
