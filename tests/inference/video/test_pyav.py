"""PyAV as an extra: what is said where it is missing or too old, and where FFmpeg's messages go."""

import configparser
import sys
from types import SimpleNamespace

import pytest

from cid_mmpose.errors import BadInput
from cid_mmpose.inference.video import VideoWriter, read_video
from cid_mmpose.inference.video.pyav import OLDEST
from tests.helpers import clips
from tests.helpers.images import ROOT

av_logging = pytest.importorskip('av.logging')


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


@pytest.fixture
def clip(tmp_path):
    return clips.clip(tmp_path / 'clip.mp4', [0.1 * number for number in range(5)])


@pytest.mark.parametrize('level', [None, av_logging.ERROR], ids=['as it is', 'as torchvision wants it'])
def test_ffmpeg_s_messages_do_not_go_through_python(clip, level, capfd, monkeypatch):
    av_logging.set_level(level)
    monkeypatch.setattr('cid_mmpose.inference.video.pyav.ON_SCREEN', av_logging.DEBUG)
    list(read_video(clip))  # its own callback alone would write to the screen
    assert 'nal_unit_type' in capfd.readouterr().err


def test_ffmpeg_s_messages_are_not_shown(clip, capfd):
    list(read_video(clip))
    assert capfd.readouterr() == ('', '')


def test_who_wants_more_than_errors_from_pyav_gets_it(clip):
    av_logging.set_level(av_logging.DEBUG)
    try:
        with av_logging.Capture(local=False) as messages:
            list(read_video(clip))
    finally:
        av_logging.set_level(None)
    assert any('nal_unit_type' in text for _, _, text in messages)
