"""Train a model from a config."""

import argparse

from .arguments import AMP, add_cfg_options, add_launcher, add_verbose, leave_group, note_rank

EXAMPLES = """
  cid train configs/cid_hrnet-w32_coco.py --amp
  cid train configs/cid_hrnet-w32_coco.py --resume
  cid train configs/cid_hrnet-w32_coco.py --cfg-options train_dataloader.batch_size=8 train_cfg.max_epochs=2"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of the verb."""
    parser.add_argument('config', help='path of the config')
    parser.add_argument('--work-dir', help='folder for log and checkpoints (work_dirs/<name of the config>)')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from this checkpoint, or from the newest of the work folder',
    )
    parser.add_argument(
        '--amp',
        nargs='?',
        const='bf16',
        choices=AMP,
        help='mixed precision, bf16 if not said otherwise; fp16 needs a GPU',
    )
    parser.add_argument('--no-validate', action='store_true', help='do not evaluate while training')
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate by the true batch size over that of the recipe',
    )
    add_cfg_options(parser)
    add_launcher(parser)
    add_verbose(parser)


def run(args: argparse.Namespace) -> None:
    """Trains."""
    note_rank(args)
    from cid_mmpose.compat import check_versions

    check_versions()
    from cid_mmpose.engine.launch import read_options, train

    train(
        args.config,
        work_dir=args.work_dir,
        resume=args.resume,
        amp=args.amp,
        validate=not args.no_validate,
        auto_scale_lr=args.auto_scale_lr,
        cfg_options=read_options(args.cfg_options),
        launcher=args.launcher,
        verbose=args.verbose,
    )
    leave_group()
