"""How a command ends: one line for what its user can mend, and for signals; imports nothing of the stack."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from cid_mmpose.errors import BadInput

# Containers and servers lack X libraries, without which opencv-python does not load. It shares its files with
# opencv-python-headless, hence the reinstallation.
WITHOUT_X = (
    'pip uninstall -y opencv-python, then pip install --force-reinstall --no-deps opencv-python-headless, which has no '
    'windows; or the libraries that it lacks (on Debian and Ubuntu: apt-get install libgl1 libglib2.0-0)'
)


@contextmanager
def user_errors() -> Iterator[None]:
    """Around a command: what the user can mend is printed as one ``error:`` line, and the command exits with 2.

    After SIGINT and SIGTERM it is one line and 130 or 143, as shells count. The command's imports stand inside, too:
    those of the stack take seconds, in which somebody may change their mind.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        number = getattr(error, 'number', signal.SIGINT)  # ``interrupts.Stopped`` knows which signal it was
        if int(os.environ.get('RANK', 0)) == 0:
            print(str(error) or f'stopped by {signal.Signals(number).name}', file=sys.stderr, flush=True)
        raise SystemExit(128 + number) from None
    except Exception as error:
        text = _user_text(error)
        if text is None:
            raise
        print(f'error: {text}', file=sys.stderr, flush=True)
        raise SystemExit(2) from None


def original(error: BaseException) -> BaseException:
    """The error that some versions of mmengine's registry wrapped into another of its kind, or ``error`` itself.

    Args:
        error: as caught.
    """
    while error.__context__ is not None and error.args and str(error.args[0]).startswith('class `'):
        error = error.__context__
    return error


def _user_text(error: Exception) -> str | None:
    """What to tell the user, None if the error is not for them to mend and wants its traceback."""
    error = original(error)
    if isinstance(error, ImportError) and error.name == 'xtcocotools':
        return str(error)
    if isinstance(error, ModuleNotFoundError) and error.name == 'cv2':
        return 'OpenCV is not installed: pip install opencv-python, or opencv-python-headless, which has no windows'
    if isinstance(error, ImportError) and error.name == 'cv2' and 'cannot open shared object file' in str(error):
        return f'OpenCV cannot be imported ({error}): {WITHOUT_X}'
    if isinstance(error, BadInput):
        return str(error)
    return None
