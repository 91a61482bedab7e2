"""The installed stack: versions, stand-ins for what is missing, and what this CPU can do."""

from .stack import check_versions, prepare, secure_checkpoints

__all__ = ['check_versions', 'prepare', 'secure_checkpoints']
