"""Draw how CID finds the keypoints of three people: the image at the top of docs/architecture.md.

    make demo
    .venv/bin/python experiments/stages.py work_dirs/demo/iter_1000.pth

With --explained it writes the image of docs/explain.md instead.

The image is one of SynthCrowd's that the demo does not train on.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

import cid_mmpose  # before anything imports MMPose
from cid_mmpose.cli.user_errors import user_errors
from cid_mmpose.errors import BadInput

ROOT = Path(__file__).resolve().parents[1]
PEOPLE = 3  # who get a panel each
COLUMNS = 3
TITLE_HEIGHT = 24  # px above each panel
TEXT = 40, 40, 40  # BGR
COLOURS = 256  # of the PNG's palette, which keeps the file below 200 kB
QUALITY = 80  # of WebP, which keeps the sheet of `cid explain` below 200 kB
EFFORT = 6  # of WebP, the most
ROUNDS = 3  # of k-means, by which the palette is fitted to the image


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('checkpoint', help='weights of the demo')
    parser.add_argument('--config', default=cid_mmpose.config_path('cid_hrnet-w16-small_synthcrowd.py'))
    parser.add_argument('--index', type=int, default=11, help='of a test image that shows three people (11)')
    parser.add_argument('--explained', type=Path, help='WebP for the sheet of `cid explain` of this image, instead')
    parser.add_argument('--out', type=Path, default=ROOT / 'docs' / 'images' / 'stages.png', help='PNG to write')
    return parser.parse_args()


def draw_stages(config: str, checkpoint: str, index: int) -> np.ndarray:
    """The stages on one test image, (h, w, 3) uint8 BGR.

    Args:
        config: path of a config whose test data set draws its images.
        checkpoint: path of weights for its model.
        index: of the test image.

    Raises:
        BadInput: the model does not find three people in the image.
    """
    from mmengine.dataset import pseudo_collate
    from mmpose.apis import init_model
    from mmpose.registry import DATASETS

    from cid_mmpose.visualization import draw_people, overlay, sheet
    from cid_mmpose.visualization.explain import explain

    model = init_model(config, checkpoint, device='cpu')
    dataset = DATASETS.build(model.cfg.test_dataloader.dataset)
    item = dataset[index]
    seen = explain(model, item['inputs'])
    if len(seen.keypoints) != PEOPLE:
        raise BadInput(f'--index {index}: the model finds {len(seen.keypoints)} people there, not {PEOPLE}')

    image = dataset.get_data_info(index)['img']
    found = model.test_step(pseudo_collate([item]))[0]
    panels = [titled(image, '1. an image'), titled(overlay(image, seen.crowd[-1]), '2. IIA: centers of people')]
    from_left = seen.roots[:, 0].argsort()
    for number, person in enumerate(from_left):
        heatmap = seen.keypoints[person].max(axis=0)
        panels.append(titled(overlay(image, heatmap), f'{number + 3}. GFD: maps of person {number + 1}'))
    panels.append(titled(draw_people(image, found, dataset.metainfo), '6. keypoints of everyone'))
    return sheet(panels, COLUMNS)


def draw_explained(config: str, checkpoint: str, index: int) -> np.ndarray:
    """The sheet of ``cid explain`` for one test image, (h, w, 3) uint8 BGR.

    Args:
        config: path of a config whose test data set draws its images.
        checkpoint: path of weights for its model.
        index: of the test image.
    """
    from mmpose.registry import DATASETS

    from cid_mmpose.engine.launch import read_config
    from cid_mmpose.inference.explained_pages import pages_of
    from cid_mmpose.recipes import apply_recipe

    model = cid_mmpose.load(config, checkpoint, device='cpu')
    cfg = read_config(config)
    apply_recipe(cfg)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    seen = model.explain(dataset.get_data_info(index)['img'])
    named = replace(seen, people=replace(seen.people, path=f'image {index} of the test images'))
    _, picture = next(pages_of([named], range(len(seen.people))))
    return picture


def titled(image: np.ndarray, title: str) -> np.ndarray:
    """The image below a line of text on white.

    Args:
        image: (h, w, 3) uint8 BGR.
        title: the text, in ASCII.

    Returns:
        (h + TITLE_HEIGHT, w, 3) uint8 BGR.
    """
    line = np.full((TITLE_HEIGHT, image.shape[1], 3), 255, np.uint8)
    cv2.putText(line, title, (2, TITLE_HEIGHT - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.5, TEXT, 1, cv2.LINE_AA)
    return np.vstack([line, image])


def main(args: argparse.Namespace) -> None:
    """Draws the stages and writes them with a palette; or the sheet, whose colour bars a palette would spoil."""
    path = args.explained or args.out
    draw = draw_explained if args.explained else draw_stages
    image = draw(args.config, args.checkpoint, args.index)
    small = Image.fromarray(np.ascontiguousarray(image[..., ::-1]))
    if args.explained:
        small.save(path, quality=QUALITY, method=EFFORT)
    else:
        small.quantize(COLOURS, kmeans=ROUNDS).save(path, optimize=True)
    print(f'{path}: {image.shape[1]} x {image.shape[0]} px, {path.stat().st_size / 1000:.0f} kB')


if __name__ == '__main__':
    args = parse_args()
    with user_errors():
        main(args)
