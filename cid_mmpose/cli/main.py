"""``cid VERB ...``: reads the command line and runs a verb.

A verb is a module of this package with a docstring (its help), ``EXAMPLES`` (shown below the help), ``add_arguments``
(of its parser) and ``run`` (of the parsed arguments; returns the exit status, None for 0).
"""
import argparse
import os
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NoReturn, Optional, Sequence

from .user_errors import user_errors

# verb -> what it does, in the order of the help
VERBS = dict(
    train='train a model from a config',
    test='evaluate a checkpoint on the test images of a config',
    demo='train a small CID on drawn people in five minutes, without data',
    doctor='examine an annotation file before it is trained on',
    prepare='make the folders that the configs read from the official downloads',
    convert='write a checkpoint in another layout',
    synth='look at SynthCrowd, or export it',
    benchmark='time and memory of CID here and in MMPose, side by side',
    run="run one of MMPose's own scripts")
EPILOG = '''exit status: 0 done, 1 the doctor found errors, 2 something given is wrong, 130 and 143 after a signal

completion in bash: eval "$(register-python-argcomplete cid)"'''


def main(words: Optional[Sequence[str]] = None) -> NoReturn:
    """The command.

    Args:
        words: of the command line, without the program's name; those of the process by default.
    """
    words = list(sys.argv[1:] if words is None else words)
    parser = argparse.ArgumentParser(
        prog='cid', description='CID: the poses of everyone in a crowded image.', epilog=EPILOG,
        formatter_class=help_formatter())
    parser.add_argument('--version', action='version', version=f'%(prog)s {_version()}')
    verbs = parser.add_subparsers(dest='verb', metavar='VERB', required=True)
    asked = None if _completes() else next((word for word in words if word in VERBS), '')
    for verb, about in VERBS.items():
        # a verb that is not asked for needs no arguments
        module = _module(verb) if asked in (None, verb) else None
        _add_verb(verbs, verb, about, module)
    _complete(parser)
    _run(parser, words)


def run_tool(*verbs: str) -> NoReturn:
    """What the scripts in ``tools/`` do: the verb of a script, with the arguments of the process.

    Args:
        verbs: the verb, and the one below it if it has some.
    """
    module = _module('.'.join(verbs))
    parser = argparse.ArgumentParser(
        prog=Path(sys.argv[0]).name, description=module.__doc__, epilog=_examples(module),
        formatter_class=help_formatter())
    module.add_arguments(parser)
    parser.set_defaults(run=module.run)
    _run(parser, [verbs[0], *sys.argv[1:]])


def _add_verb(verbs: argparse._SubParsersAction, verb: str, about: str, module: Optional[ModuleType]) -> None:
    """One verb, with its arguments if its module is there."""
    if module is None:
        verbs.add_parser(verb, help=about, add_help=False)
        return
    parser = verbs.add_parser(
        verb, help=about, description=module.__doc__, epilog=_examples(module), formatter_class=help_formatter())
    module.add_arguments(parser)
    parser.set_defaults(run=module.run)


def _run(parser: argparse.ArgumentParser, words: Sequence[str]) -> NoReturn:
    args = parser.parse_args(words)
    args.words = list(words[1:])   # behind the verb, for what starts the same command again
    with user_errors():
        sys.exit(args.run(args))


def _module(name: str) -> ModuleType:
    return import_module(f'.{name}', __package__)


def _examples(module: ModuleType) -> str:
    return f'examples:\n{module.EXAMPLES.rstrip()}'


def _version() -> str:
    from cid_mmpose import __version__
    return __version__


def help_formatter() -> type:
    """With colours where rich-argparse is there; lines of the texts stay as they are written."""
    try:
        from rich_argparse import RawDescriptionRichHelpFormatter
    except ImportError:
        return argparse.RawDescriptionHelpFormatter
    return RawDescriptionRichHelpFormatter


def _completes() -> bool:
    return '_ARGCOMPLETE' in os.environ


def _complete(parser: argparse.ArgumentParser) -> None:
    """Answers the shell when it asks for completions, and ends the process."""
    if _completes():
        import argcomplete
        argcomplete.autocomplete(parser)
