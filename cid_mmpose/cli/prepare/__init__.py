"""Make the folders that the configs read from the official downloads (docs/data.md)."""

import argparse
from importlib import import_module

from ..arguments import fill, help_formatter

DATA_SETS = ('coco', 'crowdpose', 'ochuman')
EXAMPLES = """
  cid prepare coco ~/Downloads/coco data/coco
  cid prepare crowdpose ~/Downloads/crowdpose --images copy"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of the verb: one verb below it for each data set."""
    data_sets = parser.add_subparsers(dest='data_set', metavar='DATA_SET', required=True)
    for name in DATA_SETS:
        module = import_module(f'.{name}', __package__)
        about = module.__doc__.splitlines()[0]
        fill(data_sets.add_parser(name, help=about, formatter_class=help_formatter()), module)


def add_images(parser: argparse.ArgumentParser) -> None:
    """What all data sets take: ``--images`` and ``--allow-partial``.

    Args:
        parser: of a data set.
    """
    parser.add_argument(
        '--images',
        choices=('link', 'copy'),
        default='link',
        help='what to do with unpacked folders (%(default)s); archives are extracted',
    )
    parser.add_argument('--allow-partial', action='store_true', help='take less than what is published')
