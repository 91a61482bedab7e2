"""Write a model as a file for a runtime without torch, checked against torch before it is said to be done.

The file takes images as they are resized, uint8 BGR, and gives the keypoints, keypoint scores and scores of at most so
many people; docs/export.md has its inputs and outputs. cid predict --model FILE runs it.
"""

import argparse

from cid_mmpose.errors import BadInput

from .model_arguments import DEFAULT_MODEL

EXAMPLES = """
  cid export work_dirs/demo --out demo.onnx
  cid export cid_hrnet-w32_coco --checkpoint epoch_140.pth --no-flip --max-people 100 --out cid.onnx
  cid export work_dirs/demo --out demo.xml
  cid export work_dirs/demo --fixed-size 640x512 --batch 1 --images photos/ --out fixed.onnx
  cid export work_dirs/demo --precision bfloat16 --data annotations.json images/ --max-drop 0.5 --out demo.xml
  cid export work_dirs/demo --precision int8 --calibrate photos/ --data annotations.json images/ --out demo.xml
  cid export work_dirs/demo --fixed-size 704x512 --precision float16 --out demo.engine
  cid export work_dirs/demo --format browser --size 256 --no-flip --max-people 10 --out site"""
PRECISIONS = ('float32', 'float16', 'bfloat16', 'int8')
FORMATS = ('onnx', 'openvino', 'tensorrt', 'browser')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of the verb."""
    parser.add_argument(
        'model',
        metavar='MODEL',
        nargs='?',
        default=DEFAULT_MODEL,
        help=f'work folder, checkpoint with its config, config, or name of a public model ({DEFAULT_MODEL})',
    )
    parser.add_argument(
        '--out', required=True, metavar='FILE', help='path of the file: .onnx, .xml of OpenVINO or .engine of TensorRT'
    )
    parser.add_argument('--format', choices=FORMATS, help='what runs the file (by its ending); browser makes a page')
    parser.add_argument('--checkpoint', help='weights for a config or a name: path or URL')
    parser.add_argument('--max-people', type=int, help="rows of an image (the config's, 30)")
    parser.add_argument('--min-score', type=float, default=0.01, help='leaves out people with a lower score (0.01)')
    parser.add_argument('--nms', type=float, help='of two people with a higher OKS one stays')
    flip = parser.add_mutually_exclusive_group()
    flip.add_argument('--flip', action='store_true', help="the graph looks at the mirror image too (the config's)")
    flip.add_argument('--no-flip', action='store_true', help='it does not: twice as fast')
    parser.add_argument('--size', type=int, help="short side of the network's input in pixels; the other is free")
    parser.add_argument('--fixed-size', type=size_of, metavar='WxH', help='the input has this size, images are padded')
    parser.add_argument('--batch', type=int, help='images at a time (free)')
    parser.add_argument('--precision', choices=PRECISIONS, default='float32', help='of the backbone')
    parser.add_argument('--opset', type=int, default=18, help='of the ONNX graph, 18 to 23 (18)')
    parser.add_argument('--images', nargs='+', default=[], metavar='INPUT', help='images to check on (drawn people)')
    parser.add_argument(
        '--onnxruntime-web',
        default='node_modules/onnxruntime-web',
        metavar='FOLDER',
        help='the npm package, for a page (node_modules/onnxruntime-web)',
    )
    parser.add_argument(
        '--calibrate',
        metavar='INPUT',
        help='int8: a folder of images that set its ranges (synth: drawn ones)',
    )
    parser.add_argument(
        '--data',
        nargs='+',
        metavar='FILE',
        help='annotation file and folder of images on which AP is measured, or synth for drawn people (int8: synth)',
    )
    parser.add_argument(
        '--max-drop', type=float, help='with --data or int8: points of AP that the file may have less than torch (1)'
    )
    parser.add_argument('--force', action='store_true', help='replace the file if it is already there')


def size_of(word: str) -> tuple[int, int]:
    """'WxH' in pixels."""
    width, _, height = word.lower().partition('x')
    if not width.isdigit() or not height.isdigit():
        raise argparse.ArgumentTypeError(f'{word!r}: give a width and a height, such as 640x512')
    return int(width), int(height)


def run(args: argparse.Namespace) -> None:
    """Exports."""
    from cid_mmpose.compat import check_versions

    check_versions()
    from cid_mmpose.engine.screen import quiet_warnings
    from cid_mmpose.export.accuracy import SYNTH, AccuracyOptions
    from cid_mmpose.export.browser_page import export_page
    from cid_mmpose.export.int8 import Int8Options
    from cid_mmpose.export.options import ExportOptions
    from cid_mmpose.export.run import export, format_of

    flip = True if args.flip else False if args.no_flip else None
    options = ExportOptions(
        max_people=args.max_people,
        min_score=args.min_score,
        nms=args.nms,
        flip=flip,
        size=args.size,
        fixed_size=args.fixed_size,
        batch=args.batch,
        precision=args.precision,
        opset=args.opset,
    )
    common = dict(checkpoint=args.checkpoint, options=options, images=args.images, force=args.force)
    by_ap = args.data is not None or args.precision == 'int8'
    check_needed(args, by_ap)
    max_drop = 1.0 if args.max_drop is None else args.max_drop
    common['accuracy'] = AccuracyOptions(data=args.data or [SYNTH], max_drop=max_drop) if by_ap else None
    int8 = Int8Options(calibrate=args.calibrate or SYNTH)
    with quiet_warnings():
        if args.format == 'browser':
            exported = export_page(args.model, args.out, package=args.onnxruntime_web, **common)
        else:
            format = args.format or format_of(args.out)
            exported = export(args.model, args.out, format=format, int8=int8, **common)
    print(exported.text())


def check_needed(args: argparse.Namespace, by_ap: bool) -> None:
    """BadInput for an option that would change nothing.

    Args:
        args: of the command.
        by_ap: whether AP is measured.
    """
    if args.calibrate is not None and args.precision != 'int8':
        raise BadInput(f'--calibrate {args.calibrate}: is of --precision int8; leave it out, or give that precision')
    if args.max_drop is not None and not by_ap:
        raise BadInput(f'--max-drop {args.max_drop:g}: no AP is measured; give --data with it, or leave it out')
