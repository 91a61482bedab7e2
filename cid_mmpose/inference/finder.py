"""What a model does with images, whatever computes: sources in, batches of one size to it, ``People`` in order out.

numpy only. ``predictor.py`` computes with torch, ``cid_mmpose/runtime`` with exported files.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from cid_mmpose.errors import BadInput
from cid_mmpose.oks import Best

from .ahead import ahead
from .keypoints import KeypointSet
from .options import PredictOptions
from .people import People
from .sources import Item, find

WINDOW = 2  # batches among whose images those of one size are looked for


class Prepared(NamedTuple):
    """An image on its way to the network, or why there is none."""

    item: Item
    image: np.ndarray | None = None  # (h, w, 3) uint8 BGR, as given
    packed: Any = None  # of ``PeopleFinder.pack``; None where the network is not asked
    size: tuple[int, ...] | None = None  # equal for images that can be computed together; None as above
    error: BadInput | None = None


class PeopleFinder:
    """A model that is called with images; what computes is a subclass's.

    Args:
        keypoint_set: what its keypoints are.
        options: how people are found.
        weights: what the weights are from, by path or URL.
        batch_size: images of one size that are computed together.
    """

    def __init__(self, keypoint_set: KeypointSet, options: PredictOptions, weights: str, batch_size: int) -> None:
        self.keypoint_set = keypoint_set
        self.options = options
        self.weights = weights
        self.batch_size = batch_size

    def __call__(self, source: Any, *, stream: bool = False, channels: str = 'bgr') -> list[People] | Iterator[People]:
        """The people of each image, in order.

        Args:
            source: path of an image or a video, a folder, a pattern, a URL, number of a camera, an array, a PIL image,
                or a list of any of these.
            stream: gives each result when it is there instead of a list of all; needed for cameras and generators.
            channels: 'bgr' or 'rgb', the order in arrays.

        Raises:
            BadInput: a source is not there, or an image cannot be read.
        """
        found = find(source, channels)
        if stream:
            return self.people_of(found.items, endless=found.endless)
        if found.endless:
            raise BadInput('a camera, a stream or a generator may never end: call with stream=True and take what comes')
        return list(self.people_of(found.items, keep_frames=False))

    def pack(self, image: np.ndarray, path: str | None = None) -> Any:
        """An image as ``compute`` takes it; called by threads that read ahead.

        Args:
            image: (h, w, 3) uint8 BGR.
            path: of its file, for messages.
        """
        raise NotImplementedError

    def start_thread(self) -> None:
        """Called by each thread that reads ahead before it packs anything."""

    def size_of(self, packed: Any) -> tuple[int, ...]:
        """What is equal for images that can be computed together.

        Args:
            packed: of ``pack``.
        """
        raise NotImplementedError

    def compute(self, packed: list[Any]) -> list[Best]:
        """The people of images of one size, in pixels of the images.

        Args:
            packed: of ``pack``, of at least one image.
        """
        raise NotImplementedError

    def people_of(
        self,
        items: Iterable[Item],
        on_error: Callable[[Item, BadInput], None] | None = None,
        keep_files: bool = False,
        keep_frames: bool = True,
        endless: bool = False,
    ) -> Iterator[People]:
        """The people of each item, in order.

        Args:
            items: of ``sources.find``.
            on_error: is told of an image that cannot be read, which is then left out; None raises the error.
            keep_files: hands over the image itself also where it can be read again from its file.
            keep_frames: the same for frames of videos.
            endless: reads no further ahead than one image, so that what comes is not old.
        """
        window = WINDOW * self.batch_size
        depth = window + 2
        if endless:
            window = self.batch_size
            depth = 1
        prepared = ahead(items, self._prepare, depth, start=self.start_thread)
        for each, people in in_order(batches(prepared, self.batch_size, window), self._run):
            if each.error is not None:
                if on_error is None:
                    raise each.error
                on_error(each.item, each.error)
                continue
            keep = keep_files if each.item.is_file else keep_frames or each.item.frame is None
            if each.item.known is not None:
                yield replace(each.item.known, image=each.image if keep else None)
            else:
                yield self._result(each, people, keep)

    def _prepare(self, item: Item) -> Prepared:
        """Called by threads that read ahead."""
        try:
            image = None if item.load is None else item.load()
            if item.known is not None:
                return Prepared(item, image)
            assert image is not None  # only items whose people are known come without
            packed = self.pack(image, item.path)
        except BadInput as error:
            return Prepared(item, error=error)
        return Prepared(item, image, packed, self.size_of(packed))

    def _run(self, batch: list[Prepared]) -> list[Best] | list[None]:
        """The people of a batch of ``batches``; None for each image that the network is not asked."""
        if batch[0].packed is None:  # nor is any other of its batch, which is of one size
            return [None] * len(batch)
        return self.compute([each.packed for each in batch])

    def _result(self, each: Prepared, best: Best, keep: bool) -> People:
        assert each.image is not None
        height, width = each.image.shape[:2]
        people = People(
            keypoints=best.keypoints,
            keypoint_scores=best.keypoint_scores,
            scores=best.scores,
            boxes=best.boxes,
            centers=best.centers,
            keypoint_set=self.keypoint_set,
            image_size=(width, height),
            path=each.item.path,
            frame=each.item.frame,
            time=each.item.time,
            image=each.image if keep else None,
        )
        return people.above(self.options.min_score)


def batches(prepared: Iterable[Prepared], size: int, window: int) -> Iterator[list[tuple[int, Prepared]]]:
    """Images of one size together, with their numbers.

    The image that has waited longest is in the next batch, so none waits for more than ``window - 1`` batches before
    its own.

    Args:
        prepared: in order.
        size: images of a batch at most.
        window: images among which those of one size are looked for.
    """
    waiting: list[tuple[int, Prepared]] = []
    for number, each in enumerate(prepared):
        waiting.append((number, each))
        if len(waiting) >= window:
            yield _like_the_first(waiting, size)
    while waiting:
        yield _like_the_first(waiting, size)


def _like_the_first(waiting: list[tuple[int, Prepared]], size: int) -> list[tuple[int, Prepared]]:
    """Takes the first image, and others of its size, out of those that wait."""
    wanted = waiting[0][1].size
    alike = [pair for pair in waiting if pair[1].size == wanted][:size]
    taken = {number for number, _ in alike}
    waiting[:] = [pair for pair in waiting if pair[0] not in taken]
    return alike


def in_order(numbered: Iterable[list[tuple[int, Any]]], run: Callable) -> Iterator[tuple[Any, Any]]:
    """Each image with what the network says of it, in the order of the numbers.

    Args:
        numbered: batches.
        run: images -> as many answers.
    """
    done = {}
    following = 0
    for batch in numbered:
        numbers, images = zip(*batch)
        for number, image, answer in zip(numbers, images, run(list(images))):
            done[number] = (image, answer)
        while following in done:
            yield done.pop(following)
            following += 1
