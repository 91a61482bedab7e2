"""Steps of a list by their types: ``pipeline.RandomAffine.input_size`` in an option, for ``pipeline.1.input_size``.

mmengine finds what stands in a list by its number. That changes when somebody puts a step before it; the type does not.
"""

from collections.abc import Sequence
from typing import Any

from mmengine.config import Config

from cid_mmpose.errors import BadInput

from .parts import near_name


def numbered(name: str, cfg: Config) -> str:
    """A dotted name with the number of each step that it gives by type.

    Args:
        name: of an option, such as ``train_dataloader.dataset.pipeline.RandomAffine.input_size``.
        cfg: the config that the option is for.

    Raises:
        BadInput: a list of steps has none of this type, or several.
    """
    part: Any = cfg
    words: list[str] = []
    for word in str(name).split('.'):
        if _has_types(part) and not word.isdigit():
            word = _number_of(word, part, name, '.'.join(words))
        words.append(word)
        part = inside(part, word)
    return '.'.join(words)


def inside(part: Any, word: str) -> Any:
    """What stands below a part; an empty dict where nothing does.

    Args:
        part: of a config.
        word: name of an option of it, or number or type of a step in it.
    """
    if isinstance(part, (Config, dict)):
        return part.get(word, {})
    if not isinstance(part, (list, tuple)):
        return {}
    if word.isdigit():
        return part[int(word)] if int(word) < len(part) else {}
    steps = [step for step in part if type_of(step) == word]
    return steps[0] if len(steps) == 1 else {}


def type_of(step: Any) -> str:
    """Name of a step's class without its scope, '' for what has no type.

    Args:
        step: what stands in a list of a config.
    """
    kind = step.get('type', '') if isinstance(step, dict) else ''
    name = kind if isinstance(kind, str) else getattr(kind, '__name__', '')
    return name.rpartition('.')[2]


def label(steps: Sequence[Any], number: int) -> str:
    """How an option names a step: by its type, where no other step has it, or by its number.

    Args:
        steps: a list of a config.
        number: of the step in it.
    """
    types = [type_of(step) for step in steps]
    kind = types[number]
    return kind if kind and types.count(kind) == 1 else str(number)


def _has_types(part: Any) -> bool:
    return isinstance(part, (list, tuple)) and any(type_of(step) for step in part)


def _number_of(kind: str, steps: Any, name: str, where: str) -> str:
    """The number of the one step of a type; else BadInput about the option ``name``."""
    types = [type_of(step) for step in steps]
    numbers = [str(number) for number, other in enumerate(types) if other == kind]
    if not numbers:
        known = [other for other in types if other]
        raise BadInput(f'--cfg-options: {name}: {where} has no step {kind!r}{near_name(kind, known)}')
    if len(numbers) > 1:
        raise BadInput(
            f'--cfg-options: {name}: {where} has several steps {kind!r}; give a number: {", ".join(numbers)}'
        )
    return numbers[0]
