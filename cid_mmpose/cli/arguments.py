"""What the commands' arguments have in common; imports nothing of the stack, so that ``--help`` answers at once."""
import argparse
import os
from typing import Sequence

AMP = ('fp16', 'bf16')
LAYOUTS = ('mmpose', 'ours')   # of checkpoints that can be written
LAUNCHERS = ('none', 'pytorch', 'slurm', 'mpi')


class CfgOptions(argparse.Action):
    """Collects ``key=value`` words; ``launch.read_options`` makes options of them."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Sequence[str],
                 option_string: str = None) -> None:
        """Called by argparse, once for each time that the option is given."""
        for word in values:
            key, sign, _ = word.partition('=')
            if not sign or not key:
                parser.error(f'{self.option_strings[0]}: options have the form key=value, got {word!r}')
        earlier = getattr(namespace, self.dest) or []
        setattr(namespace, self.dest, [*earlier, *values])


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Adds ``--cfg-options``."""
    parser.add_argument('--cfg-options', nargs='+', action=CfgOptions, metavar='KEY=VALUE',
                        help='change the config, e.g. train_cfg.max_epochs=2 train_dataloader.batch_size=8')


def add_launcher(parser: argparse.ArgumentParser) -> None:
    """Adds ``--launcher``, and the option by which older launchers say which process this is."""
    parser.add_argument('--launcher', choices=LAUNCHERS, default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)


def add_verbose(parser: argparse.ArgumentParser) -> None:
    """Adds ``--verbose``."""
    parser.add_argument('--verbose', action='store_true',
                        help='everything on the screen that otherwise goes to the log file alone')


def note_rank(args: argparse.Namespace) -> None:
    """Hands over which process this is where the launcher says so by an option only."""
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
