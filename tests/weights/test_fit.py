"""Checkpoints that do not fit are refused with what does not fit and the way out, and nothing else is."""

from collections import OrderedDict
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import EMAHook
from mmengine.runner import EpochBasedTrainLoop, load_checkpoint

from cid_mmpose.engine.hooks import CheckpointFitHook
from cid_mmpose.errors import BadInput
from tests.helpers.images import build_model, config, tiny_config
from tests.helpers.public_weights import assert_holds, mmpose_model, named_as, ours, saved, with_module

KEYPOINTS = ['head.iia.conv.weight', 'head.iia.conv.bias', 'head.gfd.heatmap.weight', 'head.gfd.heatmap.bias']


@pytest.fixture(scope='module')
def source() -> OrderedDict:
    """Weights for 17 keypoints, as MMPose 1.x saves them."""
    return mmpose_model().state_dict()


@pytest.fixture(scope='module')
def crowdpose() -> OrderedDict:
    """Weights for 14 keypoints in the authors' layout."""
    return named_as('authors', mmpose_model(keypoints=14).state_dict())


def refused(load) -> str:
    """The one line that a load is refused with."""
    with pytest.raises(BadInput) as caught:
        load()
    assert '\n' not in str(caught.value)
    return str(caught.value)


def test_another_number_of_keypoints_is_told_with_both_numbers_and_both_ways_out(crowdpose, tmp_path):
    path = saved(crowdpose, tmp_path / 'w.pth')
    assert refused(lambda: load_checkpoint(ours(), path)) == (
        f'{path}: 4 of 280 weights do not fit (head.iia.conv.weight is (15, 60, 1, 1), the model has (18, 60, 1, 1); '
        'head.iia.conv.bias is (15,), the model has (18,); head.gfd.heatmap.weight is (14, 32, 1, 1), the model has '
        '(17, 32, 1, 1); head.gfd.heatmap.bias is (14,), the model has (17,)): these are weights for 14 keypoints, the '
        "model has 17; give a configuration with 14 keypoints, or model.other_keypoints='fresh' to train new maps of "
        'keypoints on top of the other weights'
    )


