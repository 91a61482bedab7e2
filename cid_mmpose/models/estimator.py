"""The whole network, and how weights from elsewhere get into it."""
import math
from typing import Any, Dict, List, Mapping, Optional, Sequence

import torch
from mmpose.models.backbones import HRNet
from mmpose.models.pose_estimators import BottomupPoseEstimator
from torch import Tensor

from cid_mmpose.compat.precision import or_float32
from cid_mmpose.compat.stack import say
from cid_mmpose.errors import BadInput
from cid_mmpose.registry import MODELS
from cid_mmpose.weights.layouts import (
    CELL_CENTER,
    KEYPOINT_MAPS,
    OURS,
    Layout,
    in_second_layout,
    listed,
    misfits,
    num_keypoints,
    num_weights,
    prefix_of,
    translate,
    weights_of,
    why_not_finite,
    wrong_kinds,
)
from cid_mmpose.weights.pretrained import pretrained_must_fit

from .fast.branches import check_stride
from .fast.folded import FoldedBackbone
from .head import PRECISIONS, CIDHead

STRIDE = 32  # input pixels per cell of HRNet's coarsest branch, which the others are added to
# Pixels that go through the backbone together on a CPU. They fill its cores, and the maps of more would be given back
# to the system after each layer, and faulted in again.
CPU_PIXELS = 2 * 512 * 512


