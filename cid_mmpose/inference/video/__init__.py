"""Videos: frames of files, network streams and cameras with their times, and files that are written with the sound."""

from .camera import Camera, read_camera
from .reader import Frame, Video, read_stream, read_video
from .writer import VideoWriter

__all__ = ['Camera', 'Frame', 'Video', 'VideoWriter', 'read_camera', 'read_stream', 'read_video']
