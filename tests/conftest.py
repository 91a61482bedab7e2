"""Fixtures for all tests; the folder of the tests is on the path, so that they can import their helpers."""
import os
from pathlib import Path

import pytest

import cid_mmpose  # noqa: F401  before any test imports MMPose: lays ready what stands in for missing parts

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def shared() -> Path:
    """The folder of data that the repository does not hold; skips the test where there is none."""
    folder = Path(os.environ.get('CID_SHARED', ROOT.parent / 'shared'))
    if not folder.is_dir():
        pytest.skip(f'{folder} is not there; CID_SHARED names the shared folder')
    return folder
