"""The arguments of the command ``benchmark``; nothing of the stack is imported before they are known to be right."""

import argparse
from pathlib import Path

from cid_mmpose.errors import BadInput

ALL = ('targets', 'head', 'predict', 'train', 'roialign', 'table3')  # with a peer in MMPose
PARTS = ALL + ('inference', 'runtimes', 'device')
# glibc then keeps large blocks; by default it gives them back after each operation and faults them in again
TUNED = dict(MALLOC_MMAP_THRESHOLD_='8000000000', MALLOC_TRIM_THRESHOLD_='16000000000')
COUNTS = (1, 10, 30, 50, 100)  # people
QUICK_COUNTS = (1, 30)
REPEATS = 7
QUICK_REPEATS = 3
ALLOCATORS = ('default', 'tuned', 'both')
# option -> the parts that it is for
ONLY_FOR = dict(checkpoint=('predict', 'inference', 'all'), curves=('train', 'all'), images=('inference',))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds them to a parser."""
    parser.add_argument('part', choices=PARTS + ('all',), help='what to measure')
    parser.add_argument(
        '--quick',
        action='store_true',
        help='few repeats and crowds, nothing compiled, no DEKR: under 5 minutes on 2 cores',
    )
    parser.add_argument('--device', help='cpu or cuda; cuda where there is a GPU')
    parser.add_argument('--threads', type=int, help="of the CPU; torch's choice by default")
    parser.add_argument('--repeats', type=int, help='rounds; 7, or 3 with --quick')
    parser.add_argument('--checkpoint', help='weights of CID-W32, for predict and inference; random ones by default')
    parser.add_argument('--images', type=Path, help='inference: a folder of images; drawn ones by default')
    parser.add_argument('--curves', action='store_true', help='train: 300 iterations in float32 and in bfloat16 too')
    parser.add_argument(
        '--allocator',
        choices=ALLOCATORS,
        help="glibc's: as it is, told to keep large blocks, or a process with each; 'both' for all",
    )
    parser.add_argument('--out', type=Path, default=Path('work_dirs/benchmark'), help='folder for tables and figures')


def settle(args: argparse.Namespace) -> None:
    """Puts in what follows from the other arguments, in place.

    Args:
        args: as parsed.

    Raises:
        BadInput: an argument does not fit the others, or the machine.
    """
    args.counts = COUNTS
    repeats = REPEATS
    if args.quick:
        args.counts = QUICK_COUNTS
        repeats = QUICK_REPEATS
    if args.repeats is None:
        args.repeats = repeats

    if args.allocator is None:
        both = args.part == 'all' and not args.quick
        args.allocator = 'both' if both else 'default'

    if args.repeats < 1 or (args.threads is not None and args.threads < 1):
        raise BadInput('--threads and --repeats must be at least 1')

    for option, parts in ONLY_FOR.items():
        if getattr(args, option) and args.part not in parts:
            raise BadInput(f'--{option} is for {", ".join(parts)}, not for {args.part}')
    if args.images is not None and not args.images.is_dir():
        raise BadInput(f'--images: {args.images} is no folder; give one with images')

    if args.out.exists() and not args.out.is_dir():
        raise BadInput(f'--out: {args.out} is a file; give a folder')
    _settle_device(args)


def _settle_device(args: argparse.Namespace) -> None:
    """Device and threads as torch has them; comes last, since importing torch takes a second."""
    complaint = f'--device: there is no {args.device!r} here; cpu and, with a GPU, cuda can be measured'
    if args.device is not None:
        kind = args.device.split(':')[0]
        if kind not in ('cpu', 'cuda'):
            raise BadInput(complaint)

    import torch

    has_gpu = torch.cuda.is_available()
    if args.device is None:
        args.device = 'cuda' if has_gpu else 'cpu'
    if args.device != 'cpu' and not has_gpu:
        raise BadInput(complaint)
    args.device = torch.device(args.device)
    if args.threads is None:
        args.threads = torch.get_num_threads()
