"""Evaluate a checkpoint on the test pictures of a config."""
import argparse
import os

from cid_mmpose.apis.launch import CfgOptions, test, user_errors


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='path of the config')
    parser.add_argument('checkpoint', help='path or URL of the weights')
    parser.add_argument('--work-dir', help='folder for the log (work_dirs/<name of the config>)')
    parser.add_argument('--out', metavar='JSON', help='write the metrics to this file')
    parser.add_argument('--dump', metavar='PKL', help='write the predictions to this file')
    parser.add_argument('--show-dir', metavar='DIR', help='write the pictures with the people found to this folder')
    parser.add_argument('--cfg-options', nargs='+', action=CfgOptions, metavar='KEY=VALUE', help='change the config')
    parser.add_argument('--launcher', choices=('none', 'pytorch', 'slurm', 'mpi'), default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))   # older launchers hand it over as an option only
    return args


if __name__ == '__main__':
    args = parse_args()
    with user_errors():
        test(args.config, args.checkpoint, work_dir=args.work_dir, out=args.out, dump=args.dump,
             show_dir=args.show_dir, cfg_options=args.cfg_options, launcher=args.launcher)
