"""Play with a model in the browser: drop an image, see the poses, click a person to see why.

The page is served to this machine alone. Images stay in memory and are written nowhere.
"""

import argparse

from .model_arguments import add_model, load_model

EXAMPLES = """
  cid web --model work_dirs/demo
  cid web --model cid_hrnet-w32_coco --checkpoint epoch_140.pth --port 8000"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of the verb."""
    parser.add_argument('--port', type=int, help='of this machine (the first free one from 7860)')
    parser.add_argument('--share', action='store_true', help="makes a public link by Gradio's servers")
    add_model(parser)


def run(args: argparse.Namespace) -> None:
    """Serves the page."""
    from cid_mmpose.compat import check_versions

    check_versions()
    from cid_mmpose.web.server import check_gradio, serve

    check_gradio()  # before weights are fetched
    serve(load_model(args, args.model, args.checkpoint), args.port, args.share)
