"""SynthCrowd as files: images and one COCO annotation file, for code that reads nothing else."""

import json
from pathlib import Path

import cv2

from cid_mmpose.errors import BadInput

ANNOTATION_FILE = 'annotations.json'
IMAGES = 'images'


def export_coco(dataset, folder: str) -> Path:
    """Write images and annotations; returns the annotation file's path.

    The images are PNG, so that every pixel is as the data set gives it. ``crowdIndex`` of each image is included.

    Args:
        dataset: a SynthCrowd; all its images are written.
        folder: where to; made when missing, must hold no annotation file yet.

    Raises:
        BadInput: the folder already holds an export, or cannot be written.
    """
    root, metainfo = Path(folder), dataset.metainfo
    target = root / ANNOTATION_FILE
    if target.exists():
        raise BadInput(f'{target} exists already; name another folder or remove it first')
    try:
        (root / IMAGES).mkdir(parents=True, exist_ok=True)
        images, people = [], []
        for item in map(dataset.get_data_info, range(len(dataset))):
            images.append(_write_image(item, root))
            people += item['raw_ann_info']
        names = [metainfo['keypoint_id2name'][number] for number in range(metainfo['num_keypoints'])]
        links = [[start + 1, end + 1] for start, end in metainfo['skeleton_links']]
        category = dict(metainfo['CLASSES'][0], keypoints=names, skeleton=links)
        target.write_text(json.dumps(dict(images=images, annotations=people, categories=[category])))
    except OSError as error:
        raise BadInput(f'{root}: cannot write the export ({error.strerror}); name a folder you may write to') from None
    return target


def _write_image(item: dict, root: Path) -> dict:
    """Save one image; its entry in the annotation file."""
    name = f'{item["img_id"]:06d}.png'
    path = root / IMAGES / name
    path.write_bytes(cv2.imencode('.png', item['img'])[1].tobytes())
    height, width = item['img'].shape[:2]
    return dict(id=item['img_id'], file_name=name, width=width, height=height, crowdIndex=item['crowd_index'])
