"""Docstrings cannot lie for long: what ``Args:`` names exists, and everything public says what it is."""

import ast
import importlib
import inspect
import re

import pytest

from tests.helpers.package import modules

NAMES = r'(\*{0,2}[a-z_]\w*(?:, \*{0,2}[a-z_]\w*)*): '


def args_block(doc):
    """What stands behind ``Args:`` and the lines below it that are indented further."""
    lines = iter(doc.splitlines())
    for line in lines:
        if line.strip().startswith('Args:'):
            break
    else:
        return []
    outside = len(line) - len(line.lstrip())
    first = line.strip()[len('Args:') :].strip()
    block = [first] if first else []
    for line in lines:
        if len(line) - len(line.lstrip()) <= outside:
            break
        block.append(line)
    return block


def documented(doc):
    """Names in an ``Args:`` block, one a line or several in the form 'a, b: text. c: text.'"""
    block, names = args_block(doc), []
    margin = min((len(line) - len(line.lstrip()) for line in block), default=0)
    for line in block:
        start = f'(?:^ {{{margin}}}|[.;)] ){NAMES}' if line[: margin + 1].strip() else f'[.;)] {NAMES}'
        for found in re.finditer(start, line + ' '):
            names += [name.strip('* ') for name in found.group(1).split(',')]
    return names


def parameters(node):
    """What a function takes, or what a class can be built with (its ``__init__`` and its annotated fields)."""
    if isinstance(node, ast.ClassDef):
        fields = {item.target.id for item in node.body if isinstance(item, ast.AnnAssign)}
        inits = [item for item in node.body if getattr(item, 'name', '') == '__init__']
        return fields.union(*map(parameters, inits))
    a = node.args
    everything = a.posonlyargs + a.args + a.kwonlyargs + [arg for arg in (a.vararg, a.kwarg) if arg]
    return {arg.arg for arg in everything} - {'self', 'cls'}


def definitions(path):
    """(dotted name, node) of the functions and classes of a file and of the methods of its classes."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, kinds):
            yield node.name, node
        if isinstance(node, ast.ClassDef):
            yield from ((f'{node.name}.{item.name}', item) for item in node.body if isinstance(item, kinds))


def inherited(module, name):
    """What a class of the package hands on to its parents: all that they take, where it takes ``**kwargs`` itself."""
    found = getattr(importlib.import_module(f'cid_mmpose.{module}'), name)
    if not inspect.isclass(found):
        return set()
    chain = found.__mro__[:-1]
    taken = [inspect.signature(kind.__init__).parameters for kind in chain]
    hands_on = any(parameter.kind == parameter.VAR_KEYWORD for parameter in taken[0].values())
    return set().union(*taken) if hands_on else set()


def ghosts(path, module=None):
    """Arguments that are documented and do not exist."""
    found = {
        (name, argument)
        for name, node in definitions(path)
        for argument in set(documented(ast.get_docstring(node) or '')) - parameters(node)
    }
    if module:
        found = {ghost for ghost in found if ghost[1] not in inherited(module, ghost[0].split('.')[0])}
    return {f'{name}: {argument}' for name, argument in found}


FILES = [pytest.param(name, path, id=name or 'package') for name, path in sorted(modules().items())]


@pytest.mark.parametrize('module, path', FILES)
def test_documented_arguments_exist(module, path):
    assert ghosts(path, module) == set()


@pytest.mark.parametrize('module, path', FILES)
def test_every_public_function_and_class_says_what_it_is(module, path):
    silent = [
        name
        for name, node in definitions(path)
        if '.' not in name and not name.startswith('_') and not ast.get_docstring(node)
    ]
    assert silent == []


@pytest.mark.parametrize('module, path', FILES)
def test_each_section_of_a_docstring_begins_a_line_and_its_text_the_next(module, path):
    texts = [(name, ast.get_docstring(node) or '') for name, node in definitions(path)]
    assert [name for name, doc in texts if re.search(r'^ *(Args|Returns|Raises): +\S|\bArgs: ', doc, re.M)] == []


def test_most_arguments_of_the_core_are_documented_so_that_the_check_above_bites():
    found = [
        name
        for module, path in sorted(modules().items())
        if module.split('.')[0] in ('codecs', 'models')
        for _, node in definitions(path)
        for name in documented(ast.get_docstring(node) or '')
    ]
    assert len(found) > 60 and {'keypoints', 'bbox', 'recalibration', 'temperature', 'num_images', 'nms'} <= set(found)


def test_arguments_are_read_in_every_style_we_write():
    assert documented('Text.\n\nArgs: w, h: box sides, > 0. overlap: a share.') == ['w', 'h', 'overlap']
    assert documented(
        'Text.\n\nArgs:\n    a, b: (P,) sides (see c). c: more.\n        on, and: on.\n    *d: last\n'
        'Raises BadInput: never'
    ) == ['a', 'b', 'c', 'd']
    assert documented('Text.\n\nArgs:\n    a: one\n\n    b: not in the block') == ['a']
    assert documented('No arguments: none at all.') == []


def test_a_ghost_is_found_in_a_function_a_class_and_a_method(tmp_path):
    code = (
        'def f(a, *, b):\n    """F.\n\n    Args: a, c: x. b: y.\n    """\n'
        'class C:\n    """C.\n\n    Args:\n        a: x. field: y. z: gone.\n    """\n    field: int\n'
        '    def __init__(self, a):\n        pass\n'
        '    def m(self, q):\n        """M.\n\n        Args: q: x. self: no.\n        """\n'
    )
    (tmp_path / 'x.py').write_text(code)
    assert ghosts(tmp_path / 'x.py') == {'f: c', 'C: z', 'C.m: self'}
