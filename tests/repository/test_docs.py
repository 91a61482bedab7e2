"""What the pages and the comments of the code name is there: files, links, targets of make."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from cid_mmpose.cli.main import VERBS
from tests.helpers.images import ROOT

FOLDERS = ('cid_mmpose', 'configs', 'docs', 'experiments', 'requirements', 'tests', 'tools')
MMPOSE_META = 'configs/_base_/datasets/'  # MMPose's own files, which configs name
FILE = re.compile(r'(?<![\w./-])(?:' + '|'.join(FOLDERS) + r')/[\w./{},-]+\.(?:py|md|sh|txt)\b')
LINK = re.compile(r'\]\(([^)#:]+)(?:#[^)]*)?\)')  # to a file, not to an address
PAGES = [*sorted(ROOT.glob('*.md')), *sorted((ROOT / 'docs').glob('*.md'))]
CODE_FOLDERS = ('cid_mmpose', 'configs', 'experiments', 'tools')
CODE = [path for folder in CODE_FOLDERS for path in sorted((ROOT / folder).rglob('*.py'))]


def spelled_out(name: str) -> Iterator[str]:
    """``a{b,c}`` -> ab, ac, as a shell does it."""
    pieces = re.split(r'\{([^}]*)\}', name)
    choices = [piece.split(',') if place % 2 else [piece] for place, piece in enumerate(pieces)]
    for chosen in product(*choices):
        yield ''.join(chosen)


def missing_files(text: str) -> list[str]:
    """Files of this project that a text names and that are not there."""
    named = [name for match in FILE.findall(text) for name in spelled_out(match)]
    return [name for name in named if not name.startswith(MMPOSE_META) and not (ROOT / name).is_file()]


@pytest.mark.parametrize('path', [*PAGES, ROOT / 'Makefile'], ids=lambda path: path.name)
def test_every_file_that_a_page_names_exists(path: Path):
    assert missing_files(path.read_text(encoding='utf-8')) == []


def test_every_file_that_the_code_names_exists():
    missing = {str(path.relative_to(ROOT)): missing_files(path.read_text(encoding='utf-8')) for path in CODE}
    assert {path: names for path, names in missing.items() if names} == {}


@pytest.mark.parametrize('path', PAGES, ids=lambda path: path.name)
def test_every_link_between_pages_leads_to_a_file(path: Path):
    links = LINK.findall(path.read_text(encoding='utf-8'))
    assert [link for link in links if not (path.parent / link).exists()] == []


def anchors(page: Path) -> set[str]:
    """The names under which the headings of a page can be linked to, by GitHub's rule."""
    headings = re.findall(r'^#+ (.+)$', page.read_text(encoding='utf-8'), re.M)
    words = [re.sub(r'[^\w\- ]', '', heading.lower()) for heading in headings]
    return {heading.replace(' ', '-') for heading in words}


@pytest.mark.parametrize('path', PAGES, ids=lambda path: path.name)
def test_every_link_to_a_heading_leads_to_one(path: Path):
    links = re.findall(r'\]\(([^):#]*)#([^)]+)\)', path.read_text(encoding='utf-8'))
    pages = [(path.parent / page if page else path, heading) for page, heading in links]
    assert [f'{page.name}#{heading}' for page, heading in pages if heading not in anchors(page)] == []


def test_headings_are_named_as_github_names_them(tmp_path):
    page = tmp_path / 'page.md'
    page.write_text("# Model zoo\n\n## Why `import cid_mmpose` comes first\n### COCO's val, test-dev\n")
    assert anchors(page) == {'model-zoo', 'why-import-cid_mmpose-comes-first', 'cocos-val-test-dev'}


@pytest.mark.parametrize('path', PAGES, ids=lambda path: path.name)
def test_every_target_of_make_that_a_page_names_exists(path: Path):
    targets = re.findall(r'^([a-z0-9-]+):', (ROOT / 'Makefile').read_text(encoding='utf-8'), re.M)
    named = re.findall(r'(?:`|^)make ([a-z0-9-]+)', path.read_text(encoding='utf-8'), re.M)
    assert set(named) <= set(targets)


@pytest.mark.parametrize('path', PAGES, ids=lambda path: path.name)
def test_every_verb_of_the_command_that_a_page_names_exists(path: Path):
    named = re.findall(r'(?:`|^)cid ([a-z]+)', path.read_text(encoding='utf-8'), re.M)
    assert set(named) <= set(VERBS)


def test_the_table_of_commands_in_the_readme_has_every_verb_but_the_demo():
    rows = re.findall(r'^\| .+ \| `cid (\w+) ', (ROOT / 'README.md').read_text(encoding='utf-8'), re.M)
    assert sorted([*rows, 'demo']) == sorted(VERBS)  # make demo has a section of its own


def test_a_file_that_is_not_there_is_seen():
    assert missing_files('`tools/prepare_{coco,moon}.py`, docs/data.md and tests/test_moon.py') == [
        'tools/prepare_moon.py',
        'tests/test_moon.py',
    ]
