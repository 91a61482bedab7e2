"""The model index: every config is in it, with the figures of the paper; pip, openmim and the page read the same."""

import re
from pathlib import Path

import modelindex
import pytest
import yaml
from mmengine.config import Config

from cid_mmpose.errors import BadInput
from cid_mmpose.weights.model_zoo import Row, fill_page, read_rows, render, update_page
from tests.helpers.images import ROOT, step
from tests.helpers.paper import COLUMNS, FIGURES

INDEX, PAGE = ROOT / 'model-index.yml', ROOT / 'docs' / 'model_zoo.md'
PUBLIC = 'https://download.openmmlab.com/mmpose/v1/body_2d_keypoint/cid/coco/cid_hrnet-'
W32, W48 = (
    f'{PUBLIC}{end}'
    for end in (
        'w32_8xb20-140e_coco-512x512_42b7e6e6-20230207.pth',
        'w48_8xb20-140e_coco-512x512_a36c3ecf-20230207.pth',
    )
)
DATA = dict(coco='COCO', crowdpose='CrowdPose', ochuman='OCHuman')


def models() -> dict:
    """Name -> model, as YAML has them."""
    paths = yaml.safe_load(INDEX.read_text())['Import']
    return {model['Name']: model for path in paths for model in yaml.safe_load((ROOT / path).read_text())['Models']}


def paper_row(table: int, name: str) -> dict:
    """The typed figures of a config in a table of the paper, by column, AP and AR in [0, 1]."""
    figures = [float(text) for text in FIGURES[table][name].split()]
    columns = re.split('  ', COLUMNS[table])
    return {key: value / 100 if key.startswith(('AP', 'AR')) else value for key, value in zip(columns, figures)}


@pytest.mark.parametrize('table', FIGURES)
def test_every_row_of_the_paper_s_tables_is_in_the_index(table):
    found = {row.name: row.metrics for row in read_rows(INDEX) if row.source == f'paper, table {table}'}
    assert list(found) == list(FIGURES[table])
    for name, metrics in found.items():
        assert metrics == pytest.approx(paper_row(table, name), abs=1e-9)


def test_the_typed_figures_are_those_of_the_paper_s_text(shared):
    text = re.sub('<[^>]+>', '', (shared / 'paper' / 'cid_cvpr2022.md').read_text())
    names = list(FIGURES[6])
    rows = [row for table in (1, 2, 3, 4, 5) for row in FIGURES[table].values()]
    rows += [' '.join(FIGURES[6][name] for name in names[start : start + 3]) for start in (0, 3)]
    assert len(rows) == 17 and [row for row in rows if '\t' + row.replace(' ', '\t') not in text] == []


def test_every_config_is_in_the_index_under_its_own_name():
    configs = [*(ROOT / 'configs').glob('*.py'), *(ROOT / 'configs' / 'ablation').glob('*.py')]
    assert {model['Config'] for model in models().values()} == {
        path.relative_to(ROOT).as_posix() for path in configs if path.stem != 'cid_hrnet-w16-small_synthcrowd'
    }
    assert [Path(model['Config']).stem for model in models().values()] == list(models())


@pytest.mark.parametrize('name', models())
def test_what_the_index_says_of_a_config_is_in_the_config(name):
    said, cfg = models()[name]['Metadata'], Config.fromfile(ROOT / models()[name]['Config'])
    folder = cfg.train_dataloader.dataset.data_root.split('/')[1]
    assert said['Training Data'] == DATA[folder] + ' val' * (folder == 'ochuman')
    backbone = cfg.model.backbone
    assert said['Backbone'] == (f'HRNet-W{cfg.widths[0]}' if backbone.type == 'HRNet' else f'ResNet-{backbone.depth}')
    assert {said['Input Size']} == set(step(cfg.train_dataloader, 'RandomAffine').input_size)
    assert (said['Epochs'], said['Batch Size']) == (cfg.train_cfg.max_epochs, cfg.auto_scale_lr.base_batch_size)
    parts = cfg.model.head.get('recalibration', 'spatial + channel')
    weight = cfg.model.head.get('contrastive_loss', {}).get('loss_weight', 1)
    assert said.get('Recalibration', parts) == parts
    assert said.get('Contrastive Loss', 'on') == ('on' if weight else 'off')
    assert said.get('GFD Channels', cfg.model.head.gfd_channels) == cfg.model.head.gfd_channels


