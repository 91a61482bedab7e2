"""Imports flow one way: each part of the package knows only those below it."""

import ast

from tests.helpers.package import HEIGHT, PACKAGE, modules

# ``cid_mmpose.load`` asks for one or the other when it is called
DOORS = [('', 'inference.load'), ('', 'runtime.predictor')]


def imports_of(name, path, known, nodes):
    """The modules of the package, named as in ``known``, that these import statements ask for."""
    parents = name.split('.') if path.name == '__init__.py' else name.split('.')[:-1]
    for node in nodes:
        if isinstance(node, ast.Import):
            asked = [alias.name.split('.') for alias in node.names if alias.name.split('.')[0] == 'cid_mmpose']
            yield from ('.'.join(parts[1:]) for parts in asked)
        elif isinstance(node, ast.ImportFrom) and (node.level or (node.module or '').split('.')[0] == 'cid_mmpose'):
            above = parents[: len(parents) - node.level + 1] if node.level else []
            below = (node.module or '').split('.')[0 if node.level else 1 :]
            base = '.'.join(part for part in above + below if part)
            for alias in node.names:
                inner = f'{base}.{alias.name}'.strip('.')
                yield inner if inner in known else base


def all_imports(everywhere, root=PACKAGE):
    """(importer, imported) pairs; those inside functions only if ``everywhere``."""
    known = modules(root)
    for name, path in known.items():
        tree = ast.parse(path.read_text())
        nodes = ast.walk(tree) if everywhere else tree.body
        for target in imports_of(name, path, known, nodes):
            yield name, target


def part(name):
    """The longest name of ``HEIGHT`` that a module lies below; its first word where there is none."""
    words = name.split('.')
    starts = ['.'.join(words[:length]) for length in range(len(words), 0, -1)]
    return next((start for start in starts if start in HEIGHT), words[0])


def test_every_part_of_the_package_has_its_place_in_the_order():
    assert {part(name) for name in modules() if name} <= set(HEIGHT)


def test_no_module_imports_upwards():
    upwards = [
        (name, target)
        for name, target in all_imports(everywhere=True)
        if target and HEIGHT[part(target)] > HEIGHT.get(part(name), 0)
    ]
    assert sorted(upwards) == DOORS


def test_no_two_modules_need_each_other():
    needs = {name: set() for name in modules()}
    for name, target in all_imports(everywhere=False):
        needs[name] |= {target} - {name}
    while free := [name for name, targets in needs.items() if not targets & set(needs)]:
        for name in free:
            del needs[name]
    assert needs == {}


def test_a_module_belongs_to_the_innermost_part_that_has_a_tier():
    assert [part(name) for name in ('engine.hooks.finite', 'engine.launch', 'models.fast.gfd', 'moon.x')] == [
        'engine.hooks',
        'engine',
        'models',
        'moon',
    ]


def test_upward_imports_are_seen_in_every_way_of_writing_them(tmp_path):
    for folder in ('codecs', 'models/deep'):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / '__init__.py').write_text('')
    (tmp_path / '__init__.py').write_text('from . import codecs\n')
    (tmp_path / 'models' / '__init__.py').write_text('from .deep import thing\n')
    (tmp_path / 'codecs' / 'a.py').write_text(
        'import numpy\nfrom cid_mmpose.models import x\nfrom ..models import deep\n'
        'def f():\n    import cid_mmpose.models.deep\n    from . import a\n'
    )
    found = set(all_imports(everywhere=True, root=tmp_path))
    assert found == {
        ('', 'codecs'),
        ('models', 'models.deep'),
        ('codecs.a', 'models'),
        ('codecs.a', 'models.deep'),
        ('codecs.a', 'codecs.a'),
    }
    assert ('codecs.a', 'codecs.a') not in set(all_imports(everywhere=False, root=tmp_path))
