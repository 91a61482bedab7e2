"""Holds each part of a config against the constructor that will take it: names and kinds of options, and its type.

A part is a dict with ``type``. Its class is looked up in the registry of its place, from the config's default scope, as
mmengine will do; its options are compared with the constructor's parameters, following ``**kwargs`` to the parents.
"""

import difflib
import inspect
import typing
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from mmengine import registry as roots
from mmengine.registry import Registry
from mmpose.registry import KEYPOINT_CODECS

from cid_mmpose.errors import BadInput
from cid_mmpose.models.options import TestOptions

from .values import fits, fits_default, in_words, kind_of

# key of a part -> the registry that it is built from
REGISTRIES = dict(
    model=roots.MODELS,
    backbone=roots.MODELS,
    neck=roots.MODELS,
    head=roots.MODELS,
    data_preprocessor=roots.MODELS,
    crowd_loss=roots.MODELS,
    person_loss=roots.MODELS,
    contrastive_loss=roots.MODELS,
    decoder=KEYPOINT_CODECS,
    encoder=KEYPOINT_CODECS,
    dataset=roots.DATASETS,
    datasets=roots.DATASETS,
    pipeline=roots.TRANSFORMS,
    transforms=roots.TRANSFORMS,
    sampler=roots.DATA_SAMPLERS,
    batch_sampler=roots.DATA_SAMPLERS,
    optim_wrapper=roots.OPTIM_WRAPPERS,
    optimizer=roots.OPTIMIZERS,
    param_scheduler=roots.PARAM_SCHEDULERS,
    default_hooks=roots.HOOKS,
    custom_hooks=roots.HOOKS,
    visualizer=roots.VISUALIZERS,
    vis_backends=roots.VISBACKENDS,
    log_processor=roots.LOG_PROCESSORS,
    train_cfg=roots.LOOPS,
    val_cfg=roots.LOOPS,
    test_cfg=roots.LOOPS,
    val_evaluator=roots.METRICS,
    test_evaluator=roots.METRICS,
    init_cfg=roots.WEIGHT_INITIALIZERS,
    worker_init_fn=roots.FUNCTIONS,
    collate_fn=roots.FUNCTIONS,
)
# what mmengine itself reads of a part, or hands to it
READ_BY_MMENGINE = dict(
    param_scheduler={'convert_to_iter_based'},
    optim_wrapper={'constructor', 'paramwise_cfg'},
    pipeline={'_scope_'},
    default_hooks={'priority'},
    custom_hooks={'priority'},
    init_cfg={'override', 'layer', '_delete_'},
)
GIVEN_BY_MMENGINE = {
    'optimizer',
    'params',
    'runner',
    'dataloader',
    'evaluator',
    'dataset',
    'sampler',
    'batch_size',
    'seed',
    'save_dir',
    'name',
}
OF_OTHERS = ('transforms',)  # some are not of a registry, such as those of albumentations
OURS = 'cid_mmpose.'
ALIKE = 0.75  # difflib's likeness above which an option is taken for another one misspelt


class Parameters(NamedTuple):
    """What a constructor takes; ``open`` if it may hand on any option to something that is not known here."""

    names: dict[str, inspect.Parameter]
    hints: dict[str, Any]
    open: bool
    needed: Sequence[str]


def check_part(part: Any, where: str, key: str) -> None:
    """Checks a part, or a list of parts, and those inside it.

    Args:
        part: of a config.
        where: its dotted name, for the message.
        key: of ``REGISTRIES``.

    Raises:
        BadInput: there is no such type, or an option is unknown, missing or of a wrong kind.
    """
    if isinstance(part, (list, tuple)):
        for number, item in enumerate(part):
            check_part(item, f'{where}.{number}', key)
    elif isinstance(part, dict) and 'type' in part:
        _check_typed(part, where, key)
    elif isinstance(part, dict):
        _check_inner(part, where)


def _check_typed(part: dict, where: str, key: str) -> None:
    built = class_of(part['type'], where, key)
    if built is None:
        return
    name = getattr(built, '__name__', str(built))
    options = {option: value for option, value in part.items() if option not in ('type', '_scope_')}
    read = READ_BY_MMENGINE.get(key, ())
    check_options({option: value for option, value in options.items() if option not in read}, built, where, name)
    _check_inner(options, where)


def _check_inner(options: dict, where: str) -> None:
    """Checks parts inside a part, if the key says where they are built."""
    for option, value in options.items():
        if option in REGISTRIES and option not in ('train_cfg', 'val_cfg', 'test_cfg'):
            if isinstance(value, (str, int, float)):
                raise BadInput(f'{where}.{option} must be a dict with type, got {value!r}')
            check_part(value, f'{where}.{option}', option)


