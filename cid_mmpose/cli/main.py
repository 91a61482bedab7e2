"""``cid VERB ...``: reads the command line and runs a verb.

A verb is a module of this package with a docstring (its help), ``EXAMPLES`` (shown below the help), ``add_arguments``
(of its parser) and ``run`` (of the parsed arguments; returns the exit status, None for 0). A new one is such a module
and a line of ``VERBS``. What ``run`` needs is imported in it, behind ``check_versions`` if it needs the stack, so that
``--help`` answers at once and everywhere.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

from cid_mmpose import __version__

from .arguments import fill, help_formatter
from .user_errors import user_errors

# verb -> what it does, in the order of the help
VERBS = dict(
    train='train a model from a config',
    test='evaluate a checkpoint on the test images of a config',
    predict='find the people in images, folders and videos',
    explain='see why the keypoints of an image are where they are',
    web='play with a model on a page in the browser',
    demo='train a small CID on drawn people in five minutes, without data',
    doctor='examine an annotation file before it is trained on',
    prepare='make the folders that the configs read from the official downloads',
    convert='write a checkpoint in another layout',
    export='write a model for a runtime without torch',
    synth='look at SynthCrowd, or export it',
    study='short trainings on drawn crowds: what is worth what in CID (in a checkout)',
    benchmark='time and memory of CID here and in MMPose, side by side',
    run="run one of MMPose's own scripts",
)
EPILOG = '''examples:
  cid demo --quick
  cid train --help

exit status: 0 done, 1 the doctor found errors, 2 something given is wrong, 130 and 143 after a signal

completion in bash: eval "$(register-python-argcomplete cid)"'''
SHELL_ASKS = '_ARGCOMPLETE'  # set by the shell when it wants completions of a command line instead of a run


def main(words: Sequence[str] | None = None) -> None:
    """The command; leaves by SystemExit if something is wrong, or if the verb has a status to tell.

    Args:
        words: of the command line, without the program's name; those of the process by default.
    """
    if words is None:
        words = sys.argv[1:]
    with user_errors():
        _main(words)


def _main(words: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        prog='cid',
        description='CID: the poses of everyone in a crowded image.',
        epilog=EPILOG,
        formatter_class=help_formatter(),
    )
    parser.add_argument('--version', action='version', version=f'%(prog)s {__version__}')
    verbs = parser.add_subparsers(dest='verb', metavar='VERB', required=True)

    shell_asks = SHELL_ASKS in os.environ
    asked = next((word for word in words if not word.startswith('-')), None)
    for verb, about in VERBS.items():
        below = verbs.add_parser(verb, help=about, formatter_class=help_formatter())
        if shell_asks or verb == asked:  # the others need no arguments
            fill(below, _module(verb))
    if shell_asks:
        import argcomplete

        argcomplete.autocomplete(parser)  # answers and ends the process

    args = parser.parse_args(words)
    _run(args, words[1:])


def run_tool(*verbs: str) -> None:
    """What the scripts in ``tools/`` do: a verb with the arguments of the process.

    Args:
        verbs: the verb, and the one below it if it has some.
    """
    with user_errors():
        parser = argparse.ArgumentParser(prog=Path(sys.argv[0]).name, formatter_class=help_formatter())
        fill(parser, _module('.'.join(verbs)))
        args = parser.parse_args()
        _run(args, sys.argv[1:])


def _run(args: argparse.Namespace, words: Sequence[str]) -> None:
    """Runs the verb; ``words`` are those behind it, for what starts the same command again."""
    args.words = list(words)
    status = args.run(args)
    if status is not None:
        sys.exit(status)


def _module(name: str) -> ModuleType:
    return import_module(f'.{name}', __package__)