def test_fresh_keypoint_maps_keep_the_model_s_own_and_take_everything_else(crowdpose, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr('cid_mmpose.models.estimator.say', said.append)
    model = ours(other_keypoints='fresh')
    before = {name: value.clone() for name, value in model.state_dict().items()}
    load_checkpoint(model, saved(crowdpose, tmp_path / 'w.pth'), strict=True)
    after, given = model.state_dict(), named_as('ours', mmpose_model(keypoints=14).state_dict())
    assert [name for name in KEYPOINTS if not torch.equal(after[name], before[name])] == []
    assert [name for name in given if name not in KEYPOINTS and not torch.equal(after[name], given[name])] == []
    assert len(said) == 1 and said[0].endswith('its maps of 14 keypoints left out, those of 17 start anew')


def test_fresh_keypoint_maps_forgive_nothing_but_the_number_of_keypoints(crowdpose, source):
    model = ours(other_keypoints='fresh', **{'head.gfd_channels': 16})
    assert 'head.gfd.conv_down.weight is (32, 60, 1, 1), the model has (16, 60, 1, 1)' in refused(
        lambda: model.load_state_dict(crowdpose)
    )
    model = ours(other_keypoints='fresh')
    model.load_state_dict(source)
    assert_holds(model, source, 0.5)  # as many keypoints as the model's are taken


def test_an_unknown_way_with_other_keypoints_is_refused():
    with pytest.raises(ValueError, match="other_keypoints must be 'error' or 'fresh', got 'keep'"):
        ours(other_keypoints='keep')


def test_mmpose_s_own_head_is_sent_to_mmpose_s_own_estimator():
    cfg = tiny_config()
    cfg.model.head = dict(type='CIDHead', in_channels=60, num_keypoints=17, gfd_channels=32)
    with pytest.raises(ValueError, match=r'CIDHead of mmpose\..*; for that one set model.type=.BottomupPoseEstimator'):
        build_model(cfg)


def wider(weights: dict) -> dict:
    """As of a network with every branch half as wide again: the shapes of a W48 beside those of a W32."""
    return {
        name: torch.cat([value, value[: len(value) // 2]]) if value.dim() else value for name, value in weights.items()
    }


@pytest.mark.parametrize(
    'change, says',
    [
        (
            wider,
            r'\d+ of 280 weights do not fit \(backbone.conv1.weight is \(96, 3, 3, 3\), the model has \(64, 3, 3, 3\); '
            r'backbone.bn1.weight is .*; \.\.\.\); give the configuration it was trained with',
        ),
        (lambda weights: {'fc.weight': torch.zeros(1)}, '280 of 280 weights do not fit'),
        (
            lambda weights: {name: weights[name] for name in weights if name.startswith('backbone')},
            r'15 of 280 weights do not fit \(head.iia.conv.weight is missing; .* '
            r'for the backbone alone set model.backbone',
        ),
        (lambda weights: {name: weights[name] for name in list(weights)[:100] + list(weights)[-14:]}, 'is missing'),
        (
            lambda weights: {**weights, 'gfd.conv_down.bias': 'no tensor'},
            r'1 of 280 weights do not fit \(head.gfd.conv_down.bias is no tensor but a str\)',
        ),
    ],
    ids=['W48 into W32', 'another model', 'a backbone alone', 'half a backbone', 'no tensor'],
)
def test_weights_of_another_model_are_refused_with_a_list_by_every_way_of_loading(source, tmp_path, change, says):
    bad = with_module(change(named_as('authors', source)))
    path = saved(dict(best_state_dict=bad), tmp_path / 'w.pth')
    for name, load in (
        (f'{path}: ', lambda: load_checkpoint(ours(), path)),
        ('', lambda: ours().load_state_dict(bad, strict=False)),
    ):
        text = refused(load)
        assert text.startswith((f'{name}is not a checkpoint of this model: ', f'{name}1 of 280'))
        pytest.raises(BadInput, lambda: ours().load_state_dict(bad)).match(says)


@pytest.mark.parametrize(
    'file, says',
    [
        (
            'cid_hrnet-w48_coco.py',
            r'is not a checkpoint of this model: 1460 of 1540 weights do not fit \(backbone.transition1.0.0.weight is '
            r'\(48, 256, 3, 3\), the model has \(32, 256, 3, 3\); .* give the configuration it was trained with',
        ),
        ('cid_hrnet-w32_crowdpose.py', 'these are weights for 14 keypoints, the model has 17'),
    ],
)
def test_the_weights_of_one_of_our_configs_are_refused_by_another(file, says):
    with torch.device('meta'):  # shapes alone
        weights, model = build_model(config(file)).state_dict(), build_model(config('cid_hrnet-w32_coco.py'))
    pytest.raises(BadInput, lambda: model.load_state_dict(weights)).match(says)


@pytest.mark.parametrize('recalibration', ['channel', 'spatial'])
def test_heads_with_one_recalibration_load_their_own_weights_and_no_others(source, recalibration):
    model = ours(**{'head.recalibration': recalibration})
    other = ours(**{'head.recalibration': recalibration})
    other.load_state_dict(model.state_dict(), strict=True)
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in other.state_dict().items())
    assert ('head.gfd.spatial.cell_center' in other.state_dict()) == (recalibration == 'spatial')
    assert 'head.gfd.fuse.weight is (32, 64, 1, 1), the model has (32, 32, 1, 1)' in refused(
        lambda: model.load_state_dict(source)
    )


@pytest.mark.parametrize('layout', ['authors', 'mmpose 0.x', 'mmpose 1.x'])
def test_a_head_in_two_layouts_is_refused_by_every_way_of_loading(source, tmp_path, layout):
    mine = named_as('ours', source)
    both = {**mine, **named_as(layout, source)}
    path = saved(dict(state_dict=both), tmp_path / 'both.pth')
    text = refused(lambda: load_checkpoint(ours(), path))
    assert text.startswith(f'{path}: holds the head in two layouts, also as ') and text.endswith('; take one out')
    assert refused(lambda: ours().load_state_dict(both, strict=False)) == text[len(f'{path}: ') :]
    assert 'w.pth: holds the head in two layouts' in refused(lambda: hook(dict(state_dict=both)))


@pytest.mark.parametrize('name, value', [('backbone.bn1.running_var', torch.nan), ('gfd.fuse_attn.bias', torch.inf)])
def test_weights_that_are_no_numbers_are_refused_by_name(source, tmp_path, name, value):
    weights = named_as('authors', source)
    weights[name] = weights[name].clone()
    weights[name][3] = value
    path = saved(weights, tmp_path / 'w.pth')
    named = name.replace('gfd.fuse_attn', 'head.gfd.fuse')
    assert refused(lambda: load_checkpoint(ours(), path)) == (
        f'{path}: {named} is NaN or infinite (1 such weights): the training that wrote it went wrong; give an earlier '
        'checkpoint'
    )


def sparse(value: torch.Tensor) -> torch.Tensor:
    return value.to_sparse()


def quantised(value: torch.Tensor) -> torch.Tensor:
    return torch.quantize_per_tensor(value, 0.1, 0, torch.qint8)


@pytest.mark.filterwarnings('ignore:torch.quantize')
@pytest.mark.parametrize(
    'change, says',
    [
        (lambda value: value.numpy(), 'is no tensor but a numpy array'),
        (lambda value: value.tolist(), 'but a list'),
        (sparse, 'is sparse or nested'),
        (quantised, 'is quantised'),
        (lambda value: value.to('meta'), 'has no numbers (it is on the meta device)'),
        (lambda value: value.long(), 'holds numbers of torch.int64, the model has torch.float32'),
        (lambda value: value > 0, 'holds numbers of torch.bool'),
        (lambda value: value + 0j, 'of torch.complex64'),
    ],
)
def test_weights_of_another_kind_are_refused_by_every_way_of_loading(source, change, says):
    weights = named_as('ours', source)
    weights['backbone.bn1.bias'] = change(weights['backbone.bn1.bias'])
    for load in (
        lambda: ours().load_state_dict(weights),
        lambda: hook(dict(state_dict=weights)),
        lambda: hook(dict(state_dict=weights), model=ours(type='BottomupPoseEstimator')),
    ):
        text = refused(load)
        assert 'weights do not fit (' in text and 'backbone.bn1.bias ' in text and says in text


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_precision_are_taken(source, dtype):
    weights = {
        name: value.to(dtype) if value.is_floating_point() else value.to(torch.int32)
        for name, value in named_as('ours', source).items()
    }
    model = ours()
    model.load_state_dict(weights)
    found = model.state_dict()['backbone.bn1.weight']
    assert found.dtype == torch.float32 and torch.equal(found, weights['backbone.bn1.weight'].float())


def test_weights_inside_a_state_dict_inside_a_state_dict_are_found(source, tmp_path):
    path = saved(dict(state_dict=dict(state_dict=dict(model=dict(source)))), tmp_path / 'w.pth')
    model = ours()
    load_checkpoint(model, path)
    assert_holds(model, source, 0.5)


@pytest.mark.parametrize('prefix', ['ema.', 'model.', 'net.inner.'])
def test_weights_below_a_prefix_of_another_program_are_refused_with_the_prefix(source, tmp_path, prefix):
    path = saved({prefix + name: value for name, value in source.items()}, tmp_path / 'w.pth')
    assert refused(lambda: load_checkpoint(ours(), path)) == (
        f'{path}: names its weights {prefix}backbone.conv1.weight and so on; save them without {prefix!r}'
    )


def runner(model, train: bool = False, resume: bool = False) -> SimpleNamespace:
    """What the hook asks of a runner."""
    loop = object.__new__(EpochBasedTrainLoop) if train else None
    return SimpleNamespace(model=model, _train_loop=loop, _resume=resume, _load_from='w.pth')


def hook(checkpoint: dict, model=None, **options) -> dict:
    CheckpointFitHook().after_load_checkpoint(runner(model or ours(), **options), checkpoint)
    return checkpoint


def without(weights: dict, name: str) -> dict:
    return {key: value for key, value in weights.items() if key != name}


@pytest.mark.parametrize('options', [{}, dict(train=True, resume=True)], ids=['testing', 'resuming'])
def test_testing_and_resuming_need_every_weight_in_whatever_layout(source, options, monkeypatch):
    monkeypatch.setattr('cid_mmpose.engine.hooks.checkpoint_fit.why_no_training_state', lambda checkpoint, runner: None)
    for layout in ('authors', 'mmpose 0.x', 'ours', 'mmpose 1.x'):
        hook(dict(state_dict=with_module(named_as(layout, source)), meta={}), **options)
    lacking = without(named_as('authors', source), 'gfd.fuse_attn.bias')
    text = refused(lambda: hook(dict(state_dict=lacking, meta={}), **options))
    assert text == (
        'w.pth: is not a checkpoint of this model: 1 of 280 weights do not fit (head.gfd.fuse.bias is '
        'missing); give the configuration it was trained with, or for the backbone alone set '
        'model.backbone.init_cfg'
    )


def test_a_training_may_start_from_weights_that_lack_some(source):
    lacking = without(named_as('authors', source), 'gfd.fuse_attn.bias')
    hook(dict(state_dict=lacking), train=True)
    found = ours().load_state_dict(lacking, strict=False)
    assert (found.missing_keys, found.unexpected_keys) == (['head.gfd.fuse.bias'], [])


def test_fresh_keypoint_maps_are_not_for_testing(crowdpose):
    assert 'these are weights for 14 keypoints, the model has 17' in refused(
        lambda: hook(crowdpose, ours(other_keypoints='fresh'))
    )


def test_weights_alone_cannot_be_resumed_from(source):
    assert refused(lambda: hook(named_as('authors', source), train=True, resume=True)) == (
        'w.pth: holds weights but not the state of a training run; a new run starts from its weights with load_from'
    )


def test_a_plain_estimator_around_our_head_is_told_which_one_knows_the_layouts(source):
    model = ours(type='BottomupPoseEstimator')
    hook(model.state_dict(), model)
    text = refused(lambda: hook(named_as('authors', source), model))
    assert text.endswith("or model.type='cid_mmpose.CID', which knows the other layouts of CID's weights")


@pytest.mark.parametrize(
    'wrap',
    [dict, lambda weights: dict(best_state_dict=weights), lambda weights: dict(model=weights)],
    ids=['bare', 'best', 'model'],
)
def test_an_averaged_model_starts_from_weights_without_a_state_dict(source, wrap):
    run = runner(ours(), train=True)
    averaging = EMAHook()
    averaging.before_run(run)
    checkpoint = wrap(with_module(named_as('authors', source)))
    for one in sorted((averaging, CheckpointFitHook()), key=lambda one: one.priority == 'NORMAL'):
        one.after_load_checkpoint(run, checkpoint)
    assert_holds(averaging.ema_model.module, source, 0)
    run.model.load_state_dict(checkpoint)
    assert_holds(run.model, source, 0)
