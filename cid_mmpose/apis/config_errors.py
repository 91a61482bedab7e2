"""What a configuration got wrong, out of what mmengine raises while it builds the parts.

mmengine hands options to constructors as they are, so a misspelt one comes back as a TypeError from the depth. It is
the user's error if the traceback passes through a builder and the option stands in what was built there; whatever
else is raised is a bug and keeps its traceback.
"""
import difflib
import inspect
import re
import traceback
from contextlib import contextmanager
from types import FrameType
from typing import Any, Iterator, List, Optional

from cid_mmpose.errors import BadInput

# functions of mmengine that hand a part of the configuration to a constructor, and the local name of that part
BUILDERS = dict(build_from_cfg='args', build_dataloader='dataloader_cfg', build_train_loop='loop_cfg',
                build_val_loop='loop_cfg', build_test_loop='loop_cfg')
UNKNOWN = re.compile(r"([\w.<>]+)\(\) got an unexpected keyword argument '(\w+)'")
MISSING = re.compile(r'missing \d+ required .*arguments?: (.+)')
UNREGISTERED = re.compile(r'(\S+) is not in the \S+::(.+?) registry')


@contextmanager
def config_errors(path: str) -> Iterator[None]:
    """Raises BadInput, naming the file, the component and the option, for what a configuration got wrong.

    Args: path: the configuration file.
    """
    try:
        yield
    except Exception as error:
        text = config_error(error)
        if text is None:
            raise
        raise BadInput(f'{path}: {text}') from error


def config_error(error: BaseException) -> Optional[str]:
    """One line on what the configuration got wrong, or None if the error is not of that kind.

    Args: error: as caught, with its traceback.
    """
    error = original(error)
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    builders = [frame for frame in frames if _is_builder(frame)]
    if isinstance(error, BadInput) or not builders:
        return None
    here = frames[-1] is builders[-1]
    if isinstance(error, TypeError):
        return _wrong_options(str(error), builders[-1], here)
    if isinstance(error, KeyError) and here:
        return _unknown_type(str(error.args[0]))
    if isinstance(error, ValueError) and frames[-1].f_globals['__name__'].startswith('cid_mmpose.'):
        return f'{_component(builders[-1])}: {error}'  # an option of ours has one of the values that are not allowed
    return None


def original(error: BaseException) -> BaseException:
    """The error that some versions of mmengine's registry wrapped into another of its kind, or ``error`` itself.

    Args: error: as caught.
    """
    while error.__context__ is not None and error.args and str(error.args[0]).startswith('class `'):
        error = error.__context__
    return error


def _is_builder(frame: FrameType) -> bool:
    return frame.f_code.co_name in BUILDERS and frame.f_globals['__name__'].startswith('mmengine.')


def _component(builder: FrameType) -> str:
    """Name of what was being built."""
    built = builder.f_locals.get('obj_cls')
    return getattr(built, '__name__', None) or builder.f_code.co_name[len('build_'):]


def _wrong_options(text: str, builder: FrameType, here: bool) -> Optional[str]:
    """On options that are unknown or missing; ``here``: the builder itself could not hand them over."""
    unknown, missing = UNKNOWN.search(text), MISSING.search(text)
    if unknown and _stands_in(unknown.group(2), builder.f_locals.get(BUILDERS[builder.f_code.co_name])):
        owner = unknown.group(1).split('.')[0]
        part = _component(builder)
        where = part if here or owner == part else f'{part} ({owner})'
        return f'{where}: unknown option {unknown.group(2)!r}{_nearest(unknown.group(2), builder)}'
    return f'{_component(builder)}: needs {missing.group(1)}' if missing and here else None


def _stands_in(option: str, config: Any) -> bool:
    """Whether the option is a key anywhere in a part of a configuration."""
    if isinstance(config, dict):
        return option in config or any(_stands_in(option, value) for value in config.values())
    return isinstance(config, (list, tuple)) and any(_stands_in(option, value) for value in config)


def _nearest(option: str, builder: FrameType) -> str:
    """A proposal from what the component takes."""
    near = difflib.get_close_matches(option, _options(builder.f_locals.get('obj_cls')), 1)
    return f'; did you mean {near[0]!r}?' if near else '; take it out, or correct its name'


def _options(built: Any) -> List[str]:
    """Names of all that a class and its parents, or a function, can be built with."""
    makers = [kind.__init__ for kind in built.__mro__[:-1]] if inspect.isclass(built) else [built]
    return [name for maker in makers if callable(maker) for name in inspect.signature(maker).parameters]


def _unknown_type(text: str) -> str:
    found = UNREGISTERED.match(text)
    if not found:
        return text
    return (f'type={found.group(1)!r}: there is no {found.group(2)} of this name; correct it, or name the module of '
            'your own class in custom_imports')
