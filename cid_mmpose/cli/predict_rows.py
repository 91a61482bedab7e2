"""The options of ``cid predict`` for very many images: one row an image, in shards or on a cluster."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cid_mmpose.errors import BadInput

from .model_arguments import load_arguments, load_model

FORMATS_OF_ROWS = dict(
    jsonl='people.jsonl, one line an image, written as it goes; a bad image is a line with its error',
    parquet="people.parquet, the same as a table (pip install 'cid_mmpose[parquet]')",
)
ENGINES = ('local', 'ray')


def add_rows(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    group = parser.add_argument_group('very many images (docs/scale.md)')
    for name, about in FORMATS_OF_ROWS.items():
        group.add_argument(f'--{name}', action='store_true', help=about)
    group.add_argument('--list', action='append', metavar='FILE', help='text with an image a line, path or URL')
    group.add_argument('--shard', metavar='i/n', help='the i-th of n parts of the images, into a file of its own')
    group.add_argument('--engine', choices=ENGINES, default='local', help='ray: on a cluster, by Ray Data')
    group.add_argument('--workers', type=int, help='of --engine ray: processes with a model (one a GPU, or a CPU)')


def check_rows(args: argparse.Namespace, others: Sequence[str]) -> None:
    """BadInput if options do not go together.

    Args:
        args: of the command.
        others: names of results that are no rows and that the user wants.
    """
    chosen = [f'--{name}' for name in FORMATS_OF_ROWS if getattr(args, name)]
    if not args.inputs and not args.list:
        raise BadInput('nothing to look at; name an image, a folder, a pattern or a URL, or --list FILE')
    if len(chosen) == 2:
        raise BadInput('--jsonl and --parquet: choose one; both have the same rows')
    if not chosen:
        _check_unused(args)
        return

    (format,) = chosen
    if others:
        raise BadInput(f'{format} writes one row an image and nothing else; leave out --{others[0]}')
    if args.skip_existing:
        raise BadInput(f'{format} goes on where it was by itself; leave out --skip-existing')
    if args.engine == 'ray':
        _check_ray(args, format)
    elif args.workers is not None:
        raise BadInput('--workers is of --engine ray; on one machine start a shard a process (--shard 1/4, 2/4, ...)')


def _check_unused(args: argparse.Namespace) -> None:
    """BadInput if an option of rows is given without them."""
    is_given = dict(
        list=args.list is not None,
        shard=args.shard is not None,
        engine=args.engine == 'ray',
        workers=args.workers is not None,
    )
    for name, given in is_given.items():
        if given:
            raise BadInput(f'--{name} needs --jsonl or --parquet, which write one row an image')


def _check_ray(args: argparse.Namespace, format: str) -> None:
    """BadInput if options do not go with ``--engine ray``."""
    if format != '--parquet':
        raise BadInput('--engine ray writes Parquet; give --parquet')
    if args.shard is not None:
        raise BadInput('--engine ray shares the images out by itself; leave out --shard')
    if args.strict:
        raise BadInput('--engine ray makes a row with the error of a bad image; leave out --strict')
    if args.workers is not None and args.workers < 1:
        raise BadInput(f'--workers must be a whole number of at least 1, got {args.workers}')


def write_rows(args: argparse.Namespace) -> None:
    """Writes the rows.

    Args:
        args: of the command, checked.
    """
    from cid_mmpose.engine.interrupts import run_ends
    from cid_mmpose.scale.names import Shard, names_of_shard, shard_of
    from cid_mmpose.scale.run import Table, check_table, write_shard

    shard = Shard() if args.shard is None else shard_of(args.shard)
    format = 'parquet' if args.parquet else 'jsonl'
    check_table(args.out, format)
    names = names_of_shard(args.inputs, args.list or [], shard)
    with run_ends():
        if args.engine == 'ray':
            _write_on_ray(args, names)
            return
        finder = load_model(args, args.model, args.checkpoint, args.batch_size, takes_exported=True)
        print(f'model: {finder}', file=sys.stderr)
        table = Table(Path(args.out), shard, format)
        write_shard(finder, names, table, (args.model, args.checkpoint), args.strict)


def _write_on_ray(args: argparse.Namespace, names: Sequence[str]) -> None:
    """As ``write_rows``, on a cluster."""
    import cid_mmpose
    from cid_mmpose.scale.on_ray import check_names, find_on_ray, ray_data

    ray_data()
    check_names(names)
    model, checkpoint = (_absolute(name) for name in (args.model, args.checkpoint))
    load: dict[str, Any] = load_arguments(args, model, checkpoint, args.batch_size)
    here = load if args.model.endswith('.engine') else dict(load, device='cpu')  # an engine has no other place
    finder = cid_mmpose.load(**here)  # says what is wrong before a cluster is begun with
    print(f'model of each worker: {finder.weights}', file=sys.stderr)
    find_on_ray(finder, names, Path(args.out), (model, checkpoint), load, args.workers)


def _absolute(name: str | None) -> str | None:
    """A path that a worker in another folder understands; names and URLs stay as they are."""
    return os.path.abspath(name) if name is not None and os.path.exists(name) else name
