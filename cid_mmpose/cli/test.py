"""Evaluate a checkpoint on the test images of a config."""

import argparse

from .arguments import add_cfg_options, add_launcher, add_verbose, leave_group, note_rank

EXAMPLES = """
  cid test configs/cid_hrnet-w32_coco.py work_dirs/cid_hrnet-w32_coco/epoch_140.pth
  cid test configs/cid_hrnet-w32_coco.py epoch_140.pth --out metrics.json --show-dir drawn"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of the verb."""
    parser.add_argument('config', help='path of the config')
    parser.add_argument('checkpoint', help='path or URL of the weights')
    parser.add_argument('--work-dir', help='folder for the log (work_dirs/<name of the config>)')
    parser.add_argument('--out', metavar='JSON', help='write the metrics to this file')
    parser.add_argument('--dump', metavar='PKL', help='write the predictions to this file')
    parser.add_argument('--show-dir', metavar='DIR', help='write the images with the people found to this folder')
    add_cfg_options(parser)
    add_launcher(parser)
    add_verbose(parser)


def run(args: argparse.Namespace) -> None:
    """Evaluates."""
    note_rank(args)
    from cid_mmpose.compat import check_versions

    check_versions()
    from cid_mmpose.engine.launch import read_options, test

    test(
        args.config,
        args.checkpoint,
        work_dir=args.work_dir,
        out=args.out,
        dump=args.dump,
        show_dir=args.show_dir,
        cfg_options=read_options(args.cfg_options),
        launcher=args.launcher,
        verbose=args.verbose,
    )
    leave_group()
