"""Tests lie in the folders of what they test, in files that are named after it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.images import ROOT

TESTS = ROOT / 'tests'
WITHOUT_MODULES = {'agreement', 'repository', 'helpers'}  # folders that are named after no code


def folders(tests: Path) -> list[Path]:
    """Folders with tests of a package, relative to ``tests`` and in order."""
    inside = {path.parent.relative_to(tests) for path in tests.rglob('*.py')} - {Path()}
    return sorted(folder for folder in inside if folder.parts[0] not in WITHOUT_MODULES)


def code_of(folder: Path, root: Path) -> Path:
    """Where the code lies that the tests of a folder are for."""
    return root / folder if folder.parts[0] == 'experiments' else root / 'cid_mmpose' / folder


def names_of(code: Path) -> set[str]:
    """The modules and packages of a folder, and its own name."""
    modules = {path.stem for path in code.glob('*.py')}
    packages = {path.parent.name for path in code.glob('*/__init__.py')}
    return (modules | packages | {code.name}) - {'__init__'}


def named_after(test: Path, names: set[str]) -> bool:
    """Whether ``test_head.py`` or ``test_head_memory.py`` has the name ``head`` of something in ``names``."""
    words = test.stem.removeprefix('test_').split('_')
    return any('_'.join(words[:count]) in names for count in range(1, len(words) + 1))


def misplaced(root: Path) -> list[str]:
    """Folders of tests without a package, and files of tests without a module, relative to ``tests``."""
    found = []
    for folder in folders(root / 'tests'):
        names = names_of(code_of(folder, root))
        if not code_of(folder, root).is_dir():
            found.append(folder.as_posix())
            continue
        tests = sorted((root / 'tests' / folder).glob('test_*.py'))
        found += [(folder / test.name).as_posix() for test in tests if not named_after(test, names)]
    return found


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f'{node.module}.{alias.name}' for alias in node.names)


def test_every_folder_and_file_of_tests_is_named_after_code():
    assert len(folders(TESTS)) > 15
    assert misplaced(ROOT) == []


@pytest.mark.parametrize(
    'test, wrong',
    [
        ('models/test_head.py', []),
        ('models/test_head_memory.py', []),
        ('models/test_fast.py', []),
        ('models/test_models.py', []),
        ('models/fast/test_chunks.py', []),
        ('experiments/test_overfit.py', []),
        ('agreement/test_moon.py', []),
        ('test_moon.py', []),
        ('models/test_moon.py', ['models/test_moon.py']),
        ('models/test_heads.py', ['models/test_heads.py']),
        ('models/test_chunks.py', ['models/test_chunks.py']),
        ('models/moon/test_head.py', ['models/moon']),
        ('experiments/test_head.py', ['experiments/test_head.py']),
    ],
)
def test_a_test_that_is_in_a_wrong_place_is_seen(tmp_path, test, wrong):
    code = ('models/__init__.py', 'models/head.py', 'models/fast/__init__.py', 'models/fast/chunks.py')
    for name in (*(f'cid_mmpose/{file}' for file in code), 'experiments/overfit.py', f'tests/{test}'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('')
    assert misplaced(tmp_path) == wrong


def test_what_several_tests_need_is_among_the_helpers():
    files = [path for path in TESTS.rglob('*.py') if path.parent != TESTS / 'helpers']
    others = {path.name for path in files if not path.name.startswith('test_')}
    assert others <= {'__init__.py', 'conftest.py'}
    of_tests = {
        path.name: name
        for path in files
        for name in imported(path)
        if any(word.startswith('test_') for word in name.split('.')[:-1])
    }
    assert of_tests == {}
