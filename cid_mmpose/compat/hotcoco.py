"""The three modules of ``xtcocotools`` that MMPose imports, on top of ``xthotcoco`` (any numpy, no compiler).

``xthotcoco`` evaluates as ``xtcocotools`` does, but its ``COCO`` has no index to ask for images and annotations, and
its ``params`` refuse what xtcocotools' callers set; these classes add that. Only ``coco_stand_in.py`` imports this
module.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import xthotcoco
from hotcoco import mask as hotcoco_mask


class COCO(xthotcoco.COCO):
    """An annotation file with the look-ups of ``xtcocotools.coco.COCO``.

    The dicts handed out are those of ``dataset``, so that a change to one is seen by the evaluation.
    """

    def __init__(self, annotation_file: str = None, test_index: Sequence[int] = None, ann_data: dict = None) -> None:
        path = annotation_file
        if ann_data is not None:
            path = None
        super().__init__(path, test_index, ann_data)
        self.anno_file = [annotation_file]
        self.createIndex()

    def createIndex(self) -> None:
        """Rebuilds the look-ups from ``dataset``."""
        annotations = self.dataset.get('annotations', [])
        self.anns = _by_id(annotations)
        self.imgs = _by_id(self.dataset.get('images', []))
        self.cats = _by_id(self.dataset.get('categories', []))

        self.imgToAnns: dict[int, list[dict]] = defaultdict(list)
        self.catToImgs: dict[int, list[int]] = defaultdict(list)
        for ann in annotations:
            ann.setdefault('iscrowd', False)
            self.imgToAnns[ann['image_id']].append(ann)
            self.catToImgs[ann['category_id']].append(ann['image_id'])

    def getAnnIds(
        self, imgIds: Any = (), catIds: Any = (), areaRng: Sequence[float] = (), iscrowd: bool = None
    ) -> list[int]:
        """Ids of the annotations that pass every filter given; area from ``areaRng[0]`` to below ``areaRng[1]``."""
        images = _listed(imgIds)
        categories = set(_listed(catIds))
        found = self.anns.values()
        if images:
            found = self._annotations_of(images)

        passing = []
        for ann in found:
            if categories and ann['category_id'] not in categories:
                continue
            if len(areaRng) and not areaRng[0] <= ann['area'] < areaRng[1]:
                continue
            if iscrowd is not None and ann['iscrowd'] != iscrowd:
                continue
            passing.append(ann['id'])
        return passing

    def _annotations_of(self, images: Iterable[int]) -> list[dict]:
        found = []
        for image in images:
            found.extend(self.imgToAnns.get(image, []))
        return found

    def getCatIds(self, catNms: Any = (), supNms: Any = (), catIds: Any = ()) -> list[int]:
        """Ids of the categories that pass every filter given."""
        names = _listed(catNms)
        groups = _listed(supNms)
        ids = _listed(catIds)

        passing = []
        for cat in self.cats.values():
            if names and cat.get('name') not in names:
                continue
            if groups and cat.get('supercategory') not in groups:
                continue
            if ids and cat.get('id') not in ids:
                continue
            passing.append(cat['id'])
        return passing

    def getImgIds(self, imgIds: Any = (), catIds: Any = ()) -> list[int]:
        """Ids of the images, of those given if any, that show all the categories given."""
        chosen = set(_listed(imgIds) or self.imgs)
        for category in _listed(catIds):
            chosen &= set(self.catToImgs.get(category, ()))
        return [image for image in self.imgs if image in chosen]

    def loadAnns(self, ids: Any = ()) -> list[dict]:
        """The annotations of these ids, in this order."""
        return [self.anns[i] for i in _listed(ids)]

    def loadCats(self, ids: Any = ()) -> list[dict]:
        """The categories of these ids, in this order."""
        return [self.cats[i] for i in _listed(ids)]

    def loadImgs(self, ids: Any = ()) -> list[dict]:
        """The images of these ids, in this order."""
        return [self.imgs[i] for i in _listed(ids)]

    def annToRLE(self, ann: dict) -> dict:
        """Compressed RLE of an annotation's polygons, or of its RLE."""
        image = self.imgs[ann['image_id']]
        height = image['height']
        width = image['width']
        region = ann['segmentation']

        if isinstance(region, list):
            parts = hotcoco_mask.frPyObjects(region, height, width)
            return hotcoco_mask.merge(parts)
        if isinstance(region['counts'], list):
            return hotcoco_mask.frPyObjects(region, height, width)
        return region

    def annToMask(self, ann: dict) -> np.ndarray:
        """(height, width) uint8, 1 inside."""
        encoded = self.annToRLE(ann)
        return hotcoco_mask.decode(encoded)


class COCOeval(xthotcoco.COCOeval):
    """``xtcocotools.cocoeval.COCOeval`` for keypoints: ``evaluate``, ``accumulate``, ``summarize``, then ``stats``.

    Args:
        sigmas: (K,) of the keypoints. In float32, as MMPose has them, they are taken as the decimals they were written
            as: COCO's own would otherwise differ from themselves in the eighth digit, of which hotcoco warns.
        Others as xthotcoco's.
    """

    def __init__(
        self,
        cocoGt: Any,
        cocoDt: Any,
        iouType: str = 'keypoints',
        sigmas: Sequence[float] = None,
        use_area: bool = True,
        test_index: Sequence[int] = None,
    ) -> None:
        if sigmas is not None and np.asarray(sigmas).dtype == np.float32:
            sigmas = [float(str(sigma)) for sigma in np.asarray(sigmas)]
        super().__init__(cocoGt, cocoDt, iouType, sigmas, use_area, test_index)

    @property
    def params(self) -> Any:
        """The evaluation's parameters; what hotcoco does not know, such as ``useSegm``, is taken and not used."""
        return _Params(self._ev.params)

    def get_type_result(self, first: float = 0.01, second: float = 0.85) -> list[float]:
        """AP of the easy, medium and hard images; -1 for a kind of which there is none (hotcoco takes all then)."""
        results = super().get_type_result(first, second)
        kinds = self.split(first, second)

        known = []
        for images, result in zip(kinds, results):
            known.append(result if images else -1.0)
        return known


class _Params:
    """Passes on what hotcoco's parameters know."""

    def __init__(self, real: Any) -> None:
        object.__setattr__(self, '_real', real)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(self._real, name):
            setattr(self._real, name, value)


def _by_id(rows: Iterable[dict]) -> dict[int, dict]:
    return {row['id']: row for row in rows}


def _listed(ids: Any) -> list[Any]:
    if isinstance(ids, Iterable) and not isinstance(ids, str):
        return list(ids)
    return [ids]


def contents(module: str) -> dict[str, Any]:
    """Names and objects of ``xtcocotools.<module>``.

    Args:
        module: one of coco, cocoeval, mask.
    """
    if module == 'coco':
        return {'COCO': COCO}
    if module == 'cocoeval':
        return {'COCOeval': COCOeval}

    functions = {}
    for name in dir(hotcoco_mask):
        if not name.startswith('_'):
            functions[name] = getattr(hotcoco_mask, name)
    return functions