@MODELS.register_module()
class CID(BottomupPoseEstimator):
    """MMPose's bottom-up estimator; it loads the weights of CID in every layout they are published in.

    Loading, by whichever function, changes the names of the layouts in ``checkpoint_layouts.py`` to ours and sets the
    head's ``cell_center`` to what belongs to the weights. Weights of another shape, and files that lack half of the
    backbone or of the head, are refused with ``BadInput``; mmengine alone would only log them. Whether a few weights
    may be missing is left to the function that loads.

    In testing images and their mirror images go through the backbone together, on a CPU no more of them than fill
    its cores; the head takes the whole batch. ``test_cfg`` takes ``flip_test`` and
    ``output_heatmaps`` as the head does, and ``precision`` of the backbone: 'bfloat16' or 'float16' are faster where
    the device has them and move some keypoints, 'float32' is a little faster and moves none (docs/performance.md). On a
    CPU that would imitate a half precision float32 is taken, unless ``insist`` is True.
    ``compile``, 'default' or 'reduce-overhead' (CUDA graphs), hands the backbone to torch.compile: faster again, after
    half a minute or two for the first batch, when a second size comes, and again after each ``eval``; in and after
    training nothing is compiled. With either option a folded copy of the backbone is used; it follows optimizers,
    loading and ``train``/``eval``, but not weights that are changed behind autograd's back (``.data``, fused
    optimizers) before the next ``eval``.

    Args:
        channels_last: keeps the backbone's maps channel by channel at each pixel, which is faster; the numbers are
            the same.
        other_keypoints: what to do with maps of another number of keypoints than the model's. 'error' refuses them; 'fresh'
            leaves the model's own maps as they are (IIA's, the root's among them, and GFD's last convolution), to
            fine-tune on other keypoints.
        **kwargs: for MMPose's ``BottomupPoseEstimator``: backbone, neck, head, data_preprocessor, test_cfg, ...

    Raises:
        ValueError: ``other_keypoints`` is neither, or the head is not ``cid_mmpose.CIDHead``.
        BadInput: ``test_cfg`` has an option or a value that is not known.
    """

    def __init__(self, *, other_keypoints: str = 'error', channels_last: bool = True, **kwargs) -> None:
        if other_keypoints not in ('error', 'fresh'):
            raise ValueError(f"other_keypoints must be 'error' or 'fresh', got {other_keypoints!r}")
        self.folded, self.trained = FoldedBackbone(), False
        super().__init__(**kwargs)
        kind = type(getattr(self, 'head', None))
        if not issubclass(kind, CIDHead):   # the names of another head's weights would be changed to ours
            raise ValueError(f'cid_mmpose.CID is for the head cid_mmpose.CIDHead, got {kind.__name__} of '
                             f"{kind.__module__}; for that one set model.type='BottomupPoseEstimator'")
        self.head.check_options(self.test_cfg)
        if channels_last:
            self.backbone.to(memory_format=torch.channels_last)
        self.other_keypoints = other_keypoints
        self._register_load_state_dict_pre_hook(self._take_over)

    def predict(self, inputs: Tensor, data_samples: list) -> list:
        """The people of B equally sized images (B, 3, h, w): the samples, with ``pred_instances`` in their pixels."""
        self.head.check_options(self.test_cfg)   # they may have been changed since
        if not len(inputs):
            return []
        flip = self.test_cfg.get('flip_test', False)
        dtype, mode = PRECISIONS[self.test_cfg.get('precision')], self.test_cfg.get('compile')
        dtype = or_float32(dtype, inputs.device, 'model.test_cfg', self.test_cfg.get('insist', False))
        mode = None if self.trained else mode
        if mode and dtype is None:
            dtype = next(self.backbone.parameters()).dtype
        dtype = None if self.training else dtype   # batch normalisation is folded for evaluation only
        halves = []   # of some images after the other
        for some in inputs.split(images_at_once(inputs, flip, even=bool(mode))):
            feats = self.extract_feat(torch.cat([some, some.flip(-1)]) if flip else some, dtype, mode)
            feats = [branch.to(self.head.iia.conv.weight.dtype).chunk(1 + flip) for branch in feats]
            halves.append(list(zip(*feats)))
        halves = [join(half) for half in zip(*halves)]
        found = self.head.predict(halves if flip else halves[0], data_samples, self.test_cfg)
        people, fields = found if isinstance(found, tuple) else (found, None)
        return self.add_pred_to_datasample(people, fields, data_samples)

    def extract_feat(self, inputs: Tensor, dtype: Optional[torch.dtype] = None, mode: Optional[str] = None) -> Any:
        """The branches of F for images (B, 3, h, w), as MMPose's; by the ``FoldedBackbone`` in ``dtype`` if given.

        Raises:
            BadInput: a side is no multiple of HRNet's largest stride, so that its branches cannot be added up; or the
                first branch does not have the codec's stride.
        """
        if isinstance(self.backbone, HRNet) and any(not side or side % STRIDE for side in inputs.shape[-2:]):
            raise BadInput(f'input of {inputs.shape[-1]} x {inputs.shape[-2]} pixels: HRNet takes sides that are '
                           f'multiples of {STRIDE}; set such an input_size in the pipeline')
        if dtype is None:
            feats = super().extract_feat(inputs)
        else:
            feats = self.folded(self.backbone, inputs, dtype, mode)
            if self.with_neck:
                feats = self.neck([branch.to(self.head.iia.conv.weight.dtype) for branch in feats])
        check_stride(feats, inputs, self.head.decoder.stride)
        return feats

    def train(self, mode: bool = True) -> 'CID':
        """As any module's; weights may have changed since the backbone was last folded.

        In training each validation has weights of its own, which would have to be compiled, and torch never gives back
        all memory of a program; so from the first call with True on nothing is compiled.
        """
        if mode and not self.trained and self.test_cfg.get('compile'):
            say('model.test_cfg.compile is for testing; in and after training nothing is compiled')
        self.trained = self.trained or mode
        self.folded.forget()
        return super().train(mode)

    def init_weights(self) -> None:
        """As any module's; a file of ``init_cfg=dict(type='Pretrained', ...)`` must have every weight of its part.

        Raises:
            BadInput: names the file, the part, and what does not fit; mmengine alone would log it.
        """
        with pretrained_must_fit(self):
            super().init_weights()

    def _take_over(self, state_dict: Dict[str, Any], prefix: str, local_metadata: dict, *_) -> None:
        """Called before weights are loaded: brings them, in place, into the form in which they fit, or refuses."""
        given = {name: value for name, value in state_dict.items() if name.startswith(prefix)}
        inside = {name[len(prefix):]: value for name, value in given.items()}
        weights, layout = translate(inside)
        file = local_metadata.get('file')  # noted by ``safe_load``
        own = self.state_dict()
        keypoints = num_keypoints(weights)
        if self.other_keypoints == 'fresh':
            keep_keypoint_maps(weights, own)
        if complaint := why_unfit(own, weights) or why_not_finite(own, weights):
            raise BadInput(f'{file}: {complaint}' if file else complaint)
        if done := changes(weights_of(inside), weights, layout, keypoints):
            say(f'{file or "weights"}: {done}')
        for name in given:
            del state_dict[name]
        state_dict.update({prefix + name: value for name, value in weights.items()})


