"""Weights that the backbone starts from: all of them or an error."""

import pytest
import torch

from cid_mmpose.errors import BadInput
from tests.helpers.images import build_model, tiny_config
from tests.helpers.public_weights import saved


def model(checkpoint, **options):
    """A tiny CID whose backbone starts from a file."""
    cfg = tiny_config()
    cfg.model.backbone.init_cfg = dict(type='Pretrained', checkpoint=str(checkpoint), **options)
    return build_model(cfg)


@pytest.fixture(scope='module')
def weights() -> dict:
    """A backbone's weights, one number apart from those that it starts with, and a classifier behind them."""
    torch.manual_seed(1)
    backbone = build_model(tiny_config()).backbone
    found = {
        name: value + 1 for name, value in backbone.state_dict().items() if not name.endswith('num_batches_tracked')
    }
    return {**found, 'classifier.weight': torch.ones(3), 'incre_modules.0.0.conv1.weight': torch.ones(3)}


def refused(checkpoint, **options) -> str:
    made = model(checkpoint, **options)
    with pytest.raises(BadInput) as caught:
        made.init_weights()
    assert '\n' not in str(caught.value)
    assert not any(part._load_state_dict_pre_hooks for part in made.backbone.modules() if part is made.backbone)
    return str(caught.value)


@pytest.mark.parametrize(
    'wrap, options',
    [
        (lambda state: state, {}),
        (lambda state: dict(state_dict=state), {}),
        (lambda state: {f'module.{name}': value for name, value in state.items()}, {}),
        (lambda state: {f'backbone.{name}': value for name, value in state.items()}, dict(prefix='backbone.')),
        (lambda state: {f'backbone.{name}': value for name, value in state.items()}, dict(prefix='backbone')),
    ],
    ids=['bare', 'state_dict', 'module', 'prefix with dot', 'prefix'],
)
def test_a_backbone_starts_from_its_weights_and_what_else_the_file_has_is_left(weights, tmp_path, wrap, options):
    made = model(saved(wrap(weights), tmp_path / 'w.pth'), **options)
    made.init_weights()
    state = made.backbone.state_dict()
    assert all(torch.equal(state[name], weights[name]) for name in weights if name in state)
    assert len(set(weights) & set(state)) == len(weights) - 2


def test_a_backbone_starts_from_safetensors(weights, tmp_path):
    safetensors = pytest.importorskip('safetensors.torch')
    contiguous = {name: value.contiguous() for name, value in weights.items()}
    safetensors.save_file(contiguous, str(tmp_path / 'w.safetensors'))
    made = model(tmp_path / 'w.safetensors')
    made.init_weights()
    assert torch.equal(made.backbone.conv1.weight, weights['conv1.weight'])


def test_a_file_that_lacks_one_weight_is_refused_with_it_and_the_ways_out(weights, tmp_path):
    lacking = {name: value for name, value in weights.items() if name != 'bn1.running_var'}
    path = saved(lacking, tmp_path / 'w.pth')
    assert refused(path) == (
        f'{path}: does not fit model.backbone: 1 of {len(weights) - 2} weights do not fit (bn1.running_var is missing)'
        '; give weights of a HRNet of this size, or model.backbone.init_cfg=None to start from chance'
    )


@pytest.mark.parametrize(
    'change, says',
    [
        (lambda value: value[:3], r'conv1.weight is \(3, 3, 3, 3\), the model has \(64, 3, 3, 3\)'),
        (lambda value: value.numpy(), 'conv1.weight is no tensor but a numpy array'),
        (lambda value: value.int(), 'conv1.weight holds numbers of torch.int32'),
        (lambda value: value * torch.nan, 'conv1.weight is NaN or infinite'),
    ],
)
def test_a_weight_of_another_shape_or_kind_is_refused(weights, tmp_path, change, says):
    path = saved({**weights, 'conv1.weight': change(weights['conv1.weight'])}, tmp_path / 'w.pth')
    pytest.raises(BadInput, model(path).init_weights).match(says)


def test_weights_of_a_whole_model_are_sent_to_their_prefix(weights, tmp_path):
    path = saved({f'backbone.{name}': value for name, value in weights.items()}, tmp_path / 'w.pth')
    assert "set model.backbone.init_cfg.prefix='backbone.', or" in refused(path)
    assert refused(path, prefix='neck.') == (
        'init_cfg of type Pretrained: its prefix neck. is not in the pretrained model; give the prefix that stands '
        'before the weights in its file'
    )


def test_a_file_of_something_else_and_one_that_is_not_there_are_refused(tmp_path):
    path = saved({'fc.weight': torch.ones(1)}, tmp_path / 'w.pth')
    assert 'does not fit model.backbone: ' in refused(path)
    assert refused(tmp_path / 'gone.pth') == f'{tmp_path}/gone.pth: no such checkpoint file'
