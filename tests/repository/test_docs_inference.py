"""The examples of README, docs/inference.md and docs/explain.md, run as they are typed beside the files they name."""

import re
import shlex
import shutil
from pathlib import Path

import cv2
import pytest
import torch
from mmengine.config import Config

from cid_mmpose import config_path
from cid_mmpose.cli import main
from cid_mmpose.data.synth_crowd import SynthCrowd
from cid_mmpose.inference.video import VideoWriter
from cid_mmpose.registry import MODELS
from tests.helpers.images import ROOT, tiny_config
from tests.helpers.public_weights import ours
from tests.helpers.slow import slow_but

PAGES = ('README.md', 'docs/inference.md', 'docs/explain.md')
SHORT = ('train_cfg.max_iters=2', 'train_cfg.val_interval=2', 'val_dataloader.dataset.length=2')
LONG = ('cid train', 'cid_hrnet-w32_coco', '.venv/bin/python')  # takes more than a few seconds
OTHERS = ('make ', 'pip ', 'mim ')  # tested elsewhere; mim runs tools/predict.py, which is `cid predict`


def blocks(kind: str) -> list[tuple[str, str]]:
    """Page and text of each block of code of a kind."""
    found = []
    for page in PAGES:
        text = (ROOT / page).read_text(encoding='utf-8')
        found += [(page, block) for block in re.findall(rf'^```{kind}\n(.*?)^```', text, re.M | re.S)]
    return found


def lines() -> list[str]:
    """The commands of the pages, those of the README's table among them, each once."""
    found = []
    for _, block in blocks('bash'):
        found += block.replace('\\\n', '').splitlines()
    table = (ROOT / 'README.md').read_text(encoding='utf-8')
    found += re.findall(r'`(cid (?:predict|explain) [^`]+)`', table)
    return [line for line in dict.fromkeys(found) if line and not line.startswith(OTHERS)]


PROGRAMS = [block for page, block in blocks('python') if 'cid_mmpose.load' in block]
QUICK = [line for line in lines() if not any(word in line for word in LONG)]
SLOW = [line for line in lines() if any(word in line for word in LONG)]


@pytest.fixture(scope='module')
def folder(tmp_path_factory) -> Path:
    """What the examples name, with a tiny network that finds people everywhere in the place of the demo's."""
    folder = tmp_path_factory.mktemp('examples')
    config = tiny_config(96)
    network = ours()
    torch.manual_seed(0)
    for name, value in network.named_parameters():
        if name.startswith('head.'):
            torch.nn.init.normal_(value, std=0.15)
    for layer in (network.head.iia.conv, network.head.gfd.heatmap):
        torch.nn.init.constant_(layer.bias, 1.5)  # scores above 0.3
    for name in ('demo', 'with', 'without'):
        work_dir = folder / 'work_dirs' / name
        work_dir.mkdir(parents=True)
        torch.save(dict(meta=dict(cfg=config.pretty_text), state_dict=network.state_dict()), work_dir / 'iter_1000.pth')

    crowd = SynthCrowd(length=4, image_size=(320, 240))
    drawn = [crowd.get_data_info(number)['img'] for number in range(4)]
    (folder / 'images').mkdir()
    for number, image in enumerate(drawn[:2]):
        cv2.imwrite(str(folder / 'images' / f'{number}.png'), image)
    cv2.imwrite(str(folder / 'photo.jpg'), drawn[0])
    pytest.importorskip('av')
    with VideoWriter(folder / 'clip.mp4', fps=10) as writer:
        for image in drawn:
            writer.write(image)
    (folder / 'docs').mkdir()
    shutil.copytree(ROOT / 'docs' / 'images', folder / 'docs' / 'images')
    (folder / 'configs').symlink_to(ROOT / 'configs')
    (folder / 'experiments').symlink_to(ROOT / 'experiments')
    return folder


@pytest.fixture
def inside(folder, monkeypatch) -> Path:
    """The folder, as the one that we are in."""
    monkeypatch.chdir(folder)
    return folder


def test_the_pages_have_examples():
    assert len(PROGRAMS) >= 3 and len(QUICK) >= 6 and len(SLOW) >= 3


@pytest.mark.parametrize('program', PROGRAMS)
def test_a_program_of_the_pages_runs(inside, program):
    names: dict = {}
    exec(compile(program, 'example', 'exec'), names)
    people = names['people'] if 'people' in names else names['seen'].people
    assert len(people) > 0


def test_the_readme_s_image_is_what_its_program_saves(inside):
    readme = (ROOT / 'README.md').read_text(encoding='utf-8')
    image = re.search(r'^!\[.*\]\((.*)\)$', readme, re.M).group(1)
    program = re.search(r'^```python\n(.*?)^```', readme, re.M | re.S).group(1)
    assert readme.index(image) < readme.index(program) < 800  # both open the page
    statements = [line for line in program.splitlines() if line]
    assert len(statements) <= 5
    (saved,) = re.findall(r"save\('(.*)'\)", program)
    assert Path(saved).name == Path(image).name
    exec(compile(program, 'README', 'exec'), {})
    assert cv2.imread(saved).shape == cv2.imread(str(ROOT / image)).shape


def run(line: str) -> None:
    """A line of a page, with a short training."""
    words = shlex.split(line, comments=True)
    if words[0] != 'cid':
        pytest.skip('a script of the checkout')
    if words[1] == 'train':
        words += [] if '--cfg-options' in words else ['--cfg-options']
        words += SHORT
    main(words[1:])


@pytest.mark.parametrize('line', slow_but([line for line in QUICK if 'explain' not in line], QUICK))
def test_a_command_of_the_pages_runs(inside, line):
    run(line)


@pytest.mark.slow
@pytest.mark.parametrize('line', SLOW)
def test_a_longer_command_of_the_pages_runs(inside, line):
    if '--checkpoint epoch_140.pth' in line and not Path('epoch_140.pth').exists():
        config = Config.fromfile(config_path('cid_hrnet-w32_coco.py')).model
        config.backbone.init_cfg = None
        torch.save(dict(state_dict=MODELS.build(config).state_dict()), 'epoch_140.pth')
    run(line)
