"""AP of an exported file on a data set: a COCO annotation file with its images, or SynthCrowd, drawn on the spot."""

import contextlib
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmengine.config import Config
from mmengine.logging import MMLogger

from cid_mmpose.data import CocoPeople, SynthCrowd
from cid_mmpose.errors import BadInput
from cid_mmpose.evaluation import CocoPeopleMetric
from cid_mmpose.inference.finder import PeopleFinder
from cid_mmpose.inference.images import read_image
from cid_mmpose.inference.options import PredictOptions
from cid_mmpose.runtime.predictor import ExportedPredictor, device_of, session_of

SYNTH = 'synth'
DRAWN = 200  # images of SynthCrowd that are evaluated
SEED = 1  # of them, as in the demo's config; training has 0
CALIBRATION_SEED = 2
SCENES = ('image_size', 'people', 'person_height', 'overlap', 'turn')  # options of SynthCrowd that a config sets


@dataclass(frozen=True)
class AccuracyOptions:
    """How a file is judged by its AP.

    Args:
        data: on which AP is measured: 'synth', or an annotation file and the folder of its images.
        max_drop: how many points of AP the file may have less than torch.

    Raises:
        BadInput: ``max_drop`` is not from 0 to 100.
    """

    data: Sequence[str] = (SYNTH,)
    max_drop: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.max_drop <= 100:
            raise BadInput(f'max_drop must be from 0 to 100 points of AP, got {self.max_drop:g}')


class Measured(NamedTuple):
    """APs on a data set, in percent."""

    torch: float
    file: float
    images: int  # of the data set
    data: str  # its name

    @property
    def drop(self) -> float:
        """Points of AP that the file costs."""
        return self.torch - self.file

    def text(self) -> str:
        """As a user reads it."""
        where = f'{self.images} images of {self.data}'
        return f'AP {self.torch:.2f} in torch and {self.file:.2f} through the file on {where}'


def exported_model(path: Path) -> ExportedPredictor:
    """A file with everyone whom an evaluation counts.

    Args:
        path: of the file.
    """
    session = session_of(str(path), device_of(path))
    return ExportedPredictor(session, PredictOptions(min_score=session.about.min_score), str(path))


class Judge:
    """Measures files on a data set and compares them with torch.

    Args:
        model: of torch, in float32, with the options that the files have.
        config: of the model.
        options: the data, and how much AP a file may cost.
        name: of the file, for messages.

    Raises:
        BadInput: the data are wrong, or the model finds nobody in them.
    """

    def __init__(self, model: PeopleFinder, config: Config, options: AccuracyOptions, name: str) -> None:
        self.options = options
        self.name = name
        self.items = data_set(options.data, config)
        self.data = name_of(options.data)
        self.torch = average_precision(model, self.items)
        if self.torch <= 0:
            raise BadInput(
                f'{name}: AP is 0 in torch on {self.data}, so no drop could be seen; give data of people whom the '
                'model finds (--data)'
            )

    def measure(self, path: Path) -> Measured:
        """AP of torch and of a file.

        Args:
            path: of the file.
        """
        through_file = average_precision(exported_model(path), self.items)
        return Measured(self.torch, through_file, len(self.items), self.data)

    def accepted(self, path: Path, precision: str) -> Measured:
        """AP of torch and of a file that costs no more than it may.

        Args:
            path: of the file.
            precision: of the file.

        Raises:
            BadInput: it costs more.
        """
        measured = self.measure(path)
        if self.accepts(measured):
            return measured
        refusal = self.refusal(f'{precision} costs {measured.drop:.2f}')
        raise BadInput(f'{refusal}; take another --precision, or a larger --max-drop')

    def accepts(self, measured: Measured) -> bool:
        """Whether a file costs no more AP than it may.

        Args:
            measured: of ``measure``.
        """
        return measured.drop <= self.options.max_drop

    def refusal(self, costs: str) -> str:
        """Why a file was not written, without the way out.

        Args:
            costs: what costs how much, as the line has it.
        """
        return (
            f'{self.name}: {costs}, more than {self.options.max_drop:g} AP (AP of torch in float32 is '
            f'{self.torch:.2f} on {self.data}), and was not written'
        )


def name_of(data: Sequence[str]) -> str:
    """How messages name a data set.

    Args:
        data: as ``data_set`` takes it.
    """
    return 'drawn people' if list(data) == [SYNTH] else data[0]


def scenes_of(config: Config) -> dict[str, Any]:
    """How a model's own config draws people; nothing where it does not.

    Args:
        config: of the model.
    """
    dataset = config.get('test_dataloader', {}).get('dataset', {})
    if not str(dataset.get('type', '')).endswith('SynthCrowd'):
        return {}
    return {name: dataset[name] for name in SCENES if name in dataset}


def drawn_crowds(config: Config, seed: int, count: int) -> SynthCrowd:
    """Drawn people like those that a model's config trains on.

    Args:
        config: of the model.
        seed: of the images.
        count: of images.
    """
    return SynthCrowd(length=count, seed=seed, pipeline=[], test_mode=True, **scenes_of(config))


def data_set(given: Sequence[str], config: Config) -> Any:
    """The images and people on which AP is measured.

    Args:
        given: 'synth', or an annotation file and the folder of its images.
        config: of the model, which says what its keypoints are.

    Raises:
        BadInput: it is neither, or the model has other keypoints.
    """
    if list(given) == [SYNTH]:
        return drawn_crowds(config, SEED, DRAWN)
    if len(given) != 2:
        raise BadInput(f'--data {" ".join(given)}: give {SYNTH}, or an annotation file and the folder of its images')
    annotations, folder = given
    if not os.path.isdir(folder):
        raise BadInput(f'--data: {folder} is no folder; give the annotation file and then the folder of its images')
    metainfo = config.get('test_dataloader', {}).get('dataset', {}).get('metainfo')
    return CocoPeople(
        ann_file=annotations, data_prefix=dict(img=folder), pipeline=[], test_mode=True, metainfo=metainfo
    )


def average_precision(model: PeopleFinder, items: Any) -> float:
    """COCO's AP in percent.

    Args:
        model: finds the people.
        items: of ``data_set``.

    Raises:
        BadInput: the items have other keypoints than the model.
    """
    expected = len(model.keypoint_set)
    if items.metainfo['num_keypoints'] != expected:
        raise BadInput(
            f'--data: has {items.metainfo["num_keypoints"]} keypoints, the model {expected}; give data of its keypoints'
        )
    with silent():
        metric = CocoPeopleMetric()
        metric.dataset_meta = items.metainfo
        for number in range(len(items)):
            metric.process([], [_sample(model, items.get_data_info(number))])
        return 100 * metric.evaluate(len(items))['coco/AP']


def _sample(model: PeopleFinder, item: dict[str, Any]) -> dict[str, Any]:
    """What the metric takes of an image."""
    image = item['img'] if 'img' in item else read_image(item['img_path'])
    (people,) = model(image)
    found = dict(
        keypoints=people.keypoints,
        keypoint_scores=people.keypoint_scores,
        bboxes=people.boxes,
        bbox_scores=people.scores,
    )
    return dict(
        id=item['id'],
        img_id=item['img_id'],
        ori_shape=image.shape[:2],
        raw_ann_info=item['raw_ann_info'],
        pred_instances={name: np.asarray(value) for name, value in found.items()},
        gt_instances={},
    )


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Without the tables of the evaluation."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel('ERROR')
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)
