"""What the pages for those who work on the package promise: names that exist, commands that run, a list of changes."""

import ast
import re
from pathlib import Path

import pytest

import cid_mmpose
from tests.helpers.images import ROOT
from tests.helpers.package import TIERS

PACKAGE = ROOT / 'cid_mmpose'
NAMING_PAGES = ['docs/architecture.md', 'docs/glossary.md', 'CONTRIBUTING.md', 'SECURITY.md']
PAGES = [*NAMING_PAGES, 'CHANGELOG.md', 'docs/index.md']  # the list of changes has old names too
CODE = re.compile(r'`([^`\n]+)`')
DOTTED = re.compile(r'(?:cid_mmpose\.)?([a-z_]\w*(?:\.\w+)+)')
OF_THE_SHELL = {'git', 'pip', 'pre-commit', 'ruff', 'mypy'}


def text_of(name: str) -> str:
    """A file of the repository."""
    return (ROOT / name).read_text(encoding='utf-8')


def in_backticks(text: str) -> list[str]:
    """What a page sets as code within its sentences and tables."""
    without_blocks = re.sub(r'^ *```.*?^ *```', '', text, flags=re.M | re.S)
    return CODE.findall(without_blocks)


def missing_paths(text: str) -> list[str]:
    """Files and folders of the package that a page names and that are not there."""
    named = [code for code in in_backticks(text) if code.startswith('cid_mmpose/')]
    return [name for name in named if not (ROOT / name).exists()]


