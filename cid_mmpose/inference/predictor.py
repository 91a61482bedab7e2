"""A network of torch that is called with images."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from mmcv.transforms import Compose

from cid_mmpose.models import CID
from cid_mmpose.models.fast.apart import compute_alone
from cid_mmpose.oks import Best

from .finder import PeopleFinder
from .keypoints import KeypointSet
from .options import PredictOptions

if TYPE_CHECKING:
    from .explained import Explained


class Predictor(PeopleFinder):
    """A network that is called with images, see ``PeopleFinder``.

    Args:
        network: a ``cid_mmpose.CID``.
        pipeline: the steps that bring an image to its input, as test pipelines of configs have them.
        keypoint_set: what its keypoints are.
        meta: of the data set, which the pipeline packs with each image.
        options: how people are found.
        weights: what the weights are from, by path or URL.
    """

    def __init__(
        self,
        network: CID,
        pipeline: Compose,
        keypoint_set: KeypointSet,
        meta: dict,
        options: PredictOptions,
        weights: str,
    ) -> None:
        self.network = network
        self.pipeline = pipeline
        self.meta = meta
        self.device = next(network.parameters()).device
        batch_size = options.batch_size or (1 if self.device.type == 'cpu' else 8)
        super().__init__(keypoint_set, options, weights, batch_size)

    def __repr__(self) -> str:
        backbone = type(self.network.backbone).__name__
        return f'CID on {backbone}, {len(self.keypoint_set)} keypoints, weights {self.weights}, on {self.device}'

    def explain(self, source: Any, *, channels: str = 'bgr') -> 'Explained':
        """What the network sees on its way to the people of one image: maps, and pages that show them.

        Args:
            source: path, URL, array or PIL image.
            channels: 'bgr' or 'rgb', the order in an array.

        Raises:
            BadInput: the image cannot be read, or there are several.
        """
        from .explained import explain_image  # takes matplotlib, which results do without

        return explain_image(self, source, channels)

    def pack(self, image: np.ndarray, path: str | None = None) -> dict:
        """An image as the network takes it.

        Args:
            image: (h, w, 3) uint8 BGR.
            path: of its file, for messages.

        Returns:
            ``inputs`` (3, h', w') uint8 BGR, and ``data_samples`` with the way back to the image's pixels.
        """
        return self.pipeline({**self.meta, 'img': image, 'img_path': path or 'array', 'id': 0, 'img_id': 0})

    def start_thread(self) -> None:
        """Packing is little work; on all cores its threads would only keep those of the network waiting."""
        compute_alone()

    def size_of(self, packed: dict) -> tuple[int, ...]:
        """See ``PeopleFinder``."""
        return tuple(packed['inputs'].shape)

    @torch.no_grad()
    def compute(self, packed: list[dict]) -> list[Best]:
        """See ``PeopleFinder``."""
        inputs = [each['inputs'] for each in packed]
        samples = [each['data_samples'] for each in packed]
        answers = self.network.test_step(dict(inputs=inputs, data_samples=samples))
        return [_best_of(answer) for answer in answers]


def _best_of(sample: Any) -> Best:
    """The people that a network has put into a sample."""
    found = sample.pred_instances
    return Best(found.keypoints, found.keypoint_scores, found.bbox_scores, found.bboxes, found.centers)