def check_options(options: dict, built: Callable, where: str, name: str) -> None:
    """Holds options against the parameters of a class or function.

    Args:
        options: without ``type``.
        built: the class or function.
        where: dotted name of the options.
        name: of the class, for the message.

    Raises:
        BadInput: an option is unknown, missing or of a wrong kind.
    """
    known = parameters_of(built)
    ours = getattr(built, '__module__', '').startswith(OURS)
    for option, value in options.items():
        if option not in known.names:
            _check_unknown(str(option), known, ours, where, name)
        elif not _is_right(value, known, option, ours):
            raise BadInput(f'{where}.{option} must be {_wanted(known, option)}, got {value!r} ({name})')

    missing = [repr(option) for option in known.needed if option not in options and option not in GIVEN_BY_MMENGINE]
    if missing:
        raise BadInput(f'{where}: {name}: needs {", ".join(missing)}')
    if ours and isinstance(options.get('data_prefix'), dict):
        for part in options['data_prefix']:
            if part != 'img':
                raise BadInput(f"{where}.data_prefix: {name}: unknown option {part!r}; did you mean 'img'?")
    if ours and isinstance(options.get('test'), dict):  # CIDHead's
        check_options(options['test'], TestOptions, f'{where}.test', f'{name} (TestOptions)')


def _check_unknown(option: str, known: Parameters, ours: bool, where: str, name: str) -> None:
    near = difflib.get_close_matches(option, known.names, 1, ALIKE if known.open and not ours else 0.6)
    if known.open and not ours and not near:
        return  # some class takes any option and hands it on
    hint = f'; did you mean {near[0]!r}?' if near else '; take it out, or correct its name'
    raise BadInput(f'{where}: {name}: unknown option {option!r}{hint}')


def _is_right(value: Any, known: Parameters, option: str, ours: bool) -> bool:
    parameter = known.names[option]
    if value is None and parameter.default is None:
        return True
    if option in known.hints:
        return fits(value, known.hints[option], strict=ours)
    return parameter.default is inspect.Parameter.empty or fits_default(value, parameter.default)


def _wanted(known: Parameters, option: str) -> str:
    if option in known.hints:
        return in_words(known.hints[option])
    return kind_of(known.names[option].default)


def parameters_of(built: Callable) -> Parameters:
    """What a class, with its parents as far as ``**kwargs`` go, or a function can be called with.

    Args:
        built: as found in a registry.
    """
    names: dict[str, inspect.Parameter] = {}
    hints: dict[str, Any] = {}
    needed: list[str] = []
    is_open = False
    for number, maker in enumerate(_makers(built)):
        try:
            parameters = inspect.signature(maker).parameters.values()
        except (TypeError, ValueError):  # of a compiled function
            return Parameters(names, hints, True, needed)

        takes_more = False
        own_hints = _hints_of(maker)
        for parameter in parameters:
            name = parameter.name
            if parameter.kind is parameter.VAR_KEYWORD:
                takes_more = True
            elif parameter.kind is not parameter.VAR_POSITIONAL and name != 'self':
                if number == 0 and parameter.default is parameter.empty:
                    needed.append(name)
                if name not in names:
                    names[name] = parameter
                    if name in own_hints:
                        hints[name] = own_hints[name]
        if not takes_more:
            break
        is_open = True
    return Parameters(names, hints, is_open, needed)


def _makers(built: Callable) -> Iterator[Callable]:
    if not inspect.isclass(built):
        yield built
        return
    for kind in built.__mro__[:-1]:
        if '__init__' in vars(kind):
            yield vars(kind)['__init__']


def _hints_of(maker: Callable) -> dict[str, Any]:
    """Annotations of a function; none if they name what is not there."""
    try:
        return typing.get_type_hints(maker)
    except Exception:  # an annotation is code, and that of others may raise anything
        return {}


def near_name(name: str, known: Sequence[str]) -> str:
    """A proposal for the message on a name that is not known.

    Args:
        name: as given.
        known: names that there are.
    """
    near = difflib.get_close_matches(str(name), list(known), 1)
    return f'; did you mean {near[0]!r}?' if near else ''


def class_of(kind: Any, where: str, key: str) -> Callable | None:
    """The class or function of a type; None where it cannot be looked up.

    Args:
        kind: ``type`` of a part.
        where: dotted name of the part.
        key: of ``REGISTRIES``.

    Raises:
        BadInput: there is none of this name.
    """
    if not isinstance(kind, str):
        if callable(kind):
            return kind
        raise BadInput(f'{where}.type must be the name of a class, got {kind!r}')
    root = REGISTRIES[key]
    with root.switch_scope_and_registry(None) as registry:
        try:
            built = registry.get(kind)
        except ImportError:  # of a package that lacks something here; building it says what
            return None
        if built is None and key in ('val_evaluator', 'test_evaluator'):
            built = roots.EVALUATOR.get(kind)
        if built is None and key not in OF_OTHERS:
            raise BadInput(f'{where}.type={kind!r}: there is no {root.name} of this name{_meant(kind, registry)}')
    return built


def _meant(kind: str, registry: Registry) -> str:
    """A proposal from the names of a registry and its parents."""
    way_out = '; correct it, or name the module of your own class in custom_imports'
    scope, _, bare = kind.rpartition('.')
    known = {}
    if scope == 'cid_mmpose':
        from cid_mmpose import registry as ours

        for table in vars(ours).values():
            if isinstance(table, Registry) and table.name == registry.name:
                for name in table.module_dict:
                    known[name] = f'{scope}.{name}'
    while registry is not None and not scope:
        known.update({name: name for name in registry.module_dict})
        registry = registry.parent
    near = difflib.get_close_matches(bare, known, 1)
    if near and known[near[0]] == kind:  # it is there, and not to be seen from the config's scope
        return " in the scope of this config; set default_scope='mmpose'"
    return f'; did you mean {known[near[0]]!r}?' if near else way_out
