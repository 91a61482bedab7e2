"""Reading by path: local files by the standard library, all others ('s3://bucket/a.jpg') by mmengine's back ends.

The data preparation and the doctor work on local files in an environment without mmengine.
"""

import os.path as osp
from types import ModuleType


def exists(path: str) -> bool:
    """Whether there is something of this name.

    Args:
        path: of a file or a folder.
    """
    if is_local(path):
        return osp.exists(path)
    return _back_ends().exists(path)


def is_file(path: str) -> bool:
    """Whether there is a file of this name.

    Args:
        path: of a file or a folder.
    """
    if is_local(path):
        return osp.isfile(path)
    return _back_ends().isfile(path)


def content_of(path: str) -> bytes:
    """The bytes of a file.

    Args:
        path: of the file.

    Raises:
        OSError: as ``open`` and ``read`` raise it.
    """
    if not is_local(path):
        return _back_ends().get(path)
    with open(path, 'rb') as file:
        return file.read()


def text_of(path: str) -> str:
    """The text of a file in UTF-8.

    Args:
        path: of the file.

    Raises:
        OSError: as ``open`` and ``read`` raise it.
        UnicodeDecodeError: the file holds no such text.
    """
    if not is_local(path):
        return _back_ends().get_text(path)
    with open(path, encoding='utf-8') as file:
        return file.read()


def is_local(path: str) -> bool:
    """Whether a path is one of this machine's, by mmengine's rule: it names no back end.

    Args:
        path: of a file or a folder.
    """
    return '://' not in str(path)


def _back_ends() -> ModuleType:
    from cid_mmpose.compat.stack import check_versions

    check_versions()
    from mmengine import fileio

    return fileio
