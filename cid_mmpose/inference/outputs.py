"""Files of results: one for each image, or one for all; each appears whole or not at all."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import IO

import cv2
import numpy as np

from cid_mmpose.errors import BadInput
from cid_mmpose.files import partial_path, put_in_place, write_whole

from .keypoints import KeypointSet
from .origins import Origins
from .people import People, csv_text
from .screen import tell
from .video import VideoWriter

WRITABLE = {'.bmp', '.jpeg', '.jpg', '.png', '.tif', '.tiff', '.webp'}  # endings of images that are kept when drawn

JSON = 'json'  # folders below that of the results
IMAGES = 'images'
VIDEOS = 'videos'
LONGEST = 200  # bytes of a name; systems take 255, of which the names of unfinished files need some more


class Names:
    """A name for the results of each path, no two the same: two folders may have images of one name.

    The same path always gets the same name. What has no path, as an array, gets one name altogether: who writes
    results of several must keep them apart, or refuse them as ``predict.check_names`` does.

    Args:
        origins: of results that must stay; an image gets no name under which those of another are there. None: what is
            there is written over.
    """

    def __init__(self, origins: Origins | None = None) -> None:
        self.origins = origins
        self.of_path: dict[str | None, str] = {}
        self.taken: set[str] = set()

    def name_of(self, path: str | None) -> str:
        """The last part of a path, with a number behind its stem if another path has it already.

        Args:
            path: of an image or a video; 'image.png' where it has no last part, or is None.
        """
        if path not in self.of_path:
            name = os.path.basename(path or '') or 'image.png'
            stem, ending = os.path.splitext(name)
            while len(os.fsencode(stem + ending)) > LONGEST:
                stem = stem[:-1] or stem
                ending = ending if len(stem) > 1 else ending[:-1]
            name = stem + ending
            number = 1
            while self.taken & _names_of(name) or self._is_others(name, path):
                number += 1
                name = f'{stem}_{number}{ending}'
            self.taken |= _names_of(name)
            self.of_path[path] = name
        return self.of_path[path]

    def _is_others(self, name: str, path: str | None) -> bool:
        return self.origins is not None and self.origins.is_others(files_of(name), path)


def _names_of(name: str) -> set[str]:
    """What files of results are called: 'a' and 'a.png' would both be drawn as 'a.png'."""
    return {name, drawn_name(name), video_name(name)}


def files_of(name: str) -> tuple[str, str, str]:
    """Where the JSON, the drawn image and the drawn video of a name go, below the folder of results."""
    return f'{JSON}/{name}.json', f'{IMAGES}/{drawn_name(name)}', f'{VIDEOS}/{video_name(name)}'


def video_name(name: str) -> str:
    """The name of a drawn video: that of the video, with .mp4 behind it where it is of another kind."""
    return name if name.lower().endswith('.mp4') else f'{name}.mp4'


def drawn_name(name: str) -> str:
    """The name of a drawn image: that of the image, with .png behind it where its kind cannot be written."""
    ending = os.path.splitext(name)[1].lower()
    return name if ending in WRITABLE else f'{name}.png'


def write_image(path: Path, image: np.ndarray) -> None:
    """Writes an image (h, w, 3) uint8 BGR in the kind that the name's ending says.

    Raises:
        BadInput: OpenCV cannot write it so: JPEG has at most 65535 pixels a side, WebP 16383.
    """
    try:
        written, data = cv2.imencode(path.suffix, image)
    except cv2.error:  # how OpenCV before 4.8 says it of WebP
        written = False
    if not written:
        height, width = image.shape[:2]
        raise BadInput(
            f'{path}: {width} x {height} pixels cannot be written as {path.suffix}; convert the image to .png before, '
            'or do without --images'
        )
    write_whole(path, data.tobytes())


@contextmanager
def whole_file(path: Path) -> Iterator[IO]:
    """A text file for writing that gets its name when everything is in it, and is removed after an error."""
    partial = partial_path(path)
    try:
        with partial.open('w', encoding='utf-8', errors='surrogateescape', newline='') as file:
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


def by_video(results: Iterable[People]) -> Iterator[tuple[str | None, Iterator[People]]]:
    """Path and frames of each video in turn; one that comes twice comes twice here.

    Args:
        results: in order; still images among them are left out.
    """
    for (_, path), of_video in groupby(_turns(results), itemgetter(0)):
        yield path, (people for _, people in of_video)


def _turns(results: Iterable[People]) -> Iterator[tuple[tuple[int, str | None], People]]:
    """Each frame behind a number that goes up with each video, and its path."""
    turn = 0
    path, frame = None, -1
    for people in results:
        if people.frame is None:
            continue
        if people.path != path or people.frame <= frame:
            turn += 1
        path, frame = people.path, people.frame
        yield (turn, path), people


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


class Videos:
    """Videos with the people drawn, one open at a time."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self.frame = -1  # the last one that was written
        self.writer: VideoWriter | None = None

    def add(self, path: Path, people: People, drawn: np.ndarray) -> None:
        """One frame with its people drawn.

        Args:
            path: of the drawn video.
            people: of a frame.
            drawn: (h, w, 3) uint8 BGR.
        """
        assert people.frame is not None  # of a video
        if path != self.path or people.frame <= self.frame:  # another one, or the same once more
            self._close()
            path.parent.mkdir(parents=True, exist_ok=True)
            self.writer = VideoWriter(path, source=people.path)
            self.path = path
        assert self.writer is not None  # of this name
        self.writer.write(drawn, people.time)
        self.frame = people.frame

    def _close(self) -> None:
        if self.writer is not None:
            self.writer.close()
            if self.writer.complaint:
                tell(self.writer.complaint)
        self.writer = None

    def __enter__(self) -> 'Videos':
        return self

    def __exit__(self, kind: type | None, *_) -> None:
        if kind is None:
            self._close()
        elif self.writer is not None:
            self.writer.abort()
