"""Images from files to people: beside the network alone and MMPose's inferencer, and whether memory grows."""

import os
import statistics
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import torch
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData
from mmpose.apis import MMPoseInferencer
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from torch import nn

from cid_mmpose import config_path
from cid_mmpose.data.synth_crowd import SynthCrowd
from cid_mmpose.errors import BadInput
from cid_mmpose.inference import People, keypoint_set
from cid_mmpose.inference.finder import WINDOW, Prepared, batches
from cid_mmpose.inference.images import read_image
from cid_mmpose.inference.load import COCO, precision_of, sized
from cid_mmpose.inference.networks import pipeline_of
from cid_mmpose.inference.options import PredictOptions
from cid_mmpose.inference.predict import Wanted, predict
from cid_mmpose.inference.predictor import Predictor
from cid_mmpose.inference.sources import Item, find
from cid_mmpose.inference.video import VideoWriter

from .measure import Row, agreement, clear_peak, peak_rss_mib, summarise, times_in_turns
from .subjects import CONFIG, mmpose_inferencer, our_model

PEOPLE = 10  # that both find in every image
SIZE = (640, 480)  # px, of drawn images
NUM_IMAGES = 26
FEW_IMAGES = 6  # with --quick
BATCH_SIZES = (1, 8)
ROUND = 6  # batches of a round
SMALL_CONFIG = 'cid_hrnet-w16-small_synthcrowd.py'  # memory does not depend on the network
SMALL_SIDE = 64  # px, of its input
SMALL = (96, 64)  # px
MANY = 2000  # small images, and frames
FEW = 200
FILES = Wanted(json=True, images=True, video=True, csv=True, coco=True)


def inference(options: SimpleNamespace) -> Iterator[Row]:
    """Speed on the images of a folder, or on drawn ones, and memory over many small images and frames."""
    network = our_model(PEOPLE, options.checkpoint, options.device)
    network.test_cfg['precision'] = precision_of(network)  # as ``load`` has it
    with TemporaryDirectory() as name, without_logs():
        folder = Path(name)
        paths = image_paths(options, folder)
        theirs = mmpose_inferencer(network, folder)
        for batch_size in BATCH_SIZES:
            model = predictor(network, CONFIG, batch_size)
            yield from speed(options, model, theirs, paths)
        yield from same_people(predictor(network, CONFIG, 1), theirs, paths)
        yield from with_files(options, predictor(network, CONFIG, 1), theirs, paths, folder)
    yield from memory(options)


def image_paths(options: SimpleNamespace, folder: Path) -> list[str]:
    """The images of ``options.images``, or drawn ones in a folder; a few with ``quick``.

    Raises:
        BadInput: the folder holds no image.
    """
    count = FEW_IMAGES if options.quick else NUM_IMAGES
    if options.images is not None:
        found = find(str(options.images))
        return list(found.files[:count])

    paths = []
    crowd = SynthCrowd(length=count, image_size=SIZE)
    for number in range(count):
        paths.append(str(folder / f'{number}.jpg'))
        cv2.imwrite(paths[-1], crowd.get_data_info(number)['img'])
    return paths


def predictor(network: nn.Module, config: str, batch_size: int, size: int | None = None) -> Predictor:
    """What ``cid_mmpose.load`` gives, for a network that is there already.

    Args:
        network: of ``our_model``.
        config: its name, whose pipeline is taken.
        batch_size: images of one size at a time.
        size: short side of the network's input in pixels; None takes that of the config.
    """
    meta = parse_pose_metainfo(dict(from_file=COCO))
    steps = sized(pipeline_of(Config.fromfile(config_path(config)), config), size, config)
    with DefaultScope.overwrite_default_scope('mmpose'):
        pipeline = Compose([dict(step) for step in steps])
    options = PredictOptions(min_score=0.0, batch_size=batch_size)
    return WatchedPredictor(network, pipeline, keypoint_set(meta), meta, options, 'random weights')


def speed(options: SimpleNamespace, model: Predictor, theirs: MMPoseInferencer, paths: list[str]) -> Iterator[Row]:
    """Time of an image, with the reading of files and without, and with MMPose's inferencer.

    Args:
        options: with ``repeats`` and ``device``.
        model: ours.
        theirs: MMPose's, with the same weights.
        paths: of images.
    """
    size = model.batch_size

    def programs(piece: list[str]) -> dict[str, Callable]:
        return dict(
            ours=lambda: list(model(piece, stream=True)),
            network=network_alone(model, piece),
            mmpose=lambda: list(theirs(piece, batch_size=size)),
        )

    times = of_an_image(programs, options, paths, ROUND * size)
    case = f'{len(paths)} images, batch {size}'
    yield Row(
        'inference', case, 'from file to people, ms an image', summarise(times['ours']), summarise(times['mmpose'])
    )
    yield Row('inference', case, 'our network alone, ms an image', summarise(times['network']), None)
    yield Row('inference', case, 'the call over its network, %', overhead(times['ours'], times['network']), None)


def of_an_image(
    programs: Callable[[list[str]], dict[str, Callable]], options: SimpleNamespace, paths: list[str], count: int
) -> dict[str, list[float]]:
    """Milliseconds an image in each round, by name of the program.

    Args:
        programs: some paths -> what is called for them, by name.
        options: with ``repeats`` and ``device``.
        paths: of all images.
        count: images of a round at most, few so that what slows the machine down slows all programs.
    """
    taken: dict[str, list[float]] = {}
    for start in range(0, len(paths), count):
        piece = paths[start : start + count]
        times_of = times_in_turns(programs(piece), options.repeats, options.device, warm_up=start == 0)
        for name, times in times_of.items():
            taken.setdefault(name, []).extend(time / len(piece) for time in times)
    return taken


