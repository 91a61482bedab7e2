"""What the commands' arguments have in common; imports nothing of the stack, so that ``--help`` answers at once."""

import argparse
import os
from collections.abc import Sequence
from types import ModuleType

AMP = ('fp16', 'bf16')
LAYOUTS = ('mmpose', 'ours')  # of checkpoints that can be written
LAUNCHERS = ('none', 'pytorch', 'slurm', 'mpi')


def help_formatter() -> type:
    """How help is printed: in colours where rich-argparse is there, lines of the texts as they are written."""
    try:
        from rich_argparse import RawDescriptionRichHelpFormatter
    except ImportError:  # a checkout in an environment that was made without our requirements
        return argparse.RawDescriptionHelpFormatter

    class HelpFormatter(RawDescriptionRichHelpFormatter):
        """With argparse's own headings, and brackets as brackets, where rich would read them as marks of its own."""

        group_name_formatter = str
        text_markup = False
        help_markup = False

    return HelpFormatter


def fill(parser: argparse.ArgumentParser, module: ModuleType) -> None:
    """Makes the parser that of a verb: its help, its arguments, and what runs it.

    Args:
        parser: without arguments so far.
        module: the verb's.
    """
    parser.description = module.__doc__.strip()
    parser.epilog = f'examples:\n{module.EXAMPLES.strip(chr(10))}'
    module.add_arguments(parser)
    if hasattr(module, 'run'):  # a verb with verbs below it leaves that to them
        parser.set_defaults(run=module.run)


class CfgOptions(argparse.Action):
    """Collects ``key=value`` words; ``launch.read_options`` makes options of them."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Sequence[str],
        option_string: str = None,
    ) -> None:
        """Called by argparse, once for each time that the option is given."""
        for word in values:
            key, sign, _ = word.partition('=')
            if not sign or not key:
                parser.error(f'{self.option_strings[0]}: options have the form key=value, got {word!r}')
        earlier = getattr(namespace, self.dest) or []
        setattr(namespace, self.dest, [*earlier, *values])


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Adds ``--cfg-options``."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=CfgOptions,
        metavar='KEY=VALUE',
        help='change the config: train_cfg.max_epochs=2 train_dataloader.dataset.pipeline.RandomAffine.rotation=9',
    )


def add_launcher(parser: argparse.ArgumentParser) -> None:
    """Adds ``--launcher``, and the option by which older launchers say which process this is."""
    parser.add_argument('--launcher', choices=LAUNCHERS, default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)


def add_verbose(parser: argparse.ArgumentParser) -> None:
    """Adds ``--verbose``."""
    parser.add_argument(
        '--verbose', action='store_true', help='everything on the screen that otherwise goes to the log file alone'
    )


def note_rank(args: argparse.Namespace) -> None:
    """Hands over which process this is where the launcher says so by an option only."""
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))


def leave_group() -> None:
    """Ends the group of processes that a launcher started, if there is one.

    Its threads, left to the end of the interpreter, abort the process now and then.
    """
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()
