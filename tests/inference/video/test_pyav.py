"""PyAV as an extra: what is said where it is missing or too old."""

import configparser
import sys
from types import SimpleNamespace

import pytest

from cid_mmpose.errors import BadInput
from cid_mmpose.inference.video import VideoWriter, read_video
from cid_mmpose.inference.video.pyav import OLDEST
from tests.helpers.images import ROOT


def test_without_pyav_reading_and_writing_name_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, 'av', None)
    with pytest.raises(BadInput, match=r'^videos need PyAV \(.+\): pip install "cid_mmpose\[video\]"$'):
        next(iter(read_video(tmp_path / 'clip.mp4')))
    with pytest.raises(BadInput, match='videos need PyAV'):
        VideoWriter(tmp_path / 'clip.mp4')


def test_a_version_that_is_too_old_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, 'av', SimpleNamespace(__version__='13.1.0'))
    with pytest.raises(BadInput, match='videos need PyAV 14.2 or later, and 13.1.0 is there'):
        VideoWriter(tmp_path / 'clip.mp4')


def test_the_extra_asks_for_the_oldest_version_that_is_taken():
    setup = configparser.ConfigParser()
    setup.read(ROOT / 'setup.cfg')
    oldest = '.'.join(map(str, OLDEST))
    assert setup['options.extras_require']['video'].strip().startswith(f'av>={oldest},')