def overhead(ours: list[float], network: list[float]) -> float:
    """Percent by which the first takes longer than the second: the median of the rounds' own."""
    return statistics.median([100 * (one / other - 1) for one, other in zip(ours, network)])


def network_alone(model: Predictor, paths: list[str]) -> Callable:
    """The network on images that were read and resized before, in the batches in which the call has them."""
    prepared = []
    for path in paths:
        image = read_image(path)
        packed = model.pack(image, path)
        prepared.append(Prepared(Item(None, path), packed=packed, size=model.size_of(packed)))

    data = []
    for batch in batches(prepared, model.batch_size, WINDOW * model.batch_size):
        of_batch = [each.packed for _, each in batch if each.packed is not None]
        inputs = [each['inputs'] for each in of_batch]
        samples = [each['data_samples'] for each in of_batch]
        data.append(dict(inputs=inputs, data_samples=samples))

    @torch.no_grad()
    def run() -> None:
        for batch in data:
            model.network.test_step(batch)

    return run


def same_people(model: Predictor, theirs: MMPoseInferencer, paths: list[str]) -> Iterator[Row]:
    """How far the people of an image are from those that MMPose's inferencer finds, at most over all images."""
    largest: dict[str, Row] = {}
    for people, result in zip(model(paths), theirs(paths, return_datasamples=True)):
        (sample,) = result['predictions']
        ours = InstanceData(keypoints=people.keypoints)
        for row in agreement('inference', f'{len(paths)} images', ours, sample.pred_instances):
            known = largest.get(row.measure)
            if known is None or row.ours > known.ours:
                largest[row.measure] = row
    yield from largest.values()


def with_files(
    options: SimpleNamespace, model: Predictor, theirs: MMPoseInferencer, paths: list[str], folder: Path
) -> Iterator[Row]:
    """The same with what ``cid predict`` writes by default, JSON and drawn images; MMPose's writes both as well."""

    def ours(piece: list[str]) -> None:
        with silent():
            predict(model, piece, str(folder / 'ours'), Wanted(json=True, images=True))

    def programs(piece: list[str]) -> dict[str, Callable]:
        return dict(
            ours=lambda: ours(piece),
            network=network_alone(model, piece),
            mmpose=lambda: list(theirs(piece, out_dir=str(folder / 'theirs'))),
        )

    times = of_an_image(programs, options, paths, ROUND)
    case = f'{len(paths)} images, batch 1, written'
    yield Row(
        'inference', case, 'from file to files, ms an image', summarise(times['ours']), summarise(times['mmpose'])
    )
    yield Row('inference', case, 'the command over its network, %', overhead(times['ours'], times['network']), None)


class WatchedPredictor(Predictor):
    """Knows the peak of memory in each half of the images that it was last called with.

    Attributes:
        num_expected: how many images there will be.
        peaks: MiB; empty where the system does not tell.
    """

    num_expected = 0
    peaks: tuple[float, ...] = ()

    def people_of(self, *args: Any, **options: Any) -> Iterator[People]:
        """As ``Predictor.people_of``."""
        self.peaks = ()
        for number, people in enumerate(super().people_of(*args, **options), 1):
            yield people
            if number == self.num_expected // 10:  # by then everything is loaded
                clear_peak()
            elif number in (self.num_expected // 2, self.num_expected):
                peak = peak_rss_mib()
                self.peaks += () if peak is None else (peak,)
                clear_peak()


def memory(options: SimpleNamespace) -> Iterator[Row]:
    """How much the peak of memory grows from the first half of many images, and of many frames, to the second."""
    count = FEW if options.quick else MANY
    width, height = SMALL
    network = our_model(3, None, options.device, SMALL_CONFIG)
    model = predictor(network, SMALL_CONFIG, 1, SMALL_SIDE)
    model.num_expected = count
    for kind, make in (('images', write_images), ('frames', write_video)):
        case = f'{count} {kind} of {width} x {height} px'
        with TemporaryDirectory() as name:
            try:
                source = make(Path(name), count)
            except BadInput as error:  # no PyAV
                print(f'left out: {case}: {error}')
                continue
            with silent():
                predict(model, [str(source)], str(Path(name) / 'out'), FILES)
        if len(model.peaks) == 2:
            first, second = model.peaks
            yield Row('inference', case, 'peak of memory in the first half, MiB', first, None)
            yield Row('inference', case, 'growth of the peak in the second half, MiB', second - first, None)


def small_images(count: int) -> Iterable[np.ndarray]:
    """Images (h, w, 3) uint8 BGR, a few of them again and again."""
    crowd = SynthCrowd(length=20, image_size=SMALL)
    drawn = [crowd.get_data_info(number)['img'] for number in range(len(crowd))]
    for number in range(count):
        yield drawn[number % len(drawn)]


def write_images(folder: Path, count: int) -> Path:
    """Many small files in a folder of their own, which is returned."""
    source = folder / 'images'
    source.mkdir()
    for number, image in enumerate(small_images(count)):
        cv2.imwrite(str(source / f'{number:05}.jpg'), image)
    return source


def write_video(folder: Path, count: int) -> Path:
    """A video of many small frames, whose path is returned; BadInput where PyAV is not there."""
    path = folder / 'video.mp4'
    with VideoWriter(path, fps=25) as writer:
        for image in small_images(count):
            writer.write(image)
    return path


@contextmanager
def without_logs() -> Iterator[None]:
    """Without mmengine's lines about every image that is written."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel('ERROR')
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def silent() -> Iterator[None]:
    """Without the lines and bars of a command."""
    with open(os.devnull, 'w') as nowhere, redirect_stderr(nowhere):
        yield
