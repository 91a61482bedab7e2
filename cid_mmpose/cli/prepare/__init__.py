"""Make the folders that the configs read from the official downloads (docs/data.md)."""
import argparse
from importlib import import_module

DATA_SETS = ('coco', 'crowdpose', 'ochuman')
EXAMPLES = '''
  cid prepare coco ~/Downloads/coco data/coco
  cid prepare crowdpose ~/Downloads/crowdpose --images copy'''


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of the verb: one verb below it for each data set."""
    from ..main import help_formatter
    data_sets = parser.add_subparsers(dest='data_set', metavar='DATA_SET', required=True)
    for name in DATA_SETS:
        module = import_module(f'.{name}', __package__)
        below = data_sets.add_parser(name, help=module.__doc__.splitlines()[0], description=module.__doc__,
                                     epilog=f'examples:\n{module.EXAMPLES}', formatter_class=help_formatter())
        module.add_arguments(below)
        below.set_defaults(run_below=module.run)


def run(args: argparse.Namespace) -> None:
    """Prepares one data set."""
    args.run_below(args)


def add_images(parser: argparse.ArgumentParser) -> None:
    """What all data sets take: ``--images`` and ``--allow-partial``.

    Args:
        parser: of a data set.
    """
    parser.add_argument('--images', choices=('link', 'copy'), default='link',
                        help='what to do with unpacked folders (%(default)s); archives are extracted')
    parser.add_argument('--allow-partial', action='store_true', help='take less than what is published')
