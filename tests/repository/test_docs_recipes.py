"""docs/recipes.md says what the code does: options, values and tests by name."""

import ast
import re
from functools import cache

from cid_mmpose.recipes import RECIPES
from tests.helpers.images import ROOT

PAGE = (ROOT / 'docs' / 'recipes.md').read_text()


def test_the_page_lists_every_option_with_its_value_in_both_recipes():
    listed, part = {}, ''
    for cells in re.findall(r'^\| (`\w+`)? ?\| (`\w+`) \| `([^`]+)` \| `([^`]+)` \|', PAGE, re.M):
        part = cells[0].strip('`') or part
        listed[part, cells[1].strip('`')] = cells[2:]
    known = {
        (part, name): (str(value), str(RECIPES['mmpose'][part][name]))
        for part, options in RECIPES['reference'].items()
        for name, value in options.items()
    }
    assert listed == known


@cache
def functions_of(file: str) -> set[str]:
    """The functions of a file of tests."""
    tree = ast.parse((ROOT / 'tests' / f'{file}.py').read_text(encoding='utf-8'))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_test_that_the_page_names_exists():
    named = re.findall(r'`((?!tests/)(?:\w+/)*test_\w+)\.py(?:::(\w+))?`', PAGE)
    assert len(named) > 40
    missing = [f'{file}.py::{test}' for file, test in named if test and test not in functions_of(file)]
    assert missing == []
    assert [file for file, test in named if not test and not functions_of(file)] == []


def test_the_page_has_every_line_of_the_differences():
    assert re.findall(r'^\| (\d\.\d+) \|', PAGE, re.M) == [
        f'{section}.{line}' for section, last in ((2, 13), (3, 7), (4, 7)) for line in range(1, last + 1)
    ]
