"""Find the people in images, folders, videos, cameras and URLs.

Writes JSON for each image, and images and videos with the people drawn; or only what is named by --json, --csv, --coco,
--images and --video. With --jsonl or --parquet it writes one row an image into one file instead, for as many images as
there are. The same command takes up a run that was interrupted.
"""

import argparse
import sys

from .model_arguments import add_model, load_model
from .predict_rows import FORMATS_OF_ROWS, add_rows, check_rows, write_rows

EXAMPLES = """
  cid predict photo.jpg --out found
  cid predict images/ 'more/*.png' clip.mp4 --model work_dirs/demo --out found
  cid predict images/ --model cid_hrnet-w32_coco --checkpoint epoch_140.pth --csv --coco --out found
  cid predict --list million.txt --model demo.onnx --parquet --shard 3/100 --out rows
  cid predict 0 --show --model work_dirs/demo --out found"""
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
    parser.add_argument('inputs', nargs='*', metavar='INPUT', help='image, video, folder, pattern, URL, camera number')
    parser.add_argument('--out', default='people', metavar='DIR', help='folder of the results (people)')
    for name, about in FORMATS.items():
        parser.add_argument(f'--{name}', action='store_true', help=about)
    add_model(parser)
    parser.add_argument('--batch-size', type=int, help='images at a time (1 on a CPU, 8 on a GPU)')
    parser.add_argument('--skip-existing', action='store_true', help='leaves out images whose results are there')
    parser.add_argument('--strict', action='store_true', help='stops at an image that cannot be read')
    add_rows(parser)


def run(args: argparse.Namespace) -> None:
    """Predicts."""
    check_rows(args, [name for name in FORMATS if getattr(args, name)])
    import cid_mmpose

    if not args.model.lower().endswith(cid_mmpose.EXPORTED):
        from cid_mmpose.compat import check_versions

        check_versions()
    if any(getattr(args, name) for name in FORMATS_OF_ROWS):
        write_rows(args)
        return
    from cid_mmpose.engine.interrupts import run_ends
    from cid_mmpose.inference.origins import state_of
    from cid_mmpose.inference.predict import EVERYTHING, Wanted, predict
    from cid_mmpose.inference.sources import find

    find(args.inputs)  # says what is not there before weights are fetched
    predictor = load_model(args, args.model, args.checkpoint, args.batch_size, takes_exported=True)
    print(f'model: {predictor}', file=sys.stderr)
    wanted = Wanted(**{name: getattr(args, name) for name in FORMATS})
    if wanted == Wanted():
        wanted = EVERYTHING
    with run_ends():
        predict(
            predictor,
            args.inputs,
            args.out,
            wanted,
            settings=dict(model=args.model, weights=predictor.weights, state=state_of(predictor.weights)),
            strict=args.strict,
            skip_existing=args.skip_existing,
        )
