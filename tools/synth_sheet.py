"""Look at SynthCrowd: a sheet of images with their keypoints, the drawing speed, or an export to files.

    python tools/synth_sheet.py sheet.png
    python tools/synth_sheet.py --speed --people 30 30 --person-height 0.2 0.5 --overlap 1
    python tools/synth_sheet.py --export data/synth_crowd --length 500
"""
import argparse

from cid_mmpose.cli.user_errors import user_errors


def parse_args() -> argparse.Namespace:
    """The command line; what is not given keeps the data set's default."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
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
    args = parser.parse_args()
    if not (args.sheet or args.speed or args.export):
        parser.error('nothing to do: give a PNG to write, --speed or --export DIR')
    return args


def main() -> None:
    """Do what was asked, in the order sheet, speed, export."""
    options = vars(parse_args())
    sheet, speed, export = (options.pop(name) for name in ('sheet', 'speed', 'export'))
    from cid_mmpose.data import SynthCrowd
    from cid_mmpose.data.synth.export import export_coco
    from cid_mmpose.data.synth.sheet import drawing_speed, write_sheet
    dataset = SynthCrowd(**options)
    if sheet:
        write_sheet(dataset.scene, sheet)
        print(f'{sheet}: 16 images')
    if speed:
        rate, people = drawing_speed(dataset)
        width, height = dataset.image_size
        print(f'{rate:.0f} images/s on one core, {width}x{height}, {people:.1f} people an image')
    if export:
        print(f'{export_coco(dataset, export)}: {len(dataset)} images')


if __name__ == '__main__':
    with user_errors():
        main()
