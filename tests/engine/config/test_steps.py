"""Options name the steps of a list by type, wherever in the list they stand."""

import re

import pytest
from mmengine.config import Config

from cid_mmpose import config_path
from cid_mmpose.engine.config.names import check_option_names
from cid_mmpose.engine.config.steps import inside, label, numbered
from cid_mmpose.engine.launch import load_config
from cid_mmpose.errors import BadInput
from tests.helpers.images import ROOT, step

CONFIG = config_path('cid_hrnet-w32_coco.py')
CODEC = dict(type='cid_mmpose.SizeAdaptiveHeatmap', stride=4)
STEPS = [dict(type='cid_mmpose.Load'), dict(type='Turn', angle=30), dict(type='Encode', encoder=CODEC)]
CFG = Config(dict(data=dict(steps=STEPS, twice=[dict(type='Turn'), dict(type='Turn')], sides=[64, 32])))


@pytest.mark.parametrize(
    'name, expected',
    [
        ('data.steps.Load.unreadable', 'data.steps.0.unreadable'),
        ('data.steps.Turn.angle', 'data.steps.1.angle'),
        ('data.steps.Encode.encoder.stride', 'data.steps.2.encoder.stride'),
        ('data.steps.1.angle', 'data.steps.1.angle'),
        ('data.steps.9.angle', 'data.steps.9.angle'),  # which mmengine refuses
        ('data.sides.first', 'data.sides.first'),  # the same: these have no types
        ('data.nothing.Turn.angle', 'data.nothing.Turn.angle'),
    ],
)
def test_a_step_that_is_named_by_its_type_gets_its_number(name, expected):
    assert numbered(name, CFG) == expected


@pytest.mark.parametrize(
    'name, says',
    [
        (
            'data.steps.Trun.angle',
            "--cfg-options: data.steps.Trun.angle: data.steps has no step 'Trun'; did you mean 'Turn'?",
        ),
        (
            'data.twice.Turn.angle',
            "--cfg-options: data.twice.Turn.angle: data.twice has several steps 'Turn'; give a number: 0, 1",
        ),
    ],
)
def test_a_type_that_no_step_or_several_have_is_refused(name, says):
    with pytest.raises(BadInput) as caught:
        numbered(name, CFG)
    assert str(caught.value) == says


def test_a_step_is_labelled_by_its_type_where_that_says_which_it_is():
    assert [label(CFG.data.steps, number) for number in range(3)] == ['Load', 'Turn', 'Encode']
    assert [label(CFG.data.twice, number) for number in range(2)] == ['0', '1']
    assert label([64, 32], 1) == '1'


def test_what_is_not_there_is_an_empty_dict():
    assert inside(CFG, 'gone') == inside(CFG.data.steps, '9') == inside(CFG.data.twice, 'Turn') == inside(3, 'x') == {}
    assert inside(CFG.data.steps, 'Turn') == inside(CFG.data.steps, '1') == dict(type='Turn', angle=30)


def test_one_option_is_the_same_by_type_and_by_number(tmp_path):
    by_type = {'train_dataloader.dataset.pipeline.RandomAffine.input_size': (256, 256)}
    by_number = {'train_dataloader.dataset.pipeline.1.input_size': (256, 256)}
    first, second = (load_config(CONFIG, str(tmp_path), options) for options in (by_type, by_number))
    assert first.to_dict() == second.to_dict()
    assert step(first.train_dataloader, 'RandomAffine').input_size == (256, 256)
    assert step(first.val_dataloader, 'ResizeImage').input_size == (512, 512)


def test_schedules_have_types_too(tmp_path):
    cfg = load_config(CONFIG, str(tmp_path), {'param_scheduler.MultiStepLR.milestones': [1, 2]})
    assert cfg.param_scheduler[0].milestones == [1, 2]


def test_a_variable_s_places_are_named_by_types():
    cfg = Config(dict(size=(8, 8), train_dataloader=dict(pipeline=[*STEPS, dict(type='Crop', size=(8, 8))])))
    with pytest.raises(BadInput, match=r'whose value has been used; set train_dataloader\.pipeline\.Crop\.size$'):
        check_option_names({'size': (9, 9)}, cfg)


def test_the_config_of_one_s_own_on_the_page_has_its_size_everywhere(tmp_path):
    page = (ROOT / 'docs' / 'training.md').read_text()
    (own,) = re.findall(r'```python\n(_base_.*?)```', page, re.S)
    (tmp_path / 'own.py').write_text(own)
    cfg = load_config(str(tmp_path / 'own.py'), str(tmp_path))
    sized = [step(cfg.train_dataloader, 'RandomAffine')]
    sized += [step(loader, 'ResizeImage') for loader in (cfg.val_dataloader, cfg.test_dataloader)]
    assert [tuple(one.input_size) for one in sized] == 3 * [(256, 256)]
    assert sized[0].type == 'cid_mmpose.RandomAffine' and sized[1].resize_mode == 'expand'
