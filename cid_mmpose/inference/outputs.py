"""Files of results: one for each image, or one for all; each appears whole or not at all."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import cv2
import numpy as np

from cid_mmpose.files import partial_path, put_in_place, write_whole

from .keypoints import KeypointSet
from .people import People, csv_text

WRITABLE = {'.bmp', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp'}  # endings of images that are kept when drawn


class Names:
    """A name for the results of each image, no two the same: two folders may have images of one name."""

    def __init__(self) -> None:
        self.of_path: dict[str | None, str] = {}
        self.taken: set[str] = set()

    def name_of(self, path: str | None) -> str:
        """The last part of a path, with a number behind its stem if another path has it; 'image.png' for an array."""
        if path not in self.of_path:
            name = os.path.basename(path or '') or 'image.png'
            stem, ending = os.path.splitext(name)
            number = 1
            while name in self.taken:
                number += 1
                name = f'{stem}_{number}{ending}'
            self.taken.add(name)
            self.of_path[path] = name
        return self.of_path[path]


def drawn_name(name: str) -> str:
    """The name of a drawn image: that of the image, with .png behind it where its kind cannot be written."""
    ending = os.path.splitext(name)[1].lower()
    return name if ending in WRITABLE else f'{name}.png'


def write_image(path: Path, image: np.ndarray) -> None:
    """Writes an image (h, w, 3) uint8 BGR in the kind that the name's ending says."""
    _, data = cv2.imencode(path.suffix, image)
    write_whole(path, data.tobytes())


@contextmanager
def whole_file(path: Path) -> Iterator[IO]:
    """A text file for writing that gets its name when everything is in it, and is removed after an error."""
    partial = partial_path(path)
    try:
        with partial.open('w', encoding='utf-8', newline='') as file:
            yield file
        put_in_place(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_csv(path: Path, results: Iterable[People], keypoint_set: KeypointSet) -> None:
    """One row a person, for all images.

    Args:
        path: of the file.
        results: in order.
        keypoint_set: of the columns.
    """
    nobody = People.nobody(keypoint_set, (1, 1))
    with whole_file(path) as file:
        file.write(csv_text([nobody.header()]))
        for people in results:
            file.write(csv_text(people.rows()))


def write_json_list(path: Path, results: Iterable[People]) -> None:
    """A list with ``People.to_dict`` of each, one a line.

    Args:
        path: of the file.
        results: in order.
    """
    with whole_file(path) as file:
        start = '[\n'
        for people in results:
            file.write(start + json.dumps(people.to_dict()))
            start = ',\n'
        file.write('\n]\n' if start == ',\n' else '[]\n')


def write_coco(path: Path, results: Iterable[People], keypoint_set: KeypointSet) -> None:
    """A COCO file of keypoints with images, category and annotations, which also hold each person's score.

    Args:
        path: of the file.
        results: in order; images are numbered from 1.
        keypoint_set: of the category.
    """
    links = [[start + 1, end + 1] for start, end in keypoint_set.links]
    category = dict(id=1, name='person', keypoints=list(keypoint_set.names), skeleton=links)
    images: list[dict] = []
    entries: list[dict] = []
    for image_id, people in enumerate(results, 1):
        width, height = people.image_size
        image = dict(id=image_id, file_name=people.path or f'image {image_id}', width=width, height=height)
        if people.frame is not None:
            image.update(frame=people.frame, time=people.time)
        images.append(image)
        for entry in people.to_coco(image_id):
            _, _, box_width, box_height = entry['bbox']
            whole = dict(id=len(entries) + 1, iscrowd=0, area=box_width * box_height, num_keypoints=len(keypoint_set))
            entries.append({**whole, **entry})
    with whole_file(path) as file:
        json.dump(dict(images=images, categories=[category], annotations=entries), file)
