"""The whole network, and how weights from elsewhere get into it."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from mmpose.models.backbones import HRNet
from mmpose.models.pose_estimators import BottomupPoseEstimator
from torch import Tensor

from cid_mmpose.compat.metainfo import parsed_metainfo
from cid_mmpose.compat.precision import or_float32
from cid_mmpose.compat.stack import say
from cid_mmpose.errors import BadInput
from cid_mmpose.registry import MODELS
from cid_mmpose.weights.fit import fit
from cid_mmpose.weights.pretrained import pretrained_must_fit

from .fast.folded import FoldedBackbone
from .features import check_stride
from .head import CIDHead
from .options import DTYPES, TestOptions
from .views import Views, mirrored_view, plain_view, stack_views

HRNET_FINEST = 4  # input pixels per cell of HRNet's finest branch
HRNET_COARSEST = 32  # and of its coarsest one, which the others are added to
# Pixels that go through the backbone together on a CPU. They fill its cores; beyond that the allocator returns memory
# after each layer, and page faults cost more than is won.
CPU_PIXELS = 2 * 512 * 512


@MODELS.register_module()
class CID(BottomupPoseEstimator):
    """MMPose's bottom-up estimator; it loads the weights of CID in every layout they are published in.

    Loading, by whichever function, changes the names of the layouts in ``weights/layouts.py`` to ours and sets the
    head's ``cell_center`` to what belongs to the weights. Weights of another shape, and files that lack half of the
    backbone or of the head, are refused with ``BadInput``; mmengine alone would only log them. Whether a few weights
    may be missing is left to the function that loads.

    In testing images and their mirror images go through the backbone together, on a CPU no more of them than fill its
    cores, unless its copy shares them out itself; the head takes the whole batch. ``test_cfg`` takes the options of
    ``TestOptions``. Two of them make the backbone faster (docs/performance.md):

    - ``precision``: 'bfloat16' or 'float16' are faster where the device has them and move some keypoints; 'float32' is
      a little faster and moves none. On a CPU that only emulates a half precision float32 is taken, unless ``insist``
      is True.
    - ``compile``: 'default' or 'reduce-overhead' (CUDA graphs) hands it to torch.compile. That takes half a minute or
      two for the first batch, when a second size comes, and again after each ``eval``. In and after training nothing is
      compiled.

    With either a folded copy of the backbone is used. It follows optimizers, loading and ``train``/``eval``; changes
    that autograd does not see (``.data``, fused optimizers) count from the next ``eval`` on.

    Args:
        channels_last: keeps the backbone's maps channel by channel at each pixel, which is faster; the numbers are
            the same.
        other_keypoints: what to do with maps of another number of keypoints than the model's. 'error' refuses them;
            'fresh' leaves the model's own maps as they are (IIA's, the root's among them, and GFD's last convolution),
            to fine-tune on other keypoints.
        metainfo: meta information of the data set, as the data set itself takes it. The head's NMS has its sigmas from
            there; None is COCO.
        **kwargs: for MMPose's ``BottomupPoseEstimator``: backbone, neck, head, data_preprocessor, test_cfg, ...

    Raises:
        ValueError: ``other_keypoints`` is neither, or the head is not ``cid_mmpose.CIDHead``.
        BadInput: ``test_cfg`` has an option or a value that is not known.
    """

    def __init__(
        self, *, other_keypoints: str = 'error', channels_last: bool = True, metainfo: dict | None = None, **kwargs
    ) -> None:
        if other_keypoints not in ('error', 'fresh'):
            raise ValueError(f"other_keypoints must be 'error' or 'fresh', got {other_keypoints!r}")
        self.folded = FoldedBackbone()
        self.was_in_training = False
        if metainfo is not None:
            kwargs['head'] = with_sigmas(kwargs['head'], metainfo)
        super().__init__(**kwargs)
        kind = type(getattr(self, 'head', None))
        if not issubclass(kind, CIDHead):  # the names of another head's weights would be changed to ours
            raise ValueError(
                f'cid_mmpose.CID is for the head cid_mmpose.CIDHead, got {kind.__name__} of '
                f"{kind.__module__}; for that one set model.type='BottomupPoseEstimator'"
            )
        self.head.test.with_test_cfg(self.test_cfg)
        if channels_last:
            self.backbone.to(memory_format=torch.channels_last)
        self.other_keypoints = other_keypoints
        self._register_load_state_dict_pre_hook(self._take_over)

    def predict(self, inputs: Tensor, data_samples: list) -> list:
        """The people of B equally sized images.

        Args:
            inputs: (B, 3, h, w), normalised.
            data_samples: B.

        Returns:
            The samples, with ``pred_instances`` in the pixels of their images.
        """
        options = self.head.test.with_test_cfg(self.test_cfg)  # which may have been changed since the model was built
        if not len(inputs):
            return []
        views = self._views(inputs, data_samples, options)
        found = self.head.find_people(views, options)
        return self.add_pred_to_datasample(found.people, found.heatmap_fields(), data_samples)

    def add_pred_to_datasample(self, people: list, heatmaps: list | None, data_samples: list) -> list:
        """As MMPose's, which brings keypoints and boxes from the network's input to the image; ``centers`` as well.

        Args:
            people: of B images, in pixels of the input.
            heatmaps: of B images, or None.
            data_samples: B.
        """
        for instances, sample in zip(people, data_samples):
            share = instances.centers / sample.metainfo['input_size'] - 0.5
            instances.centers = share * sample.metainfo['input_scale'] + sample.metainfo['input_center']
        return super().add_pred_to_datasample(people, heatmaps, data_samples)

    def _views(self, inputs: Tensor, data_samples: list, options: TestOptions) -> Views:
        """The views of B images, through the backbone a few at a time."""
        mode = self._compile_mode(options)
        dtype = self._folded_dtype(inputs.device, options)
        num_views = 2 if options.flip_test else 1
        at_once = images_at_once(inputs, num_views, even=mode is not None)
        if dtype is not None and self.folded.takes_apart(self.backbone, inputs, dtype, mode):
            at_once = len(inputs)

        of_images = []  # the branches of each group of images
        of_mirror_images = []
        for images in inputs.split(at_once):
            count = len(images)
            if options.flip_test:
                images = torch.cat([images, images.flip(-1)])
            branches = self._as_head(self.extract_feat(images, dtype, mode))
            of_images.append([branch[:count] for branch in branches])
            of_mirror_images.append([branch[count:] for branch in branches])

        images_themselves = plain_view(join(of_images))
        if not options.flip_test:
            return images_themselves
        flip_indices = data_samples[0].metainfo['flip_indices']
        return stack_views([images_themselves, mirrored_view(join(of_mirror_images), flip_indices)])

    def _as_head(self, branches: Sequence[Tensor]) -> list[Tensor]:
        """The branches in the float type of the head."""
        dtype = self.head.iia.conv.weight.dtype
        return [branch.to(dtype) for branch in branches]

    def _compile_mode(self, options: TestOptions) -> str | None:
        """How the folded backbone is compiled, see ``train``; None if it is not."""
        if self.training or self.was_in_training:
            return None
        return options.compile

    def _folded_dtype(self, device: torch.device, options: TestOptions) -> torch.dtype | None:
        """What the folded backbone computes in; None where the backbone is taken as it is."""
        if self.training:  # batch normalisation is folded for evaluation only
            return None
        dtype = or_float32(DTYPES[options.precision], device, 'model.test_cfg', options.insist)
        if dtype is None and self._compile_mode(options):  # only a folded backbone is compiled
            return next(self.backbone.parameters()).dtype
        return dtype

    def extract_feat(self, inputs: Tensor, dtype: torch.dtype | None = None, mode: str | None = None) -> Any:
        """The branches of F for images (B, 3, h, w), as MMPose's; by the ``FoldedBackbone`` in ``dtype`` if given.

        Raises:
            BadInput: a side is no multiple of HRNet's largest stride, so that its branches cannot be added up; or the
                first branch does not have the codec's stride.
        """
        if isinstance(self.backbone, HRNet) and any(not side or side % HRNET_COARSEST for side in inputs.shape[-2:]):
            raise BadInput(
                f'input of {inputs.shape[-1]} x {inputs.shape[-2]} pixels: HRNet takes sides that are '
                f'multiples of {HRNET_COARSEST}; set such an input_size in the pipeline'
            )
        if dtype is None:
            feats = super().extract_feat(inputs)
        else:
            feats = self.folded(self.backbone, inputs, dtype, mode)
            if self.with_neck:
                feats = self.neck(self._as_head(feats))
        check_stride(feats, inputs, self.head.decoder.stride)
        return feats

    def train(self, mode: bool = True) -> 'CID':
        """As any module's; weights may have changed since the backbone was last folded.

        In training each validation has weights of its own, which would have to be compiled, and torch never gives back
        all memory of a program; so from the first call with True on nothing is compiled.
        """
        if mode and not self.was_in_training and self.test_cfg.get('compile'):
            say('model.test_cfg.compile is for testing; in and after training nothing is compiled')
        self.was_in_training = self.was_in_training or mode
        self.folded.forget()
        return super().train(mode)

    def init_weights(self) -> None:
        """As any module's; a file of ``init_cfg=dict(type='Pretrained', ...)`` must have every weight of its part.

        Raises:
            BadInput: names the file, the part, and what does not fit; mmengine alone would log it.
        """
        with pretrained_must_fit(self):
            super().init_weights()

    def _take_over(self, state_dict: dict[str, Any], prefix: str, local_metadata: dict, *_) -> None:
        """Called before weights are loaded: brings them, in place, into the form in which they fit, or refuses."""
        given = [name for name in state_dict if name.startswith(prefix)]
        inside = {name[len(prefix) :]: state_dict[name] for name in given}
        fitted = fit(self.state_dict(), inside, keep_own_keypoints=self.other_keypoints == 'fresh')
        file = local_metadata.get('file')  # noted by ``weights/loaders.py``
        if fitted.complaint:
            raise BadInput(f'{file}: {fitted.complaint}' if file else fitted.complaint)
        if fitted.changes:
            say(f'{file or "weights"}: {fitted.changes}')
        for name in given:
            del state_dict[name]
        for name, value in fitted.weights.items():
            state_dict[prefix + name] = value


def with_sigmas(head: dict, metainfo: dict) -> dict:
    """The config of a head whose NMS has the sigmas of a data set, unless ``head.test.sigmas`` sets others.

    Args:
        head: its config.
        metainfo: of the data set.
    """
    test = dict(head.get('test') or {})
    if test.get('sigmas') is None:
        test['sigmas'] = tuple(parsed_metainfo(metainfo)['sigmas'])
    return dict(head, test=test)


def images_at_once(images: Tensor, views: int, even: bool = False) -> int:
    """How many of B images go through the backbone together, with their other views.

    Args:
        images: (B, 3, h, w).
        views: of each image.
        even: no pass may be smaller than the others, because a compiled backbone is made for one size.
    """
    if images.device.type != 'cpu':
        return len(images)
    pixels = images[0, 0].numel() * views
    most = max(CPU_PIXELS // max(pixels, 1), 1)
    passes = math.ceil(len(images) / most)
    while even and len(images) % passes:
        passes += 1
    return math.ceil(len(images) / passes)


def join(parts: Sequence[Sequence[Tensor]]) -> Sequence[Tensor]:
    """Joins the branches of several groups of images into those of all.

    Args:
        parts: for each group its branches, (b, C_i, H_i, W_i).

    Returns:
        (B, C_i, H_i, W_i).
    """
    if len(parts) == 1:
        return parts[0]
    return [torch.cat(of_one_branch) for of_one_branch in zip(*parts)]
