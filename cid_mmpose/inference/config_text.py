"""The config inside a checkpoint, read as data: it is a program's text, and nothing of a stranger's is run.

mmengine writes the config of a training into its checkpoints as assignments of plain values and ``dict(...)``. Here
that form is read and no other; the names of types must be registered ones, so that none of them can import a module.
"""

import ast
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.registry import Registry

from cid_mmpose.errors import BadInput


def config_of(text: str, name: str) -> Config:
    """The config in the text that a training wrote.

    Args:
        text: assignments of plain values, lists, tuples and ``dict(...)``.
        name: of its file, for the messages.

    Raises:
        BadInput: the text holds anything else.
    """
    try:
        tree = ast.parse(text)
        return Config(dict(_assignment(node) for node in tree.body))
    except (SyntaxError, ValueError, TypeError, KeyError, RecursionError, MemoryError) as error:
        reason = str(error) or type(error).__name__
        raise BadInput(
            f'{name}: the config in it is not plain data ({reason:.100}); give the config as a file of its own'
        ) from error


def _assignment(node: ast.stmt) -> tuple[str, Any]:
    """Name and value of ``name = value``."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
        raise ValueError(f'line {node.lineno} is no assignment')
    return node.targets[0].id, _value(node.value)


def _value(node: ast.expr) -> Any:
    """A value written as Python's literals, ``dict(...)`` among them."""
    if isinstance(node, ast.Call):
        return _called(node)
    if isinstance(node, ast.Dict):
        if None in node.keys:
            raise ValueError(f'line {node.lineno} has **')
        return {_value(key): _value(value) for key, value in zip(node.keys, node.values) if key is not None}
    if isinstance(node, ast.List):
        return [_value(each) for each in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(_value(each) for each in node.elts)
    return ast.literal_eval(node)


def _called(node: ast.Call) -> dict[Any, Any]:
    """A ``dict(a=1)``, or ``dict({'a.b': 1})``, which mmengine writes where a key is no name."""
    is_dict = isinstance(node.func, ast.Name) and node.func.id == 'dict'
    if not is_dict or not all(isinstance(each, ast.Dict) for each in node.args) or len(node.args) > 1:
        raise ValueError(f'line {node.lineno} calls something')
    value = _value(node.args[0]) if node.args else {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise ValueError(f'line {node.lineno} has **')
        value[keyword.arg] = _value(keyword.value)
    return value


def check_types(node: Any, registries: tuple[Registry, ...], name: str) -> None:
    """BadInput if a ``type`` in a part of a config is not the name of a registered class.

    mmengine takes other names for paths of anything that can be imported, and calls it.

    Args:
        node: a part of a config.
        registries: in which a type may stand.
        name: of the file, for the message.
    """
    if isinstance(node, (dict, ConfigDict)):
        kind = node.get('type')
        if kind is not None and not any(_is_registered(kind, registry) for registry in registries):
            raise BadInput(
                f'{name}: its config has type={kind!r:.80}, which is no registered class; give the config as a file of '
                'its own if you trust it'
            )
        for value in node.values():
            check_types(value, registries, name)
    elif isinstance(node, (list, tuple)):
        for value in node:
            check_types(value, registries, name)


def _is_registered(kind: Any, registry: Registry) -> bool:
    """Whether a name, alone or behind a scope, stands in a registry, its parents or their children."""
    if not isinstance(kind, str):
        return False
    scope, _, alone = kind.rpartition('.')
    root = registry
    registry.import_from_location()  # names are there once the modules of a registry are imported
    while root.parent is not None:
        root = root.parent
        root.import_from_location()
    return any(alone in each.module_dict for each in _family(root) if scope in ('', each.scope))


def _family(registry: Registry) -> list[Registry]:
    found = [registry]
    for children in registry.children.values():
        found += _family(children)
    return found
