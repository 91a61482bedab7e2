"""The pages of the API (``make api``): which modules they have, the stable ones first. pdoc itself runs in CI."""

import ast
import re
import runpy

from tests.helpers.images import ROOT
from tests.helpers.package import modules

MAKE_API = runpy.run_path(str(ROOT / 'docs' / 'make_api.py'))
POLICY = (ROOT / 'CHANGELOG.md').read_text(encoding='utf-8')


def test_the_packages_that_the_version_policy_calls_stable_come_first():
    named = re.search(r'what `__all__` of (.+?) names', POLICY, re.S)[1]
    packages = re.findall(r'`cid_mmpose\.(\w+)`', named)
    assert sorted(MAKE_API['STABLE'][1:7]) == sorted(packages)


def test_every_module_has_a_page_but_those_that_nobody_imports():
    without = {f'cid_mmpose.{name}' for name in modules() if name} - set(MAKE_API['all_names']())
    parts = {name.split('.')[1] for name in without}
    assert parts == {'compat', 'cli', 'benchmark', '__main__'}


def test_classes_are_looked_for_in_every_registry_of_the_package():
    tree = ast.parse((ROOT / 'cid_mmpose' / 'registry.py').read_text(encoding='utf-8'))
    made = [node for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)]
    assert sorted(MAKE_API['REGISTRIES']) == sorted(node.targets[0].id for node in made)
