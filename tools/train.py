"""Train a model from a config."""
import argparse
import os

from cid_mmpose.apis.launch import AMP, CfgOptions, train, user_errors


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='path of the config')
    parser.add_argument('--work-dir', help='folder for log and checkpoints (work_dirs/<name of the config>)')
    parser.add_argument('--resume', nargs='?', const='auto', metavar='CHECKPOINT',
                        help='go on from this checkpoint, or from the newest of the work folder')
    parser.add_argument('--amp', nargs='?', const='bf16', choices=AMP,
                        help='mixed precision, bf16 if not said otherwise; fp16 needs a GPU')
    parser.add_argument('--no-validate', action='store_true', help='do not evaluate while training')
    parser.add_argument('--auto-scale-lr', action='store_true',
                        help='scale the learning rate by the true batch size over that of the recipe')
    parser.add_argument('--cfg-options', nargs='+', action=CfgOptions, metavar='KEY=VALUE',
                        help='change the config, e.g. train_cfg.max_epochs=2 train_dataloader.batch_size=8')
    parser.add_argument('--launcher', choices=('none', 'pytorch', 'slurm', 'mpi'), default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))   # older launchers hand it over as an option only
    return args


if __name__ == '__main__':
    args = parse_args()
    with user_errors():
        train(args.config, work_dir=args.work_dir, resume=args.resume, amp=args.amp, validate=not args.no_validate,
              auto_scale_lr=args.auto_scale_lr, cfg_options=args.cfg_options, launcher=args.launcher)
