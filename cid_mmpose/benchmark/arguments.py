"""The arguments of the command ``benchmark``; nothing of the stack is imported before they are known to be right."""
import argparse
from pathlib import Path
from typing import Optional, Sequence

ALL = ('targets', 'head', 'predict', 'train', 'roialign', 'table3')  # with a peer in MMPose
PARTS = (*ALL, 'device')
# glibc then keeps large blocks; by default it gives them back after each operation and faults them in again
TUNED = dict(MALLOC_MMAP_THRESHOLD_='8000000000', MALLOC_TRIM_THRESHOLD_='16000000000')
COUNTS, QUICK_COUNTS = (1, 10, 30, 50, 100), (1, 30)  # people
ALLOCATORS = ('default', 'tuned', 'both')


def parse_args(words: Optional[Sequence[str]] = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog='python -m cid_mmpose benchmark',
        description="Time and memory of CID here and in MMPose, side by side in one process, on the same weights.")
    parser.add_argument('part', choices=[*PARTS, 'all'], help='what to measure')
    parser.add_argument('--quick', action='store_true',
                        help='few repeats and crowds, nothing compiled, no DEKR: under 5 minutes on 2 cores')
    parser.add_argument('--device', help='cpu or cuda; cuda where there is a GPU')
    parser.add_argument('--threads', type=int, help="of the CPU; torch's choice by default")
    parser.add_argument('--repeats', type=int, help='rounds; 7, or 3 with --quick')
    parser.add_argument('--checkpoint', help='weights of CID-W32, for predict alone; random ones by default')
    parser.add_argument('--curves', action='store_true', help='train: 300 iterations in float32 and in bfloat16 too')
    parser.add_argument('--allocator', choices=ALLOCATORS,
                        help="glibc's: as it is, told to keep large blocks, or a process with each; 'both' for all")
    parser.add_argument('--out', type=Path, default=Path('work_dirs/benchmark'), help='folder for tables and figures')
    args = parser.parse_args(words)
    args.counts = QUICK_COUNTS if args.quick else COUNTS
    args.repeats = (3 if args.quick else 7) if args.repeats is None else args.repeats
    args.allocator = args.allocator or ('both' if args.part == 'all' and not args.quick else 'default')
    if args.repeats < 1 or (args.threads is not None and args.threads < 1):
        parser.error('--threads and --repeats must be at least 1')
    for option, part in dict(checkpoint='predict', curves='train').items():
        if getattr(args, option) and args.part not in (part, 'all'):
            parser.error(f'--{option} is for {part} and all, not for {args.part}')
    if args.out.exists() and not args.out.is_dir():
        parser.error(f'--out: {args.out} is a file; give a folder')
    _settle_device(parser, args)
    return args


def _settle_device(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Device and threads as torch has them; comes last, since importing torch takes a second."""
    complaint = f'--device: there is no {args.device!r} here; cpu and, with a GPU, cuda can be measured'
    if args.device is not None and args.device.split(':')[0] not in ('cpu', 'cuda'):
        parser.error(complaint)

    import torch
    has_gpu = torch.cuda.is_available()
    if args.device is None:
        args.device = 'cuda' if has_gpu else 'cpu'
    if args.device != 'cpu' and not has_gpu:
        parser.error(complaint)
    args.device = torch.device(args.device)
    if args.threads is None:
        args.threads = torch.get_num_threads()
