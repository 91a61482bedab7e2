"""SynthCrowd as files: images and one COCO annotation file, for code that reads nothing else."""

import json
from pathlib import Path

import cv2

from cid_mmpose.data.annotations import keypoint_names
from cid_mmpose.errors import BadInput

ANNOTATION_FILE = 'annotations.json'
IMAGES = 'images'


def export_coco(dataset, folder: str) -> Path:
    """Writes images and annotations.

    The images are PNG, so that every pixel is as the data set gives it. ``crowdIndex`` of each image is included.

    Args:
        dataset: a SynthCrowd; all its images are written.
        folder: where to; made when missing, must hold no annotation file yet.

    Returns:
        The annotation file's path.

    Raises:
        BadInput: the folder already holds an export, or cannot be written.
    """
    root = Path(folder)
    target = root / ANNOTATION_FILE
    if target.exists():
        raise BadInput(f'{target} exists already; name another folder or remove it first')
    try:
        (root / IMAGES).mkdir(parents=True, exist_ok=True)
        images, people = [], []
        for index in range(len(dataset)):
            item = dataset.get_data_info(index)
            entry = _write_image(item, root)
            images.append(entry)
            people += item['raw_ann_info']

        data = dict(images=images, annotations=people, categories=[_category(dataset.metainfo)])
        target.write_text(json.dumps(data))
    except OSError as error:
        raise BadInput(f'{root}: cannot write the export ({error.strerror}); name a folder you may write to') from None
    return target


def _category(metainfo: dict) -> dict:
    """The category of people in the annotation file, whose links count keypoints from 1."""
    links = [[start + 1, end + 1] for start, end in metainfo['skeleton_links']]
    return dict(metainfo['CLASSES'][0], keypoints=keypoint_names(metainfo), skeleton=links)


def _write_image(item: dict, root: Path) -> dict:
    """Saves one image; its entry in the annotation file."""
    name = f'{item["img_id"]:06d}.png'
    _, content = cv2.imencode('.png', item['img'])
    path = root / IMAGES / name
    path.write_bytes(content.tobytes())
    height, width = item['img'].shape[:2]
    return dict(id=item['img_id'], file_name=name, width=width, height=height, crowdIndex=item['crowd_index'])
