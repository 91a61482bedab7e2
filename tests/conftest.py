"""Fixtures and options of all tests."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

import cid_mmpose  # noqa: F401  before any test imports MMPose: lays ready what stands in for missing parts

ROOT = Path(__file__).resolve().parents[1]
FIGURES = pytest.StashKey[dict]()


@pytest.fixture
def shared() -> Path:
    """The folder of data that the repository does not hold; skips the test where there is none."""
    folder = Path(os.environ.get('CID_SHARED', ROOT.parent / 'shared'))
    if not folder.is_dir():
        pytest.skip(f'{folder} is not there; CID_SHARED names the shared folder')
    return folder


@pytest.fixture(autouse=True)
def scope_of_mmpose() -> Iterator[None]:
    """Runs of mmengine's own, with small networks, leave its scope behind, in which our classes are not found."""
    yield
    registry = sys.modules.get('mmengine.registry')
    current = registry and registry.DefaultScope.get_current_instance()
    if current and current.scope_name == 'mmengine':
        registry.init_default_scope('mmpose')


def pytest_addoption(parser) -> None:
    parser.addoption('--figures', action='store_true', help='print the figures that the tests have measured')
    parser.addoption('--device', default='cuda', help='where test_device.py runs: cuda, or cpu to try the file itself')


@pytest.fixture
def device(request) -> torch.device:
    """The device that is held against the CPU; skips the test where there is no GPU."""
    chosen = torch.device(request.config.getoption('--device'))
    if chosen.type == 'cuda' and not torch.cuda.is_available():
        pytest.skip('there is no CUDA device here')
    return chosen


@pytest.fixture
def figures(request) -> Callable[[str, str, float, float], None]:
    """Notes a measured value and what it should be, or the limit it should not exceed, for ``--figures``."""
    noted = request.config.stash.setdefault(FIGURES, {})

    def note(table: str, row: str, value: float, expected: float) -> None:
        noted.setdefault(table, []).append((row, float(value), float(expected)))

    return note


def pytest_terminal_summary(terminalreporter, config) -> None:
    """One table for each name that the tests have noted figures under."""
    if not config.getoption('--figures'):
        return
    for table, rows in config.stash.get(FIGURES, {}).items():
        terminalreporter.section(table)
        for row, value, expected in rows:
            terminalreporter.line(f'{row:<70} {value:>12.6g} {expected:>12.6g}')
