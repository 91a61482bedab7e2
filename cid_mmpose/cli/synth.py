"""Look at SynthCrowd: a sheet of images with their keypoints, the drawing speed, or an export to files."""

import argparse

from cid_mmpose.errors import BadInput

EXAMPLES = """
  cid synth sheet.png
  cid synth --speed --people 30 30 --person-height 0.2 0.5 --overlap 1
  cid synth --export data/synth_crowd --length 500"""
OPTIONS = ('length', 'seed', 'image_size', 'people', 'person_height', 'overlap', 'turn')  # of the data set


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of the verb; what is not given keeps the data set's default."""
    parser.add_argument('sheet', nargs='?', help='PNG to write, with 16 images')
    parser.add_argument('--speed', action='store_true', help='print images per second on one core')
    parser.add_argument('--export', metavar='DIR', help='write images and COCO annotations there')
    parser.add_argument('--length', type=int, default=100, help='images to export or to time')
    parser.add_argument('--seed', type=int, default=argparse.SUPPRESS)
    parser.add_argument('--image-size', type=int, nargs=2, metavar=('W', 'H'), default=argparse.SUPPRESS)
    parser.add_argument('--people', type=int, nargs=2, metavar=('LOW', 'HIGH'), default=argparse.SUPPRESS)
    parser.add_argument('--person-height', type=float, nargs=2, metavar=('LOW', 'HIGH'), default=argparse.SUPPRESS)
    parser.add_argument('--overlap', type=float, default=argparse.SUPPRESS)
    parser.add_argument('--turn', type=float, metavar='DEGREES', default=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> None:
    """Does what was asked, in the order sheet, speed, export."""
    if not (args.sheet or args.speed or args.export):
        raise BadInput('nothing to do: give a PNG to write, --speed or --export DIR')
    from cid_mmpose.compat import check_versions

    check_versions()
    from cid_mmpose.data.synth.export import export_coco
    from cid_mmpose.data.synth.sheet import drawing_speed, write_sheet
    from cid_mmpose.data.synth_crowd import SynthCrowd
    from cid_mmpose.engine.screen import quiet_warnings

    options = {name: getattr(args, name) for name in OPTIONS if hasattr(args, name)}
    with quiet_warnings():
        dataset = SynthCrowd(**options)
    if args.sheet:
        write_sheet(dataset.scene, args.sheet)
        print(f'{args.sheet}: 16 images')
    if args.speed:
        rate, people = drawing_speed(dataset)
        width, height = dataset.image_size
        print(f'{rate:.0f} images/s on one core, {width}x{height}, {people:.1f} people an image')
    if args.export:
        print(f'{export_coco(dataset, args.export)}: {len(dataset)} images')
