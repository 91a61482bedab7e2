"""A small network and its exported file, for tests that need both."""

from pathlib import Path

import cv2
import numpy as np
import pytest

WHY = 'needs the extra [export]: make test-export'


def needs_exporter() -> None:
    """Skips the tests of a file where a package of the exporter is missing, or torch is too old."""
    for name in ('onnx', 'onnxscript', 'onnxruntime'):
        pytest.importorskip(name, reason=WHY)
    from cid_mmpose.errors import BadInput
    from cid_mmpose.export.graph import check_exporter

    try:
        check_exporter()
    except BadInput as error:
        pytest.skip(str(error), allow_module_level=True)


def smooth_images(*sizes: tuple[int, int]) -> list[np.ndarray]:
    """Images of smooth noise, (h, w, 3) uint8 BGR, no two alike.

    Args:
        *sizes: (w, h) in pixels of each.
    """
    made = []
    for number, size in enumerate(sizes):
        rough = np.random.default_rng(number).integers(0, 256, (12, 16, 3), np.uint8)
        made.append(cv2.resize(rough, size, interpolation=cv2.INTER_CUBIC))
    return made


def tiny_export(folder: Path, checkpoint: str, name: str = 'tiny.onnx', **options) -> str:
    """The exported file of a checkpoint, which finds everyone.

    Args:
        folder: where it is written.
        checkpoint: path.
        name: of the file.
        **options: of ``ExportOptions``.
    """
    from cid_mmpose.export.options import ExportOptions
    from cid_mmpose.export.run import export, format_of

    chosen = ExportOptions(**dict(dict(min_score=0.0, max_people=12), **options))
    written = export(
        checkpoint, folder / name, format=format_of(name), options=chosen, images=smooth_images((160, 120), (90, 140))
    )
    return str(written.path)
