"""The command ``cid``: its verbs, their help, how it ends, what completes it, and what it needs of the environment."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cid_mmpose
from cid_mmpose.cli import main
from cid_mmpose.cli.main import VERBS
from cid_mmpose.cli.prepare import DATA_SETS
from cid_mmpose.compat import versions
from tests.helpers.broken import write_broken
from tests.helpers.images import ROOT, coco, person, write_coco
from tests.helpers.official import coco_downloads

HELPS = [[verb] for verb in VERBS] + [['prepare', name] for name in DATA_SETS]
NO_STACK = (
    'torch',
    'torchvision',
    'mmengine',
    'mmcv',
    'mmdet',
    'mmpose',
    'pycocotools',
    'xtcocotools',
    'xthotcoco',
    'hotcoco',
    'scipy',
    'matplotlib',
    'pandas',
    'gradio',
)
ENVIRONMENT = {**os.environ, 'PYTHONPATH': str(ROOT), 'COLUMNS': '120'}


def status_of(words: list) -> int:
    """With which status the command ends, in this process."""
    try:
        main([str(word) for word in words])
    except SystemExit as left:
        return left.code
    return 0


@pytest.mark.parametrize('words', HELPS, ids=' '.join)
def test_the_help_of_every_verb_says_what_it_does_and_shows_examples(words, capsys):
    assert status_of([*words, '--help']) == 0
    said = capsys.readouterr().out
    usage, _, rest = said.partition('\n\n')
    assert usage.startswith(f'usage: cid {" ".join(words)} ')
    example = rest.partition('\nexamples:\n')[2].splitlines()[0]
    assert rest[0].isupper() and example.startswith(f'  cid {words[0]}')


def test_the_help_of_the_command_names_every_verb(capsys):
    assert status_of(['--help']) == 0
    said = capsys.readouterr().out
    assert [verb for verb in VERBS if f'\n    {verb}' not in said] == []
    assert 'exit status: 0 done, 1 the doctor found errors, 2 something given is wrong' in said


def test_every_verb_but_run_has_a_script_in_tools_that_starts_it_for_mim():
    calls = [re.findall(r'run_tool\((.*)\)', path.read_text()) for path in (ROOT / 'tools').glob('*.py')]
    started = {tuple(re.findall(r"'(\w+)'", words)) for found in calls for words in found}
    wanted = {(verb,) for verb in VERBS} - {('run',), ('prepare',)}
    assert started == wanted | {('prepare', name) for name in DATA_SETS}


def test_brackets_in_a_help_are_printed_as_they_are(monkeypatch, capsys):
    formatter = pytest.importorskip('rich_argparse').RichHelpFormatter
    if not hasattr(formatter, 'help_markup'):
        pytest.skip('this rich-argparse always reads brackets as marks')
    monkeypatch.setattr('cid_mmpose.cli.convert.EXAMPLES', '\n  cid convert [bold]a.pth[/bold] b.pth')
    assert status_of(['convert', '--help']) == 0
    assert 'cid convert [bold]a.pth[/bold] b.pth' in capsys.readouterr().out


def test_the_version_is_the_package_s(capsys):
    assert status_of(['--version']) == 0
    assert capsys.readouterr().out == f'cid {cid_mmpose.__version__}\n'


@pytest.mark.parametrize(
    'words, says',
    [
        ([], 'cid: error: the following arguments are required: VERB'),
        (['fly'], "cid: error: argument VERB: invalid choice: 'fly' (choose from "),
        (['prepare'], 'cid prepare: error: the following arguments are required: DATA_SET'),
        (['prepare', 'mpii'], "cid prepare: error: argument DATA_SET: invalid choice: 'mpii' (choose from "),
        (['train'], 'cid train: error: the following arguments are required: config'),
        (['train', 'c.py', '--amp', 'fp8'], "cid train: error: argument --amp: invalid choice: 'fp8' (choose from "),
        (['synth'], 'error: nothing to do: give a PNG to write, --speed or --export DIR'),
        (['doctor', 'gone.json'], 'error: gone.json: no such annotation file; '),
    ],
)
def test_wrong_words_are_answered_with_status_2(words, says, capsys):
    assert status_of(words) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(says)


@pytest.mark.parametrize('people, status', [([person()], 0), ([person(bbox=[1, 2, 0, 4])], 1)])
def test_the_doctor_ends_with_1_if_it_finds_errors(people, status, tmp_path):
    path = tmp_path / 'people.json'
    path.write_text(json.dumps(coco(people)))
    assert status_of(['doctor', path]) == status


def python(*arguments, **environment) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        env={**ENVIRONMENT, **environment},
        capture_output=True,
        text=True,
        cwd=ROOT,
    )


@pytest.mark.parametrize('words', [['doctor', '--help'], ['fly'], ['doctor', 'gone.json']])
def test_the_package_run_as_a_module_is_the_same_command(words, capsys, monkeypatch):
    monkeypatch.setenv('COLUMNS', ENVIRONMENT['COLUMNS'])
    done = python('-m', 'cid_mmpose', *words)
    status = status_of(words)
    said = capsys.readouterr()
    assert (done.returncode, done.stdout, done.stderr) == (status, said.out, said.err)


def test_a_tool_is_its_verb_under_the_script_s_name(tmp_path):
    done = python(ROOT / 'tools' / 'prepare_coco.py', '--help')
    assert done.stdout.startswith('usage: prepare_coco.py [-h]') and 'cid prepare coco ~/Downloads' in done.stdout
    done = python(ROOT / 'tools' / 'prepare_coco.py', tmp_path / 'gone')
    assert (done.returncode, done.stderr.startswith(f'error: {tmp_path}/gone: no such folder')) == (2, True)


def completions(line: str, tmp_path: Path) -> list:
    """What the shell is offered at the end of a line."""
    answers = tmp_path / 'answers'
    done = python(
        '-m',
        'cid_mmpose',
        COMP_LINE=line,
        COMP_POINT=str(len(line)),
        COMP_TYPE='9',
        _ARGCOMPLETE='1',
        _ARGCOMPLETE_IFS='\n',
        _ARGCOMPLETE_SUPPRESS_SPACE='1',
        _ARGCOMPLETE_STDOUT_FILENAME=str(answers),
    )
    assert done.returncode == 0, done.stderr
    return answers.read_text().split('\n')


def test_verbs_options_and_choices_are_completed(tmp_path):
    pytest.importorskip('argcomplete')
    assert set(VERBS) <= set(completions('cid ', tmp_path))
    assert completions('cid t', tmp_path) == ['train', 'test']
    assert completions('cid train --res', tmp_path) == ['--resume']
    assert completions('cid prepare o', tmp_path) == ['ochuman']
    assert completions('cid convert a.pth b.pth --to ', tmp_path) == ['mmpose', 'ours']


WITHOUT = '''
import json, sys


class Refuse:
    """Finds nothing of the stack, as where it is not installed."""

    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in {refused}:
            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)


sys.meta_path.insert(0, Refuse())
import cid_mmpose
sys.meta_path.insert(0, Refuse())   # before our own finders, too
from cid_mmpose import config_path
from cid_mmpose.cli import main
import cid_mmpose.data, cid_mmpose.data.doctor, cid_mmpose.data.own, cid_mmpose.data.prepare
for words in json.loads(sys.argv[1]):
    try:
        main(words)
        status = 0
    except SystemExit as left:
        status = left.code
    print('ended with', status, flush=True)
'''


def statuses_without_the_stack(*commands: list) -> list:
    """How commands end where nothing of the stack can be imported."""
    words = json.dumps([[str(word) for word in command] for command in commands])
    done = python('-c', WITHOUT.format(refused=set(NO_STACK)), words)
    assert done.returncode == 0, done.stderr
    return [line.removeprefix('ended with ') for line in done.stdout.splitlines() if line.startswith('ended with ')]


def test_every_help_is_there_without_the_stack():
    commands = [['--help'], ['--version'], *([*words, '--help'] for words in HELPS)]
    assert statuses_without_the_stack(*commands) == ['0'] * len(commands)


def test_data_is_prepared_and_examined_without_the_stack(tmp_path):
    downloads = coco_downloads(tmp_path / 'downloads')
    path = write_broken(tmp_path)
    sound = tmp_path / 'sound.json'
    sound.write_text(json.dumps(coco([person()])))
    report = tmp_path / 'report.json'
    examine = ['doctor', path, '--images', tmp_path / 'images', '--against', tmp_path / 'others', '--json', report]
    assert statuses_without_the_stack(
        ['prepare', 'coco', downloads, tmp_path / 'coco', '--allow-partial'],
        ['doctor', sound],
        examine,
        ['doctor', path, '--fix', tmp_path / 'fixed.json', '--only', 'num_keypoints'],
    ) == ['0', '0', '1', '1']
    assert (tmp_path / 'coco' / 'annotations' / 'person_keypoints_val2017.json').is_file()
    without_stack = json.loads(report.read_text())
    assert status_of(examine) == 1
    assert json.loads(report.read_text()) == without_stack
    names = [found['name'] for found in without_stack['files'][0]['findings']]
    assert 'region_broken' in names and 'rle_regions' in names


def test_a_config_is_written_without_the_stack(tmp_path):
    names = [f'k{number}' for number in range(17)]
    path = write_coco(tmp_path, coco([person()], categories=[dict(id=1, name='thing', keypoints=names)]))
    command = ['doctor', path, '--overwrite', '--make-config', tmp_path / 'own.py']
    assert statuses_without_the_stack(command) == ['0']
    without_stack = (tmp_path / 'own.py').read_text()
    assert status_of(command) == 0
    assert (tmp_path / 'own.py').read_text() == without_stack
    assert "16: dict(name='k16'" in without_stack


def test_a_repair_that_measures_regions_names_what_it_takes(tmp_path):
    path = write_broken(tmp_path)
    fixed = tmp_path / 'fixed.json'
    done = python('-c', WITHOUT.format(refused=set(NO_STACK)), json.dumps([['doctor', str(path), '--fix', str(fixed)]]))
    assert done.stdout.splitlines()[-1] == 'ended with 2' and not fixed.exists()
    assert done.stderr == (
        'error: --fix: boxes and areas of regions are measured by pycocotools, which is not installed: '
        'pip install pycocotools, or name other findings with --only\n'
    )


@pytest.mark.parametrize(
    'words',
    [
        ['train', 'c.py'],
        ['test', 'c.py', 'w.pth'],
        ['demo'],
        ['convert', 'a.pth', 'b.pth', '--to', 'ours'],
        ['synth', 'sheet.png'],
        ['benchmark', 'head'],
        ['run', 'bottomup_demo.py'],
        ['doctor', 'c.py'],
        ['doctor', 'a.json', '--against', 'c.py'],
        ['doctor', 'a.json', '--plots', 'plots'],
    ],
    ids=' '.join,
)
def test_a_verb_that_needs_the_stack_says_what_to_install_where_it_is_not(words, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(versions, 'installed', lambda names: (names[0], None))
    monkeypatch.setattr(versions, 'find_spec', lambda name: None)
    assert status_of(words) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == 'error: cid_mmpose does not fit the installed packages:'
    assert [line.split(':')[0] for line in lines[1:]] == [f'- {need.module}' for need in versions.NEEDS]
    assert list(tmp_path.iterdir()) == []


def test_what_is_built_from_a_config_names_a_missing_stack_first():
    code = (
        'from cid_mmpose.compat import versions; versions.installed = lambda names: (names[0], None); '
        'versions.find_spec = lambda name: None; import cid_mmpose.registry'
    )
    done = python('-c', code)
    assert 'BadInput: cid_mmpose does not fit the installed packages:\n- torch: none of torch is' in done.stderr
