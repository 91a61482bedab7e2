"""The table of runtimes holds each against folded torch and against MMPose."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from cid_mmpose.benchmark import runtimes
from cid_mmpose.benchmark.runtimes import File, measured

TIMES = {'MMPose': 600.0, 'torch folded': 300.0, 'OpenVINO': 200.0, 'OpenVINO int8': 100.0}


class Worker:
    """Takes as long as ``TIMES`` says; what does not stand there does not run."""

    def __init__(self, kind, people, flip, path, threads):
        self.kind = kind
        self.is_ready = kind in TIMES

    def run(self):
        return TIMES[self.kind], 1000.0

    def close(self):
        pass


def test_each_runtime_is_held_against_folded_torch_and_mmpose(monkeypatch, capsys):
    monkeypatch.setattr(runtimes, 'Worker', Worker)
    files = {'OpenVINO': File(Path('a.xml'), 112.0), 'OpenVINO int8': File(Path('b.xml'), 30.0)}
    rows = list(measured(SimpleNamespace(repeats=3, threads=2), '30 people, flip', 30, True, files))
    found = {row.measure: row for row in rows}
    assert found['OpenVINO int8, ms'].ratio == pytest.approx(6)
    assert found['OpenVINO, times as fast as folded torch'].ours == pytest.approx(1.5)
    assert found['OpenVINO int8, MiB of the file'].ours == 30
    assert found['torch folded, peak MiB of the process'].ours == 1000
    assert {row.case for row in rows} == {'30 people, flip'}
    assert 'left out: torch compiled does not run here' in capsys.readouterr().out
