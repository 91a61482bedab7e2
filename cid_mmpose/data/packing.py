"""The last step of training, and the first of testing after an image is read: small wrappers of MMPose's own."""

from mmpose.datasets.transforms import BottomupResize, PackPoseInputs

from cid_mmpose.errors import BadInput
from cid_mmpose.registry import TRANSFORMS

from .resize import Resizing, place, placing_of


@TRANSFORMS.register_module()
class PackPeople(PackPoseInputs):
    """MMPose's ``PackPoseInputs`` for training: the image, the targets as arrays, the mask, and nothing besides.

    ``gt_instance_labels`` holds numpy arrays, which travel inside a worker's message. Each tensor would travel as a
    file of its own: eight an image, some hundred open files a batch, and twice that many system calls. The annotations
    that the targets were made from stay behind; the losses do not read them. Options as in MMPose.
    """

    instance_mapping_table = {}

    def transform(self, results: dict) -> dict:
        """See the class."""
        packed = super().transform(results)
        sample = packed['data_samples']
        sample.gt_instance_labels = sample.gt_instance_labels.numpy()
        return packed


@TRANSFORMS.register_module(name=['ResizeImage', 'ResizePicture'])  # the second is its name in version 0.1.0
class ResizeImage(BottomupResize):
    """MMPose's ``BottomupResize`` with a bound for the network's input, by a function that exported models use too.

    A narrow image whose short side is brought to ``input_size`` grows: one of 4 x 1500 pixels to 512 x 192000.

    Args:
        max_input_pixels: of the network's input; the default is that of 4096 x 4096.
        **kwargs: as MMPose's.

    Raises:
        BadInput: the input would be larger.
    """

    def __init__(self, *, max_input_pixels: int = 2**24, **kwargs) -> None:
        super().__init__(**kwargs)
        self.max_input_pixels = max_input_pixels

    def transform(self, results: dict) -> dict:
        """See the class."""
        self._check_input(results)
        if self.use_udp or self.aug_scales:
            return super().transform(results)
        height, width = results['ori_shape']
        how = Resizing(tuple(self.input_size), self.size_factor, self.resize_mode, self.pad_val)
        placing = placing_of((width, height), how)
        results.update(
            img=place(results['img'], placing, self.pad_val),
            img_shape=placing.size[::-1],
            input_center=placing.center,
            input_scale=placing.scale,
            input_size=placing.size,
            aug_scale=None,
        )
        return results

    def _check_input(self, results: dict) -> None:
        """BadInput if the network's input for an image would be larger than ``max_input_pixels``."""
        height, width = results['ori_shape'][:2]
        input_width, input_height = self._get_input_size((width, height), self.input_size)[1]
        if input_width * input_height > self.max_input_pixels:
            raise BadInput(
                f"{results.get('img_path', 'image')}: is {width} x {height} pixels, for which the network's "
                f'input would be {input_width} x {input_height} pixels, more than the '
                f'{self.max_input_pixels} of max_input_pixels that cid_mmpose.ResizeImage has; leave the '
                'image out, cut it into pieces, or set that higher'
            )