def test_mmpose_s_public_weights_stand_at_the_configs_they_fit_with_mmpose_s_figures():
    with_weights = {row.name: (row.source, row.weights, row.metrics['AP']) for row in read_rows(INDEX) if row.weights}
    assert with_weights == {
        'cid_hrnet-w32_coco': ('MMPose', W32, 0.704),
        'cid_hrnet-w48_coco-512': ('MMPose', W48, 0.715),
        'cid_hrnet-w32_coco_mmpose-recipe': ('MMPose', W32, 0.704),
        'cid_hrnet-w48_coco-512_mmpose-recipe': ('MMPose', W48, 0.715),
    }
    assert [
        Config.fromfile(ROOT / 'configs' / f'cid_hrnet-{width}_coco-pretrained_crowdpose.py').load_from
        for width in ('w32', 'w48')
    ] == [W32, W48]


@pytest.mark.filterwarnings("ignore:The '__version__' attribute is deprecated")  # openmim asks click for it
def test_model_index_and_openmim_read_it():
    from mim.commands.search import convert2df

    index = modelindex.load(str(INDEX))
    assert index.check(silent=True) == []
    table = convert2df(index)
    assert set(table.index) == set(models())
    assert table.loc['cid_hrnet-w32_coco', 'weight'] == W32
    assert table.loc['cid_hrnet-w48_crowdpose', 'crowdpose test (paper, table 5)/ap'] == 0.723


def test_the_page_is_up_to_date():
    assert PAGE.read_text() == fill_page(PAGE.read_text(), read_rows(INDEX)), 'run tools/model_zoo.py'


def test_every_config_that_the_page_links_is_there():
    linked = re.findall(r'\]\(\.\./(configs/\S+?)\)', PAGE.read_text())
    assert len(linked) > 30 and [path for path in linked if not (ROOT / path).is_file()] == []


ROWS = [
    Row('a', 'configs/a.py', 'paper', '', dict(Architecture=['A'], Width=32, Data='X'), dict(AP=0.7004, FPS=21.0)),
    Row('b', 'configs/b.py', 'paper', 'http://w', dict(Architecture=['B'], Width=48, Data='X'), dict(AP=0.5, AR=0.25)),
]


def test_a_table_shows_what_its_rows_differ_in():
    assert render(ROWS).splitlines() == [
        '| Config | Width | AP | FPS | AR | Weights |',
        '| --- | --- | --- | --- | --- | --- |',
        '| [`a`](../configs/a.py) | 32 | 70.0 | 21.0 |  |  |',
        '| [`b`](../configs/b.py) | 48 | 50.0 |  | 25.0 | [paper](http://w) |',
    ]


def test_only_the_tables_of_a_page_are_replaced():
    text = 'before\n<!-- table: paper -->\nold\n<!-- end -->\nafter <!-- end -->\n'
    assert fill_page(text, ROWS) == f'before\n<!-- table: paper -->\n{render(ROWS)}<!-- end -->\nafter <!-- end -->\n'


def test_a_source_without_a_block_and_a_block_without_a_source_are_refused():
    with pytest.raises(BadInput, match=r"no block for \['paper'\].*no figures for \['papr'\]"):
        fill_page('<!-- table: papr -->\n<!-- end -->', ROWS)


@pytest.mark.parametrize(
    'page, index, message',
    [
        ('no.md', 'model-index.yml', r'no\.md: no such page'),
        ('page.md', 'no.yml', r'no\.yml: no such file'),
        ('page.md', 'model-index.yml', r"one\.yml: cid: Dataset 'COCO val' must end with who published the figure"),
    ],
)
def test_wrong_files_are_one_clear_error_and_leave_the_page_alone(tmp_path, page, index, message):
    (tmp_path / 'page.md').write_text('<!-- table: paper -->\n<!-- end -->')
    (tmp_path / 'model-index.yml').write_text('Import: [one.yml]')
    (tmp_path / 'one.yml').write_text(
        'Models: [{Name: cid, Config: a.py, Metadata: {}, Results: [{Dataset: COCO val, Metrics: {AP: 1}}]}]'
    )
    with pytest.raises(BadInput, match=message):
        update_page(str(tmp_path / page), str(tmp_path / index))
    assert (tmp_path / 'page.md').read_text() == '<!-- table: paper -->\n<!-- end -->'
    assert len(list(tmp_path.iterdir())) == 3
