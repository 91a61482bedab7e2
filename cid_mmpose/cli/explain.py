"""See why the keypoints of people are where they are, as in figures 3, 4 and 6 of the paper.

Writes sheet.png with everyone, center_map.png, people.png, and for each person person_0.png and a folder person_0 with
the similarity map, the spatial mask, the channel weights, the feature map and the heatmaps one by one. People are
numbered from 0, best first.
"""

import argparse
import math

from .model_arguments import add_model, load_model

OF_SATURATED_MASKS = (
    'its masks (eq. 10) are 0 or 1 in nearly every cell: they say nothing and learn nothing any more; '
    'a lower learning rate of their layers keeps them from that in the next training (docs/training.md)'
)
EXAMPLES = """
  cid explain photo.jpg --model work_dirs/demo --out explained
  cid explain photo.jpg --model work_dirs/demo --person 3
  cid explain photo.jpg --model work_dirs/demo --at 320,180
  cid explain photo.jpg --model work_dirs/with --against work_dirs/without --person 0"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of the verb."""
    parser.add_argument('image', metavar='IMAGE', help='path or URL')
    parser.add_argument('--out', default='explained', metavar='DIR', help='folder of the pages (explained)')
    which = parser.add_mutually_exclusive_group()
    which.add_argument('--person', type=int, metavar='N', help='the maps of this person alone')
    which.add_argument(
        '--at', type=place, metavar='X,Y', help='the maps of the person whose center is nearest, in pixels'
    )
    parser.add_argument(
        '--against',
        metavar='CHECKPOINT',
        help='a second model beside it, named as --model is; with --checkpoint: other weights for the same --model',
    )
    add_model(parser)


def place(word: str) -> tuple[float, float]:
    """'X,Y' in pixels."""
    try:
        x, y = map(float, word.split(','))
    except ValueError:
        x = y = math.nan
    if not math.isfinite(x) or not math.isfinite(y):
        raise argparse.ArgumentTypeError(f'{word!r}: give two numbers with a comma between them, such as 320,180')
    return x, y


def run(args: argparse.Namespace) -> None:
    """Explains."""
    from cid_mmpose.compat import check_versions

    check_versions()
    from cid_mmpose.files import check_writable
    from cid_mmpose.inference.explained import one_image

    check_writable(args.out, 'folder of pages')
    one_image(args.image)  # says what is not there before weights are fetched
    seen = load_model(args, args.model, args.checkpoint).explain(args.image)
    against = None
    if args.against is not None:
        names = (args.against, None) if args.checkpoint is None else (args.model, args.against)
        against = load_model(args, *names).explain(args.image)

    persons = None
    if args.person is not None:
        persons = [args.person]
    elif args.at is not None and len(seen.people):
        persons = [seen.nearest(*args.at)]
    paths = seen.save(args.out, persons, against)
    for shown in (seen, against):
        if shown is not None and shown.masks_are_saturated:
            print(f'{shown.weights}: {OF_SATURATED_MASKS}')
    print(f'{seen.people!r}\n{len(paths)} images; open {paths[0]}')
