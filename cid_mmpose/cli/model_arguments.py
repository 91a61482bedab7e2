"""The arguments by which commands take a model and say how it finds people."""

import argparse
from typing import TYPE_CHECKING, Any

from cid_mmpose.errors import BadInput

if TYPE_CHECKING:
    from cid_mmpose.inference.finder import PeopleFinder

DEFAULT_MODEL = 'cid_hrnet-w32_coco'


def add_model(parser: argparse.ArgumentParser) -> None:
    """Adds which model it is, and the options of ``inference.options.PredictOptions``."""
    parser.add_argument(
        '--model',
        default=DEFAULT_MODEL,
        help='work folder, checkpoint with its config, config, exported file, or name of a public model '
        f'({DEFAULT_MODEL})',
    )
    parser.add_argument('--checkpoint', help='weights for a config or a name: path or URL')
    parser.add_argument('--min-score', type=float, default=0.3, help='leaves out people with a lower score (0.3)')
    parser.add_argument('--max-people', type=int, help='of an image at most')
    parser.add_argument('--nms', type=float, help='of two people with a higher OKS one stays')
    parser.add_argument('--no-flip', action='store_true', help='does not look at the mirror image: twice as fast')
    parser.add_argument('--size', type=int, help="short side of the network's input in pixels")
    parser.add_argument('--precision', choices=('float32', 'bfloat16', 'float16'), help='of the backbone')
    parser.add_argument('--device', help='such as cpu or cuda:0 (a GPU if there is one)')


def load_model(
    args: argparse.Namespace,
    model: str,
    checkpoint: str | None,
    batch_size: int | None = None,
    takes_exported: bool = False,
) -> 'PeopleFinder':
    """A model with the options of the command line.

    Args:
        args: with those of ``add_model``.
        model: which one.
        checkpoint: its weights, if it is a config or a name.
        batch_size: images at a time.
        takes_exported: whether the command does without the network itself.

    Raises:
        BadInput: the model is an exported file, and the command needs the network.
    """
    import cid_mmpose

    if model.lower().endswith(cid_mmpose.EXPORTED) and not takes_exported:
        raise BadInput(f'{model}: is an exported file, which gives people and no maps; name the model it was made of')
    return cid_mmpose.load(**load_arguments(args, model, checkpoint, batch_size))


def load_arguments(
    args: argparse.Namespace, model: str, checkpoint: str | None, batch_size: int | None = None
) -> dict[str, Any]:
    """The arguments of ``cid_mmpose.load``, by name.

    Args:
        args: with those of ``add_model``.
        model: which one.
        checkpoint: its weights, if it is a config or a name.
        batch_size: images at a time.
    """
    return dict(
        model=model,
        checkpoint=checkpoint,
        device=args.device,
        min_score=args.min_score,
        max_people=args.max_people,
        nms=args.nms,
        flip=False if args.no_flip else None,
        size=args.size,
        precision=args.precision,
        batch_size=batch_size,
    )
