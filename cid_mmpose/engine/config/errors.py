"""What a config got wrong, out of what is raised while its parts are built.

``check.py`` finds most of it before. What is left is an error that a constructor raises: it is the user's to
mend if it comes from the stack or from this project while mmengine builds a part. An error in a class of the user's
own, or one outside of all building, keeps its traceback.
"""

import inspect
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FrameType

from mmengine.logging import MMLogger
from mmengine.registry import Registry, build_from_cfg, build_model_from_cfg
from mmengine.runner import Runner

from cid_mmpose.cli.user_errors import original
from cid_mmpose.engine.screen import STACK, write_to_file
from cid_mmpose.errors import BadInput

NOT_THE_USERS = (*STACK, 'numpy', 'cid_mmpose')
KINDS = (
    TypeError,
    ValueError,
    KeyError,
    AttributeError,
    AssertionError,
    IndexError,
    ImportError,
    OSError,
    RuntimeError,
    NotImplementedError,
)
LONGEST = 300  # characters of an error's text that are shown


@contextmanager
def of_config(path: str) -> Iterator[None]:
    """Puts the name of the config before what is wrong in it.

    Args:
        path: the config.
    """
    try:
        yield
    except BadInput as error:
        raise BadInput(f'{path}: {error}') from error


@contextmanager
def config_errors(path: str) -> Iterator[None]:
    """Raises BadInput, naming the config and the component, for what a config got wrong; the log has the traceback.

    Args:
        path: the config.
    """
    try:
        yield
    except Exception as error:
        text = config_error(error)
        if text is None:
            raise
        write_to_file(MMLogger.get_current_instance(), traceback.format_exc())
        raise BadInput(f'{path}: {text}') from error


def config_error(error: BaseException) -> str | None:
    """One line on what the config got wrong, or None if the error is not of that kind.

    Args:
        error: as caught, with its traceback.
    """
    error = original(error)
    if isinstance(error, BadInput) or not isinstance(error, KINDS):
        return None
    builders = _builders()
    frames = []
    last_builder = None  # place in ``frames``
    for place, (frame, _) in enumerate(traceback.walk_tb(error.__traceback__)):
        frames.append(frame)
        if frame.f_code in builders:
            last_builder = place
    if last_builder is None or not _is_of_the_stack(frames[-1]) or _is_of_the_user(frames):
        return None

    component = _component(frames[last_builder:])
    text = _text_of(error)
    if not component or text.startswith(component):
        return text
    return f'{component}: {text}'


def _text_of(error: BaseException) -> str:
    """What an error says, in one line that is not too long; its class where it says nothing."""
    said = error.args[0] if error.args else error
    words = str(said).split()
    text = ' '.join(words)
    if not text:
        return type(error).__name__
    if len(text) > LONGEST:
        return text[:LONGEST] + ' ...'
    return text


def _builders() -> set[CodeType]:
    """The functions of mmengine that make parts out of a config."""
    methods = [method for name, method in vars(Runner).items() if name.startswith(('build_', '_build_', 'setup_env'))]
    methods += [Runner.__init__, Runner.wrap_model, Runner.scale_lr, Runner.set_randomness, Registry.build]
    methods += [build_from_cfg, build_model_from_cfg]
    return {inspect.unwrap(method).__code__ for method in methods if inspect.isfunction(method)}


def _is_of_the_stack(frame: FrameType) -> bool:
    module = frame.f_globals.get('__name__', '')
    return module.partition('.')[0] in NOT_THE_USERS or module.startswith(('importlib', 'multiprocessing', 'logging'))


def _is_of_the_user(frames: list[FrameType]) -> bool:
    """Whether a constructor of a user's own class is at work."""
    return any(frame.f_code.co_name == '__init__' and not _is_of_the_stack(frame) for frame in frames)


def _component(frames: list[FrameType]) -> str:
    """Name of the class whose constructor was called first, '' if none was."""
    for frame in frames[1:]:
        if frame.f_code.co_name == '__init__' and frame.f_code.co_argcount:
            made = frame.f_locals.get(frame.f_code.co_varnames[0])
            return type(made).__name__
    return ''
