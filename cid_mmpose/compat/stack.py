"""The one place that makes the installed OpenMMLab stack work for CID, whichever line of it is installed.

- ``versions``: a version window for torch, mmengine, mmcv, mmdet and mmpose;
- ``mmcv_ops``: ``mmcv.ops`` imports when mmcv has no compiled ops;
- ``coco_stand_in``: a stand-in for ``xtcocotools`` where it cannot be imported;
- ``import_steps``: checkpoints load only what an allow-list names (``weights/loaders.py``), MMPose draws keypoints
  with numpy 2.5, and mmengine runs on Python 3.14.

``prepare``, which importing the package calls, lays all of this ready and imports none of the stack, nor does it ask
whether the stack is there: data preparation and the doctor need no part of it. What does need it calls
``check_versions`` first. Each part acts only where it is needed, and says so in the log file of a run.
"""

import sys
import warnings

from .coco_stand_in import CocoStandIn
from .import_steps import AFTER_IMPORT, SCOPE, AfterImport, secure_checkpoints
from .mmcv_ops import OpsStandIn
from .notes import NOTES, say
from .versions import NEEDS, Need, check_versions

__all__ = ['NEEDS', 'NOTES', 'Need', 'SCOPE', 'check_versions', 'prepare', 'say', 'secure_checkpoints']


def prepare() -> None:
    """Lays the stand-ins ready and sees to it that checkpoints are loaded safely; imports none of the stack.

    The stand-ins are finders, which act when a part of the stack is imported: where there is no stack they do nothing.
    The steps of ``AFTER_IMPORT`` follow the import of the modules that they change, or are called at once where those
    are imported already.
    """
    warnings.filterwarnings('ignore', message='pkg_resources is deprecated')  # mmengine imports it; not for users

    known = {type(finder) for finder in sys.meta_path}
    for kind in (OpsStandIn, CocoStandIn, AfterImport):
        if kind not in known:
            sys.meta_path.insert(0, kind())

    for module, step in AFTER_IMPORT.items():
        if module in sys.modules:  # imported before us
            step()
