"""COCO-style data sets for CID: whole images with the people in them.

Beside MMPose's own classes: annotations are checked first, training takes the images the authors train on, and what
must not count in the loss keeps its region even where that is run-length encoded.
"""

import numpy as np
from mmengine.fileio import join_path
from mmengine.logging import MMLogger
from mmpose.datasets.datasets.base import BaseCocoStyleDataset

from cid_mmpose.compat.metainfo import COCO
from cid_mmpose.errors import BadInput
from cid_mmpose.recipes import DEFAULT, options_of
from cid_mmpose.registry import DATASETS

from .annotations import (
    check_data_root,
    check_keypoints,
    check_places,
    keypoint_names,
    people_categories,
    read_annotations,
)
from .problems import (
    bad_annotations,
    check_entries,
    is_crowd,
    labelled_keypoints,
    of_people,
    problems_of_areas,
    say_problems,
    sides_of,
    usable_region,
)
from .units import check_units

BAD_ANNOTATIONS = ('error', 'skip')
EVALUATED = ('id', 'image_id', 'category_id', 'iscrowd', 'bbox', 'area', 'keypoints', 'num_keypoints')


@DATASETS.register_module()
class CocoPeople(BaseCocoStyleDataset):
    """Images with all their people, from an annotation file in COCO's format.

    Each item holds ``img_path``, ``ann_shape`` (height, width of the annotated image), the N people's ``keypoints``
    (N, K, 2) in pixels, ``keypoints_visible`` (N, K) in {0, 1}, ``bbox`` (N, 4) x1, y1, x2, y2, ``id``, and
    ``invalid_segs``, the regions of crowds and of people without labelled keypoints. Training takes the
    images that ``train_images`` says; testing takes all. People may have any category id.

    Args:
        bad_annotations: what to do about a person without the right number of finite keypoints or without a box:
            'error' stops, 'skip' leaves the person out with a count (and out of the loss, by the region).
        recipe: 'reference' or 'mmpose'; sets ``train_images`` where that is None (``recipes.py``).
        train_images: which images train: those with a 'labelled' person who is not a crowd, or all 'annotated' ones,
            that is with any annotation.
        metainfo: the keypoints, as MMPose's data sets take them; COCO's 17 by default.
        Others as MMPose's ``BaseCocoStyleDataset``.

    Raises:
        BadInput: see ``annotations.py`` and ``problems.py``.
    """

    METAINFO = COCO

    def __init__(
        self,
        *,
        bad_annotations: str = 'error',
        data_root: str | None = '',
        recipe: str = DEFAULT,
        train_images: str | None = None,
        **kwargs,
    ) -> None:
        if bad_annotations not in BAD_ANNOTATIONS:
            raise ValueError(f'bad_annotations must be one of {BAD_ANNOTATIONS}, got {bad_annotations!r}')
        self.bad_annotations = bad_annotations
        self.train_images = options_of('CocoPeople', recipe, train_images=train_images)['train_images']
        data_root = data_root or ''  # None as in MMPose's data sets: the other paths are whole
        check_data_root(data_root)
        super().__init__(data_root=data_root, data_mode='bottomup', **kwargs)

    def __getitem__(self, index: int) -> dict:
        """As mmengine's; one line where it finds no image that can be read, however often it tries."""
        try:
            return super().__getitem__(index)
        except Exception as error:
            if type(error) is not Exception:  # mmengine's own are of no kind of their own
                raise
            raise BadInput(
                f'{self.ann_file}: none of its images that were tried can be read; the log names them. Get '
                "them again, and in testing load them with unreadable='error'"
            ) from None

    def load_data_list(self) -> list[dict]:
        """One item an image; see the class."""
        data = read_annotations(self.ann_file, needs_people=not self.test_mode)
        check_entries(data, self.ann_file)
        check_places(data['images'], self.data_prefix['img'], self.ann_file)
        others = self._keep_people(data)
        annotations = data.get('annotations', ())

        logger = MMLogger.get_current_instance()
        bad = bad_annotations(data, self.ann_file, self.metainfo['num_keypoints'], self.bad_annotations, logger)
        usable = [annotation for annotation in annotations if annotation['id'] not in bad]
        check_units(usable, data['images'], self.ann_file)
        if not self.test_mode:
            self._warn_of_areas(data, bad)

        by_image = {image['id']: [] for image in data['images']}
        for annotation in annotations:
            if annotation['image_id'] in by_image:
                by_image[annotation['image_id']].append(annotation)

        items, chosen = [], []
        for image in data['images']:
            of_image = by_image[image['id']]
            item = self._item(image, of_image, bad)
            items.append(item)
            if self.test_mode or self._trains(item, of_image):
                chosen.append(item)

        if not chosen:
            what = 'image' if self.test_mode else 'image with a labelled person'
            raise BadInput(f'{self.ann_file}: holds no {what}; set ann_file of the data set to another file')
        self._say_counts(items, chosen, usable, others)
        return chosen

    def _keep_people(self, data: dict) -> int:
        """Takes the annotations of other categories out of ``data``; returns how many those were."""
        annotations = data.get('annotations')
        if not annotations:
            return 0
        self._metainfo['CLASSES'] = data['categories']
        people = people_categories(data['categories'], self.ann_file)
        check_keypoints(data, self.ann_file, people, keypoint_names(self.metainfo))
        data['annotations'] = of_people(data, people)
        return len(annotations) - len(data['annotations'])

    def _warn_of_areas(self, data: dict, bad: set) -> None:
        """A line in the log where an evaluation on the file would refuse it, though training does not ask for areas."""
        problems = problems_of_areas(data, bad)
        if problems:
            text = say_problems(problems, len(data['annotations']), self.ann_file)
            MMLogger.get_current_instance().warning(
                '%s; training does not need areas, an evaluation on this file would stop here', text
            )

    def _say_counts(self, items: list[dict], chosen: list[dict], annotations: list[dict], others: int) -> None:
        """One line in the log on what is taken from the file, and how much of everything else there is."""
        labelled = sum(len(item['id']) for item in items)
        crowds = sum(map(is_crowd, annotations))
        counts = {
            'crowds': crowds,
            'people without labelled keypoints': len(annotations) - labelled - crowds,
            'annotations of other categories': others,
            'images without a labelled person': len(items) - len(chosen),
        }
        left_out = [f'{what} {number}' for what, number in counts.items() if number]
        text = f'{self.ann_file}: images {len(chosen)}, labelled people {labelled}'
        if left_out:
            text += f'; left out: {", ".join(left_out)}'
        MMLogger.get_current_instance().info('%s', text)

    def _trains(self, item: dict, annotations: list[dict]) -> bool:
        """Whether an image, with its item and its annotations, is one that trains."""
        if self.train_images == 'annotated':
            return bool(annotations)
        return len(item['keypoints']) > 0

    def _item(self, image: dict, annotations: list[dict], bad: set) -> dict:
        """The item of one image; ``bad`` annotations count as regions without labelled keypoints."""
        shape = sides_of(image)
        people, regions = [], []
        for annotation in annotations:
            if annotation['id'] not in bad and _is_labelled_person(annotation):
                people.append(annotation)
            else:
                region = usable_region(annotation, shape)
                if region:
                    regions.append(region)

        keypoints = np.array([person['keypoints'] for person in people], np.float64)
        keypoints = keypoints.reshape(-1, self.metainfo['num_keypoints'], 3)
        visible = (keypoints[..., 2] > 0).astype(np.float64)
        boxes = np.array([person['bbox'] for person in people], np.float64).reshape(-1, 4)
        low, sides = boxes[:, :2], boxes[:, 2:]
        item = dict(
            img_id=image['id'],
            img_path=join_path(self.data_prefix['img'], image['file_name']),
            ann_shape=shape,
            width=image['width'],  # by which mmdet's AspectRatioBatchSampler puts images together
            height=image['height'],
            id=[person['id'] for person in people],
            keypoints=keypoints[..., :2],
            keypoints_visible=visible,
            bbox=np.concatenate([low, low + sides], 1),
            invalid_segs=regions,
        )
        if self.test_mode:  # for metrics that get no annotation file of their own
            evaluated = [_plain(annotation) for annotation in annotations if annotation['id'] not in bad]
            item['raw_ann_info'] = evaluated or None
        return item


def _is_labelled_person(annotation: dict) -> bool:
    """Whether an annotation that can be used is of a person who has labelled keypoints."""
    return not is_crowd(annotation) and labelled_keypoints(annotation) > 0


def _plain(annotation: dict) -> dict:
    """The fields of an annotation that an evaluation reads."""
    return {field: annotation[field] for field in EVALUATED if field in annotation}