def definitions(body: list[ast.stmt]) -> dict[str, ast.ClassDef | None]:
    """Name -> class, or None for what is no class, of the statements of a module or class."""
    found: dict[str, ast.ClassDef | None] = {}
    for node in body:
        if isinstance(node, ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.FunctionDef):
            found[node.name] = None
        elif isinstance(node, ast.Assign):
            found.update((target.id, None) for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = None
        elif isinstance(node, ast.ImportFrom):
            found.update((alias.asname or alias.name, None) for alias in node.names)
    return found


def public_names(body: list[ast.stmt]) -> set[str]:
    """What ``__all__`` names, for modules that import it when it is asked for."""
    for node in body:
        if isinstance(node, ast.Assign) and any(getattr(target, 'id', '') == '__all__' for target in node.targets):
            return set(ast.literal_eval(node.value))
    return set()


def exists(dotted: str) -> bool:
    """Whether the package has a module, or a function, class, method or constant in one, of this name below it."""
    path, words = PACKAGE, dotted.split('.')
    while words and (path / words[0]).is_dir():
        path = path / words.pop(0)
    file = path / '__init__.py'
    if words and (path / f'{words[0]}.py').is_file():
        file = path / f'{words.pop(0)}.py'
    if not words:
        return True
    body = ast.parse(file.read_text(encoding='utf-8')).body
    if words in [[name] for name in public_names(body)]:
        return True
    while words:
        known = definitions(body)
        word = words.pop(0)
        if word not in known:
            return False
        body = known[word].body if known[word] else []
    return True


def missing_names(text: str) -> list[str]:
    """Dotted names of the package in a page that lead to nothing."""
    parts = {path.stem for path in PACKAGE.iterdir() if path.suffix == '.py' or (path / '__init__.py').is_file()}
    found = [DOTTED.fullmatch(code) for code in in_backticks(text)]
    dotted = [match[1] for match in found if match]
    ours = [name for name in dotted if name.split('.')[0] in parts and not name.endswith(('.py', '.md'))]
    return [name for name in ours if not exists(name)]


def commands_in(text: str) -> list[list[str]]:
    """The words of each command in the blocks of a page, and of those in its sentences that begin as commands do."""
    blocks = re.findall(r'^ *```bash\n(.*?)^ *```', text, re.M | re.S)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += [code for code in in_backticks(text) if code.split()[0] in ('make', 'python', 'ruff', 'mypy', '.ci/run')]
    commands = [line.partition('#')[0].split() for line in lines]
    return [words for words in commands if words]


def problem_of_command(words: list[str]) -> str:
    """Why a command cannot be run in a checkout; '' if it can."""
    targets = re.findall(r'^([a-z0-9-]+):', text_of('Makefile'), re.M)
    command, first = words[0], words[1] if len(words) > 1 else ''
    if command == 'make':
        files = [word.partition('=')[2] for word in words if word.startswith('TESTS=')]
        gone = [file for file in files if not (ROOT / file).is_file()]
        return '' if first in targets and not gone else f'no target {first}, or no {gone}'
    if command == 'python' and first == '-m':
        return '' if words[2] == 'cid_mmpose' else f'no module {words[2]}'
    if command == 'python':
        return '' if (ROOT / first).is_file() else f'no file {first}'
    return '' if command in OF_THE_SHELL or (ROOT / command).is_file() else f'no command {command}'


def test_the_list_of_changes_has_the_version_of_the_package_and_its_policy():
    changes = text_of('CHANGELOG.md')
    versions = re.findall(r'^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d|not released)$', changes, re.M)
    assert cid_mmpose.__version__ == versions[0][0]
    numbers = [tuple(map(int, version.split('.'))) for version, _ in versions]
    assert numbers == sorted(numbers, reverse=True)
    assert [day for _, day in versions[1:] if day == 'not released'] == []
    assert '## Version policy' in changes and '**stable API**' in changes


def test_the_citation_has_the_version_and_the_day_of_the_list_of_changes():
    version, day = re.search(r'^## \[(.+?)\] - (\S+)$', text_of('CHANGELOG.md'), re.M).groups()
    citation = text_of('CITATION.cff')
    assert f'\nversion: {version}\n' in citation and f'\ndate-released: {day}\n' in citation


def test_the_modules_that_moved_are_where_the_list_of_changes_says():
    rows = re.findall(r'^\| (`[\w.]+`.*) \| (`[\w.]+`.*) \|$', text_of('CHANGELOG.md'), re.M)
    old = [name for row in rows for name in CODE.findall(row[0])]
    new = [name for row in rows for name in CODE.findall(row[1])]
    assert len(old) > 40
    assert [name for name in new if not exists(name)] == []
    assert [name for name in old if (PACKAGE / f'{name.replace(".", "/")}.py').exists()] == []


def test_the_index_links_every_page_and_no_other():
    links = re.findall(r'\]\(([^)]+)\)', text_of('docs/index.md'))
    pages = {path.name for path in (ROOT / 'docs').glob('*.md')} - {'index.md'}
    assert {link for link in links if '/' not in link} == pages
    assert {'../README.md', '../CONTRIBUTING.md', '../CHANGELOG.md', '../SECURITY.md'} <= set(links)
    assert [link for link in links if not (ROOT / 'docs' / link).is_file()] == []


@pytest.mark.parametrize('page', NAMING_PAGES)
def test_every_path_and_name_of_the_package_in_a_page_exists(page: str):
    text = text_of(page)
    assert missing_paths(text) == []
    assert missing_names(text) == []


def test_names_that_lead_to_nothing_are_seen():
    text = (
        '`models.gfd.GFD.forward` `models.gfd.Moon` `models.gfd.GFD.moon` `moon.gfd` `model.test_cfg` `codecs` '
        '`recipes.RECIPES` `cid_mmpose.data.CocoPeople` `cid_mmpose.data.Moon` `cid_mmpose/models/moon.py`\n'
        '```bash\n`models.moon`\n```\n'
    )
    assert missing_names(text) == ['models.gfd.Moon', 'models.gfd.GFD.moon', 'data.Moon']
    assert missing_paths(text) == ['cid_mmpose/models/moon.py']


def test_the_floor_plan_has_every_package_and_every_equation_of_the_paper():
    page = text_of('docs/architecture.md')
    packages = [path for path in PACKAGE.iterdir() if (path / '__init__.py').is_file()]
    assert [path.name for path in packages if f'`cid_mmpose/{path.name}`' not in page] == []
    assert re.findall(r'^\| (\d+) \|', page, re.M) == [str(number) for number in range(1, 17)]


def test_the_floor_plan_has_the_order_of_imports_that_the_test_of_imports_holds():
    lines = re.findall(r'^\d+\. ((?:`[\w.]+`(?:, )?)+)$', text_of('docs/architecture.md'), re.M)
    assert [set(CODE.findall(line)) for line in lines] == TIERS


def test_the_glossary_is_in_order_and_has_a_place_for_every_word():
    rows = re.findall(r'^\| (.+?) \| (.+?) \| (.*?) ?\| `(.+?)` \|$', text_of('docs/glossary.md'), re.M)
    words = [row[0].lower() for row in rows]
    assert words == sorted(words)
    wanted = {'image', 'keypoint', 'center', 'root', 'seed', 'vector', 'cell', 'view', 'chunk', 'target', 'recipe'}
    assert wanted <= set(words)
    assert [row[0] for row in rows if not exists(row[3])] == []


def test_the_commands_for_contributors_can_be_run():
    commands = commands_in(text_of('CONTRIBUTING.md'))
    assert len(commands) > 10
    assert [problem for problem in map(problem_of_command, commands) if problem] == []


def test_commands_that_cannot_be_run_are_seen():
    text = '```bash\nmake moon  # rises\npython tools/moon.py\n```\n`.ci/run` `make test TESTS=tests/moon.py`'
    commands = commands_in(text)
    assert [bool(problem_of_command(words)) for words in commands] == [True, True, False, True]


@pytest.mark.parametrize('page', [*PAGES, '.github/PULL_REQUEST_TEMPLATE.md'])
def test_links_of_the_pages_at_the_top_lead_to_files(page: str):
    links = re.findall(r'\]\(([^)#:]+)(?:#[^)]*)?\)', text_of(page))
    folder = (ROOT / page).parent
    assert [link for link in links if not Path(folder / link).exists()] == []


@pytest.mark.parametrize('page', PAGES)
def test_lines_of_these_pages_are_short_outside_tables(page: str):
    lines = text_of(page).splitlines()
    assert [line for line in lines if len(line) > 120 and not line.startswith('|')] == []