def images_at_once(images: Tensor, flip: bool, even: bool = False) -> int:
    """How many of B images (B, 3, h, w) go through the backbone together, with their mirror images if ``flip``.

    Args:
        even: no pass may be smaller than the others, because a compiled backbone is made for one size.
    """
    if images.device.type != 'cpu':
        return len(images)
    most = max(CPU_PIXELS // max(images[0, 0].numel() * (1 + flip), 1), 1)
    passes = math.ceil(len(images) / most)
    while even and len(images) % passes:
        passes += 1
    return math.ceil(len(images) / passes)


def join(parts: Sequence[Sequence[Tensor]]) -> Sequence[Tensor]:
    """The branches of some images after the other, (b, C_i, H_i, W_i) each, as those of all of them."""
    return parts[0] if len(parts) == 1 else [torch.cat(branch) for branch in zip(*parts)]


def keep_keypoint_maps(weights: Dict[str, Any], own: Mapping[str, Any]) -> None:
    """Puts the model's own maps of keypoints in the place of those that differ in the number of keypoints only."""
    for name in KEYPOINT_MAPS:
        shape = getattr(weights.get(name), 'shape', ())
        if name in own and len(shape) and shape[0] != own[name].shape[0] and shape[1:] == own[name].shape[1:]:
            weights[name] = own[name].clone()


def why_unfit(own: Mapping[str, Any], weights: Mapping[str, Any], complete: bool = False) -> Optional[str]:
    """Why weights cannot be taken over, with what does not fit and the way out; None if they can.

    Args:
        own: the model's state.
        weights: of a file, under our names.
        complete: whether every weight must be there, not only more than half of the backbone's and of the head's.
    """
    if double := in_second_layout(weights):
        return double
    if other := wrong_kinds(own, weights):
        return f'{listed(other, own)}; save the state_dict of the model with torch.save, in floating point'
    wrong = misfits(own, weights)
    missing = [name for name in wrong if name not in weights]
    if len(missing) == len(wrong) and not any(_lacks(own, missing, part, complete) for part in ('backbone.', 'head.')):
        return None
    keypoints = num_keypoints(weights)
    if set(wrong) <= set(KEYPOINT_MAPS) and keypoints not in (0, num_keypoints(own)):
        return (f'{listed(wrong, own)}: these are weights for {keypoints} keypoints, the model has {num_keypoints(own)}; give '
                f"a configuration with {keypoints} keypoints, or model.other_keypoints='fresh' to train new keypoint maps on top "
                'of the other weights')
    if prefix := prefix_of(own, weights):
        return f'names its weights {prefix}{next(iter(own))} and so on; save them without {prefix!r}'
    return (f'is not a checkpoint of this model: {listed(wrong, own)}; give the configuration it was trained with, or '
            'for the backbone alone set model.backbone.init_cfg')


def _lacks(own: Mapping[str, Any], missing: List[str], part: str, complete: bool) -> bool:
    """Whether too much of a part of the model is missing."""
    gone = num_weights(missing, part)
    return gone > 0 and (complete or 2 * gone >= num_weights(own, part))


def changes(given: Mapping[str, Any], weights: Mapping[str, Any], layout: Layout, keypoints: int) -> str:
    """What was changed for weights to be taken over, '' if nothing was.

    Args:
        given: the weights as they came.
        weights: as they are taken over.
        layout: theirs.
        keypoints: K of the file.
    """
    done = []
    if layout is not OURS:
        done.append(f'layout of {layout.name}, {len(set(given) - set(weights))} weights renamed')
    if CELL_CENTER in weights and CELL_CENTER not in given:
        done.append(f'relative coordinates from cell + {float(weights[CELL_CENTER]):g} (cell_center)')
    if keypoints != num_keypoints(weights):
        done.append(f'its maps of {keypoints} keypoints left out, those of {num_keypoints(weights)} keypoints start anew')
    return '; '.join(done)
