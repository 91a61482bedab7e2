"""A script of MMPose's or of a user, run as Python would run it, with our parts registered."""

import sys

import pytest

from cid_mmpose.__main__ import main as command
from cid_mmpose.cli import run as run_script
from cid_mmpose.errors import BadInput


def test_a_script_is_run_as_python_would_run_it(tmp_path, monkeypatch, capsys):
    script = tmp_path / 'script.py'
    script.write_text('import sys\nprint(__name__, sys.argv[1:], sys.path[0])\n')
    monkeypatch.setattr(sys, 'argv', sys.argv[:])
    monkeypatch.setattr(sys, 'path', sys.path[:])
    command(['run', str(script), '--help', 'x'])
    assert capsys.readouterr().out == f"__main__ ['--help', 'x'] {tmp_path}\n"


def test_mmpose_s_scripts_are_found_by_their_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    demo = run_script.find_script('bottomup_demo.py')
    assert demo.parts[-4:] == ('mmpose', '.mim', 'demo', 'bottomup_demo.py')
    assert run_script.find_script('analysis_tools/get_flops.py').parent.name == 'analysis_tools'
    with pytest.raises(BadInput, match="buttomup.py: no such file, and no script of MMPose; did you mean 'bottomup_de"):
        run_script.find_script('buttomup.py')


def test_a_user_s_mistake_in_a_script_is_one_line(tmp_path, monkeypatch, capsys):
    script = tmp_path / 'script.py'
    script.write_text('from cid_mmpose.errors import BadInput\nraise BadInput("a.pth: is wrong")\n')
    monkeypatch.setattr(sys, 'argv', sys.argv[:])
    monkeypatch.setattr(sys, 'path', sys.path[:])
    with pytest.raises(SystemExit) as caught:
        command(['run', str(script)])
    assert caught.value.code == 2 and capsys.readouterr().err == 'error: a.pth: is wrong\n'


@pytest.mark.parametrize('arguments, status', [([], 2), (['--help'], 0)])
def test_the_launcher_says_how_it_is_used(arguments, status, capsys):
    with pytest.raises(SystemExit) as caught:
        command(['run', *arguments])
    printed = capsys.readouterr()
    assert caught.value.code == status
    assert 'usage: cid run [-h] SCRIPT' in (printed.err if status else printed.out)
