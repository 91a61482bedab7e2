"""Run a Python script with this package at work, such as one of MMPose's demos.

With mmcv-lite, or with numpy 2, `import mmpose.apis` fails unless cid_mmpose was imported before; a script of one's own
can do that in its first line, an installed one cannot. Parts of the stack that may be missing are stood in for, and
checkpoints are loaded safely.
"""

import argparse
import difflib
import runpy
import sys
from importlib.util import find_spec
from pathlib import Path

from cid_mmpose.errors import BadInput

EXAMPLES = """
  cid run bottomup_demo.py CONFIG CHECKPOINT --input image.jpg --output-root out --device cpu
  cid run get_flops.py CONFIG --input-shape 512 512"""
FOLDERS = ('demo', 'tools')  # below MMPose's .mim


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of the verb."""
    parser.add_argument('script', metavar='SCRIPT', help="a path, or the name of one of MMPose's installed scripts")
    parser.add_argument('arguments', metavar='ARGUMENT', nargs=argparse.REMAINDER, help='handed to the script')


def run(args: argparse.Namespace) -> None:
    """Runs a script as ``python SCRIPT ARGUMENT ...`` does.

    Args:
        args: of ``add_arguments``.

    Raises:
        BadInput: there is no such script, or it does not find a file.
    """
    from cid_mmpose.compat import check_versions

    check_versions()
    script = find_script(args.script)
    sys.argv = [str(script), *args.arguments]
    if not getattr(sys.flags, 'safe_path', False):  # of Python 3.11 and later
        sys.path[0] = str(script.parent)  # as for any script; so far it is the current folder
    try:
        runpy.run_path(str(script), run_name='__main__')
    except FileNotFoundError as error:  # which some of MMPose's scripts let through, with or without its name
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
        if script.parts[-len(path.parts) :] == path.parts:
            return script

    near = difflib.get_close_matches(path.name, {script.name for script in installed}, 1)
    meant = f'did you mean {near[0]!r}?' if near else "give a path, or a name such as 'bottomup_demo.py'"
    raise BadInput(f'{name}: no such file, and no script of MMPose; {meant}')


def installed_scripts() -> list[Path]:
    """Paths of the scripts that were installed with MMPose."""
    package = Path(find_spec('mmpose').origin).parent
    scripts = []
    for folder in FOLDERS:
        below = package / '.mim' / folder
        scripts += sorted(below.rglob('*.py'))
    return scripts
