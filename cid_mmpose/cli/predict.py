"""Find the people in images, folders, videos, cameras and URLs.

Writes JSON for each image, and images and videos with the people drawn; or only what is named by --json, --csv, --coco,
--images and --video. The same command takes up a run that was interrupted.
"""

import argparse
import sys

EXAMPLES = """
  cid predict photo.jpg --out found
  cid predict images/ 'more/*.png' clip.mp4 --model work_dirs/demo --out found
  cid predict images/ --model cid_hrnet-w32_coco --checkpoint epoch_140.pth --csv --coco --out found
  cid predict 0 --show --model work_dirs/demo --out found"""
DEFAULT_MODEL = 'cid_hrnet-w32_coco'
FORMATS = dict(
    json='json/NAME.json for each image or video',
    csv='people.csv, one row a person',
    coco='people_coco.json, a COCO file with images and people',
    images='images/NAME, with the people drawn',
    video='videos/NAME.mp4, with the people drawn and the sound kept',
    show='a window with the people drawn; q ends the run',
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of the verb."""
    parser.add_argument('inputs', nargs='+', metavar='INPUT', help='image, video, folder, pattern, URL, camera number')
    parser.add_argument(
        '--model',
        default=DEFAULT_MODEL,
        help=f'work folder, checkpoint with its config, config, or name of a public model ({DEFAULT_MODEL})',
    )
    parser.add_argument('--checkpoint', help='weights for a config or a name: path or URL')
    parser.add_argument('--out', default='people', metavar='DIR', help='folder of the results (people)')
    for name, about in FORMATS.items():
        parser.add_argument(f'--{name}', action='store_true', help=about)
    parser.add_argument('--min-score', type=float, default=0.3, help='leaves out people with a lower score (0.3)')
    parser.add_argument('--max-people', type=int, help='of an image at most')
    parser.add_argument('--nms', type=float, help='of two people with a higher OKS one stays')
    parser.add_argument('--no-flip', action='store_true', help='does not look at the mirror image: twice as fast')
    parser.add_argument('--size', type=int, help="short side of the network's input in pixels")
    parser.add_argument('--precision', choices=('float32', 'bfloat16', 'float16'), help='of the backbone')
    parser.add_argument('--batch-size', type=int, help='images at a time (1 on a CPU, 8 on a GPU)')
    parser.add_argument('--device', help='such as cpu or cuda:0 (a GPU if there is one)')
    parser.add_argument('--skip-existing', action='store_true', help='leaves out images whose results are there')
    parser.add_argument('--strict', action='store_true', help='stops at an image that cannot be read')


def run(args: argparse.Namespace) -> None:
    """Predicts."""
    from cid_mmpose.compat import check_versions

    check_versions()
    from cid_mmpose.inference.load import load
    from cid_mmpose.inference.predict import EVERYTHING, Wanted, predict
    from cid_mmpose.inference.sources import find

    find(args.inputs)  # says what is not there before weights are fetched
    predictor = load(
        args.model,
        args.checkpoint,
        args.device,
        min_score=args.min_score,
        max_people=args.max_people,
        nms=args.nms,
        flip=False if args.no_flip else None,
        size=args.size,
        precision=args.precision,
        batch_size=args.batch_size,
    )
    print(f'model: {predictor}', file=sys.stderr)
    wanted = Wanted(**{name: getattr(args, name) for name in FORMATS})
    if wanted == Wanted():
        wanted = EVERYTHING
    predict(
        predictor,
        args.inputs,
        args.out,
        wanted,
        settings=dict(model=args.model, weights=predictor.weights),
        strict=args.strict,
        skip_existing=args.skip_existing,
    )
