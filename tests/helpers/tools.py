"""The files of ``tools/``, run in this process."""

import runpy
import sys

from .images import ROOT


def tool(name: str, monkeypatch, *arguments) -> None:
    """Runs a command of ``tools/`` in this process."""
    monkeypatch.setattr(sys, 'argv', [name, *map(str, arguments)])
    runpy.run_path(str(ROOT / 'tools' / name), run_name='__main__')
