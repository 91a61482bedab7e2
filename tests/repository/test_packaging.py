"""What pip and openmim get: the wheel's content, what it asks for, the model index, configs by name from any folder."""

import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from configparser import ConfigParser
from email import message_from_bytes
from importlib import metadata as installed
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config

import cid_mmpose
from cid_mmpose.cli.main import VERBS
from cid_mmpose.errors import BadInput
from tests.helpers.images import HEIGHT, ROOT, WIDTH, coco, person
from tests.helpers.official import coco_downloads

SOURCES = (
    'cid_mmpose',
    'configs',
    'tools',
    'tests',
    'setup.cfg',
    'pyproject.toml',
    'MANIFEST.in',
    'model-index.yml',
    'README.md',
    'LICENSE',
    'CITATION.cff',
)
SMALL = [
    'train_dataloader.dataset.length=4',
    'train_dataloader.batch_size=2',
    'val_dataloader.dataset.length=4',
    'val_dataloader.batch_size=2',
    'test_dataloader.dataset.length=4',
    'test_dataloader.batch_size=2',
    'train_cfg.max_iters=2',
]


def run(*command, folder: Path, **environment) -> str:
    """What a command run in this folder prints; its whole output is in the failure when it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def pip(*arguments, folder: Path) -> str:
    return run(sys.executable, '-m', 'pip', '--disable-pip-version-check', *map(str, arguments), folder=folder)


def build(kind: str, source: Path, folder: Path) -> Path:
    """The 'wheel' or 'sdist' of a source tree, made by setuptools alone: nothing is fetched."""
    call = f'import sys; from setuptools.build_meta import build_{kind}; build_{kind}(sys.argv[1])'
    run(sys.executable, '-c', call, str(folder), folder=source)
    return next(folder.glob('cid_mmpose-*'))


@pytest.fixture(scope='module')
def source(tmp_path_factory) -> Path:
    """A copy of the sources, so that building leaves nothing in the tree and finds nothing stale there."""
    folder = tmp_path_factory.mktemp('source')
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns('__pycache__'))
        else:
            shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope='module')
def wheel(source, tmp_path_factory) -> Path:
    return build('wheel', source, tmp_path_factory.mktemp('wheel'))


def content(wheel: Path) -> set:
    return {name for name in zipfile.ZipFile(wheel).namelist() if '.dist-info/' not in name}


def metadata(wheel: Path):
    archive = zipfile.ZipFile(wheel)
    return message_from_bytes(archive.read(next(n for n in archive.namelist() if n.endswith('dist-info/METADATA'))))


def files_below(folder: str, pattern: str) -> set:
    return {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob(pattern)}


def test_the_wheel_holds_the_package_and_below_mim_every_config_and_tool(wheel):
    below_mim = files_below('configs', '*.py') | files_below('tools', '*.py') | files_below('configs', '*.yml')
    below_mim.add('model-index.yml')
    assert len(below_mim) > 40
    package = set().union(*(files_below('cid_mmpose', f'*.{ending}') for ending in ('py', 'js', 'css', 'html')))
    assert len(package) > 150 and {'cid_mmpose/web/page.css', 'cid_mmpose/export/browser/index.html'} < package
    assert content(wheel) == package | {f'cid_mmpose/.mim/{name}' for name in below_mim}


def test_the_wheel_asks_for_numpy_and_what_the_command_is_made_of_unless_an_extra_is_named(wheel):
    needs = [
        re.match(r'[\w-]+', need).group() for need in metadata(wheel).get_all('Requires-Dist') if 'extra ==' not in need
    ]
    assert set(needs) == {'numpy', 'packaging', 'argcomplete', 'rich-argparse'}
    extras = {'export', 'hotcoco', 'int8', 'onnx', 'openvino', 'parquet', 'ray', 'test', 'video', 'web'}
    assert set(metadata(wheel).get_all('Provides-Extra')) == extras
    assert metadata(wheel)['Version'] == cid_mmpose.__version__


@pytest.mark.slow
def test_installing_the_wheel_would_change_no_other_package(wheel, tmp_path):
    pip('install', '-q', '--dry-run', '--no-index', '--report', 'report.json', wheel, folder=tmp_path)
    plan = json.loads((tmp_path / 'report.json').read_text())['install']
    assert {item['metadata']['name'].replace('-', '_') for item in plan} <= {'cid_mmpose'}


def test_the_version_is_read_without_importing_the_package():
    setup = ConfigParser()
    setup.read(ROOT / 'setup.cfg')
    assert setup['metadata']['version'] == 'attr: cid_mmpose.__version__'
    assert f"\n__version__ = '{cid_mmpose.__version__}'\n" in (ROOT / 'cid_mmpose' / '__init__.py').read_text()


def test_a_config_anywhere_can_start_from_one_of_ours(tmp_path):
    own = tmp_path / 'own.py'
    own.write_text(
        "_base_ = __import__('cid_mmpose').config_path('cid_hrnet-w32_coco.py')\n"
        'model = dict(head=dict(gfd_channels=16))\nwidths = _base_.codec.stride\n'
    )
    head = Config.fromfile(own).model.head
    assert (head.type, head.gfd_channels, head.in_channels) == ('cid_mmpose.CIDHead', 16, 480)


def test_an_unknown_config_name_is_answered_with_the_known_ones():
    with pytest.raises(BadInput, match=r"no config 'cid_w32.py'.*cid_hrnet-w32_coco.py, .*cid_hrnet-w48_coco.py"):
        cid_mmpose.config_path('cid_w32.py')


def test_mmengine_s_own_prefix_form_is_closed_to_packages_that_it_does_not_list(tmp_path):
    (tmp_path / 'own.py').write_text("_base_ = 'cid_mmpose::_base_/coco.py'\n")
    with pytest.raises(AssertionError, match='does not support to load cid_mmpose config'):
        Config.fromfile(tmp_path / 'own.py')


@pytest.mark.slow
def test_pip_makes_the_same_wheel_from_the_source_archive(source, wheel, tmp_path):
    archive = build('sdist', source, tmp_path)
    pip('wheel', '-q', '--no-index', '--no-deps', '--no-build-isolation', '-w', tmp_path, archive, folder=tmp_path)
    assert content(next(tmp_path.glob('*.whl'))) == content(wheel)


# all that an environment without torch and MMPose has; any of the names of OpenCV will do
LIGHT = (
    'numpy',
    'opencv-python',
    'opencv-python-headless',
    'argcomplete',
    'packaging',
    'rich-argparse',
    'rich',
    'markdown-it-py',
    'mdurl',
    'Pygments',
)


def link_package(name: str, site: Path) -> None:
    """Puts a package of this environment into another one, as links; does nothing if it is not installed here.

    Args:
        name: of the distribution.
        site: the other's site-packages.
    """
    try:
        package = installed.distribution(name)
    except installed.PackageNotFoundError:
        return
    tops = {Path(file).parts[0] for file in package.files}
    for top in tops - {'..', '__pycache__'}:
        (site / top).symlink_to(package.locate_file(top))


@pytest.fixture(scope='module')
def light(wheel, tmp_path_factory) -> Path:
    """The programs of an environment that has the wheel and ``LIGHT``, and nothing else."""
    folder = tmp_path_factory.mktemp('light')
    venv.create(folder / 'venv', with_pip=False)
    programs = folder / 'venv' / 'bin'
    site = Path(
        run(programs / 'python', '-c', 'import sysconfig; print(sysconfig.get_path("purelib"))', folder=folder).strip()
    )
    for name in LIGHT:
        link_package(name, site)
    pip('--python', programs / 'python', 'install', '-q', '--no-index', '--no-deps', wheel, folder=folder)
    return programs


@pytest.mark.slow
def test_where_only_numpy_and_opencv_are_the_command_helps_prepares_and_examines(light, tmp_path):
    def cid(*words) -> str:
        return run(light / 'cid', *map(str, words), folder=tmp_path, PYTHONPATH='')

    found = run(
        light / 'python',
        '-c',
        'import cid_mmpose, importlib.util as u; '
        'print(cid_mmpose.__version__, u.find_spec("torch"), u.find_spec("mmengine"), u.find_spec("PIL"))',
        folder=tmp_path,
        PYTHONPATH='',
    )
    assert found.split() == [cid_mmpose.__version__, 'None', 'None', 'None']
    assert [verb for verb in VERBS if f'usage: cid {verb}' not in cid(verb, '--help')] == []
    cid('prepare', 'coco', coco_downloads(tmp_path / 'downloads'), 'coco', '--allow-partial')
    (tmp_path / 'people.json').write_text(json.dumps(coco([person()])))
    assert '0 errors, 0 warnings, 0 notes' in cid('doctor', 'people.json')
    refused = subprocess.run(
        [light / 'cid', 'train', 'c.py'],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': ''},
    )
    assert refused.returncode == 2
    assert refused.stderr.startswith('error: cid_mmpose does not fit the installed packages:\n- torch: none of')


@pytest.mark.slow
def test_images_of_kinds_that_take_pillow_are_told_where_it_is_not(light, tmp_path):
    data = coco([person(1, 1), person(2, 2)], images=2)
    data['images'][1]['file_name'] = '2.gif'
    (tmp_path / 'people.json').write_text(json.dumps(data))
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    cv2.imwrite(str(tmp_path / '1.png'), pixels)
    (tmp_path / '2.gif').write_bytes(b'GIF89a')
    said = run(light / 'cid', 'doctor', 'people.json', '--images', '.', folder=tmp_path, PYTHONPATH='')
    assert '2 found, 1 of them decoded; 1 not looked into, their kind takes Pillow (pip install pillow)' in said


@pytest.fixture(scope='module', params=['make', 'wheel'])
def mim(request, tmp_path_factory):
    """Calls openmim from an empty folder: in the environment that make makes, or with the wheel before all else."""
    folder = tmp_path_factory.mktemp('elsewhere')
    environment = {}
    if request.param == 'wheel':
        installed = tmp_path_factory.mktemp('installed')
        wheel = request.getfixturevalue('wheel')
        pip('install', '-q', '--no-index', '--no-deps', '--target', installed, wheel, folder=folder)
        environment = dict(PYTHONPATH=str(installed))
    elif ROOT not in Path(sys.prefix).parents:
        pytest.skip('this is not an environment that make has made in this folder')

    def call(*arguments) -> str:
        return run(sys.executable, '-m', 'mim', *map(str, arguments), folder=folder, **environment)

    call.place = '/installed' if request.param == 'wheel' else str(ROOT / 'configs')
    return call


@pytest.mark.slow
def test_mim_lists_the_models_of_the_package(mim):
    listed = mim('search', 'cid_mmpose', '--valid-config')
    names = [path.stem for path in (ROOT / 'configs').glob('*_coco.py')]
    assert len(names) == 3 and [name for name in names if name not in listed] == []


@pytest.mark.slow
def test_mim_hands_out_a_model_s_config_beside_its_weights(mim, tmp_path):
    weights = tmp_path / 'cid_hrnet-w32_8xb20-140e_coco-512x512_42b7e6e6-20230207.pth'
    weights.write_bytes(b'fetched before')  # what is there is not fetched again
    mim('download', 'cid_mmpose', '--config', 'cid_hrnet-w32_coco', '--dest', tmp_path)
    handed_out = Config.fromfile(tmp_path / 'cid_hrnet-w32_coco.py')
    assert handed_out.model == Config.fromfile(ROOT / 'configs' / 'cid_hrnet-w32_coco.py').model
    assert weights.read_bytes() == b'fetched before'


@pytest.mark.slow
def test_mim_trains_tests_and_runs_tools_of_the_package_from_any_folder(mim, tmp_path):
    config = 'cid_hrnet-w16-small_synthcrowd.py'
    said = mim('train', 'cid_mmpose', config, '--gpus', '0', '--work-dir', tmp_path / 'train', '--cfg-options', *SMALL)
    assert mim.place in re.search(r'will use (\S+) instead', said).group(1)
    assert (tmp_path / 'train' / 'iter_2.pth').is_file()
    mim(
        'test',
        'cid_mmpose',
        config,
        '--checkpoint',
        tmp_path / 'train' / 'iter_2.pth',
        '--gpus',
        '0',
        '--work-dir',
        tmp_path / 'test',
        '--out',
        tmp_path / 'metrics.json',
        '--cfg-options',
        *SMALL,
    )
    tested = json.loads((tmp_path / 'metrics.json').read_text())['coco/AP']
    lines = next((tmp_path / 'train').rglob('scalars.json')).read_text().splitlines()
    assert tested == next(json.loads(line)['coco/AP'] for line in lines if 'coco/AP' in line)
    mim('run', 'cid_mmpose', 'synth_sheet', tmp_path / 'sheet.png')
    assert (tmp_path / 'sheet.png').stat().st_size > 0
