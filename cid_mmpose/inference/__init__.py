"""From images and videos to people: one call, one class of results."""

from .keypoints import KeypointSet, keypoint_set
from .people import People

__all__ = ['KeypointSet', 'People', 'keypoint_set']
