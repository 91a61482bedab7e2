"""Runs a script that imports MMPose, such as one of MMPose's demos, in an environment that MMPose alone cannot use.

With mmcv-lite, or with numpy 2, ``import mmpose.apis`` fails unless this package was imported before; a script of one's
own can do that in its first line, an installed one cannot.
"""
import difflib
import runpy
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import List, Sequence

from cid_mmpose.errors import BadInput

USAGE = '''usage: python -m cid_mmpose run SCRIPT [ARGUMENT ...]

Runs a Python script with this package at work: parts of the stack that may be missing are stood in for, and
checkpoints are loaded safely. SCRIPT is a path, or the name of one of MMPose's installed scripts, such as
bottomup_demo.py, inferencer_demo.py or get_flops.py. What follows it is handed to the script.'''
FOLDERS = ('demo', 'tools')   # below MMPose's .mim


def main(arguments: Sequence[str]) -> None:
    """Runs a script as ``python SCRIPT ARGUMENT ...`` does.

    Args:
        arguments: the script and what is handed to it.

    Raises:
        BadInput: there is no such script, or it does not find a file.
    """
    if not arguments or arguments[0] in ('-h', '--help'):
        print(USAGE, file=sys.stdout if arguments else sys.stderr)
        sys.exit(0 if arguments else 2)

    script = find_script(arguments[0])
    sys.argv = [str(script), *arguments[1:]]
    if not getattr(sys.flags, 'safe_path', False):   # of Python 3.11 and later
        sys.path[0] = str(script.parent)   # as for any script; so far it is the current folder
    try:
        runpy.run_path(str(script), run_name='__main__')
    except FileNotFoundError as error:   # which some of MMPose's scripts let through, with or without its name
        raise BadInput(f'{error.filename or error}: no such file') from error


def find_script(name: str) -> Path:
    """Path of a script.

    Args:
        name: a path, or the name of one of MMPose's scripts, with or without folders before it.

    Raises:
        BadInput: there is no such script.
    """
    path = Path(name)
    if path.is_file():
        return path.resolve()

    installed = installed_scripts()
    for script in installed:
        if script.parts[-len(path.parts):] == path.parts:
            return script

    near = difflib.get_close_matches(path.name, {script.name for script in installed}, 1)
    meant = f'did you mean {near[0]!r}?' if near else "give a path, or a name such as 'bottomup_demo.py'"
    raise BadInput(f'{name}: no such file, and no script of MMPose; {meant}')


def installed_scripts() -> List[Path]:
    """Paths of the scripts that were installed with MMPose."""
    package = Path(find_spec('mmpose').origin).parent
    scripts = []
    for folder in FOLDERS:
        below = package / '.mim' / folder
        scripts += sorted(below.rglob('*.py'))
    return scripts
