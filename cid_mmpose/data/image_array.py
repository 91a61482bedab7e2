"""Images that come as arrays: from a program that calls MMPose's inferencer, from a video, from a data set."""

import numpy as np

from cid_mmpose.errors import BadInput

CHANNELS = (1, 3, 4)  # grey, BGR, BGR with alpha


def bgr_of(image: np.ndarray) -> np.ndarray:
    """The image as the pipelines take it: three channels, values from 0 to 255.

    Grey becomes three equal channels, alpha is dropped, 16 bits become 8, as for files. Floats stay floats.

    Args:
        image: (H, W), (H, W, 1), (H, W, 3) BGR or (H, W, 4) BGRA; uint8, uint16, or floats from 0 to 255.

    Returns:
        (H, W, 3), uint8 or float32.

    Raises:
        BadInput: the array is no such image.
    """
    shape, dtype = image.shape, image.dtype
    if dtype == np.uint8 and shape[2:] == (3,) and image.size:
        return image

    planes = image[..., None] if image.ndim == 2 else image
    if planes.ndim != 3 or planes.shape[2] not in CHANNELS or not planes.size:
        raise BadInput(
            f'an image given as an array has shape {shape}; give (height, width, 3) in the order blue, '
            'green, red, or (height, width) for grey'
        )

    if dtype == np.uint16:
        planes = (planes >> 8).astype(np.uint8)
    elif np.issubdtype(dtype, np.floating):
        planes = _checked(planes)
    elif dtype != np.uint8:
        raise BadInput(f'an image given as an array holds {dtype}; give uint8 from 0 to 255')

    if planes.shape[2] == 1:
        return planes.repeat(3, axis=2)
    return planes[..., :3]


def _checked(planes: np.ndarray) -> np.ndarray:
    """Floats as float32, if they are brightnesses from 0 to 255."""
    least, most = planes.min(), planes.max()
    if not (least >= 0 and most <= 255):  # false for NaN as well
        raise BadInput(f'an image given as an array holds floats from {least:g} to {most:g}; give uint8 from 0 to 255')
    if 0 < most <= 1:
        raise BadInput('an image given as an array holds floats from 0 to 1; multiply by 255')
    return planes.astype(np.float32)
