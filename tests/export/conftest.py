"""A small network and its graph, which takes some ten seconds to write: once for all tests."""

from pathlib import Path

import pytest

from tests.helpers.exported import tiny_export
from tests.helpers.images import tiny_config
from tests.helpers.random_weights import random_checkpoint


@pytest.fixture(scope='session')
def checkpoint(tmp_path_factory) -> str:
    return random_checkpoint(tmp_path_factory.mktemp('weights') / 'tiny.pth', tiny_config(96))


@pytest.fixture(scope='session')
def exported(checkpoint, tmp_path_factory) -> str:
    """Of 12 people, with flip."""
    return tiny_export(tmp_path_factory.mktemp('exported'), checkpoint)


@pytest.fixture(scope='session')
def exported_without_flip(checkpoint, tmp_path_factory) -> str:
    """Of 12 people."""
    return tiny_export(tmp_path_factory.mktemp('exported'), checkpoint, flip=False)


@pytest.fixture
def write_graph_of(monkeypatch):
    """Makes an export write the graph of a file that is there, instead of going through the network again."""

    def use(path: str) -> None:
        from cid_mmpose.runtime.seal import end_length

        content = Path(path).read_bytes()[: -end_length(Path(path))]
        monkeypatch.setattr(
            'cid_mmpose.export.run.write_onnx', lambda network, about, target: target.write_bytes(content)
        )

    return use
