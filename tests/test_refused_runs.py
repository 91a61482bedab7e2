"""Runs that cannot be: one line that names the option, the file or the folder, before anything is built."""

import pytest
import torch

from cid_mmpose.cli.user_errors import user_errors
from cid_mmpose.engine import launch
from cid_mmpose.errors import BadInput
from tests.helpers.tiny_runs import named, write_tiny_config


@pytest.fixture(scope='module')
def config(tmp_path_factory) -> str:
    """The file of ``write_tiny_config``."""
    return write_tiny_config(tmp_path_factory.mktemp('tiny'))


def refused(run) -> str:
    with pytest.raises(BadInput) as caught:
        run()
    return str(caught.value)


@pytest.mark.parametrize(
    'options, says',
    [
        (dict(amp='fp16'), '--amp fp16 needs a GPU'),
        (dict(launcher='slurm'), '--launcher slurm needs GPUs'),
        (dict(auto_scale_lr=True, cfg_options={'auto_scale_lr': dict(_delete_=True)}), 'base_batch_size'),
        (dict(amp='bf16', cfg_options={'optim_wrapper.type': 'ApexOptimWrapper'}), 'optim_wrapper.type is Apex'),
        (dict(cfg_options={'train_pipeline.99.x': 1}), '--cfg-options: '),
        (dict(resume='gone.pth'), 'gone.pth: no such checkpoint file'),
    ],
)
def test_an_option_that_cannot_be_followed_is_named(config, tmp_path, monkeypatch, options, says):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    assert says in refused(lambda: launch.train(config, work_dir=str(tmp_path), **options))
    assert list(tmp_path.glob('*.pth')) == []


def test_a_checkpoint_of_another_model_is_named_in_training_and_in_testing(config, tmp_path):
    torch.save(dict(state_dict=dict(weight=torch.zeros(1))), tmp_path / 'other.pth')
    for run in (
        lambda: launch.test(config, str(tmp_path / 'other.pth'), work_dir=str(tmp_path)),
        lambda: launch.train(config, resume=str(tmp_path / 'other.pth'), work_dir=str(tmp_path)),
    ):
        assert 'other.pth: is not a checkpoint of this model: ' in refused(run)


def test_predictions_are_dumped_under_a_pickle_s_name_only(config, tmp_path):
    assert 'name it .pkl' in refused(lambda: launch.test(config, 'w.pth', work_dir=str(tmp_path), dump='people.json'))


@pytest.mark.parametrize('folder', ['file', 'file/below', '/proc/none'])
def test_a_work_folder_that_cannot_be_written_is_named_before_anything_is_built(config, tmp_path, monkeypatch, folder):
    (tmp_path / 'file').write_text('in the way')
    monkeypatch.setattr(launch.Runner, 'from_cfg', lambda cfg: pytest.fail('something was built'))
    work_dir = str(tmp_path / folder)  # an absolute folder stays as it is
    assert f'work dir {work_dir}: cannot be written to' in refused(lambda: launch.train(config, work_dir=work_dir))


@pytest.mark.parametrize(
    'content, says',
    [
        (None, 'no such config'),
        ('model = dict(', 'cannot be read as a config'),
        ("_base_ = 'gone.py'", 'cannot be read as a config'),
    ],
)
def test_a_config_that_cannot_be_read_is_named(tmp_path, content, says):
    path = tmp_path / 'mine.py'
    if content:
        path.write_text(content)
    text = refused(lambda: launch.load_config(str(path)))
    assert text.startswith(f'{path}: {says}')


@pytest.mark.parametrize(
    'options, says',
    [
        ({'model.head.colour': 1}, "CIDHead: unknown option 'colour'"),
        ({'model.head.decoder.colour': 1}, "SizeAdaptiveHeatmap: unknown option 'colour'"),
        ({'model.head.type': 'cid_mmpose.CIDHat'}, "type='cid_mmpose.CIDHat': there is no model of this name"),
    ],
)
def test_an_unknown_name_in_the_config_is_one_line_and_status_2(config, tmp_path, capsys, options, says):
    with pytest.raises(SystemExit) as left, user_errors():
        launch.train(config, work_dir=str(tmp_path), cfg_options=named(says, **options))
    lines = capsys.readouterr().err.splitlines()
    assert left.value.code == 2 and lines[-1].startswith('error: ') and says in lines[-1]


def test_an_error_that_is_ours_keeps_its_traceback():
    for error in (TypeError('f() got an unexpected keyword argument'), KeyError('x'), RuntimeError('CUDA')):
        with pytest.raises(type(error)), user_errors():
            raise error


@pytest.mark.parametrize('name, says', [('nope.pth', 'no such checkpoint file'), ('.', 'is a folder')])
def test_a_checkpoint_that_is_not_there_is_named_before_anything_is_built(config, tmp_path, monkeypatch, name, says):
    monkeypatch.setattr(launch.Runner, 'from_cfg', lambda cfg: pytest.fail('something was built'))
    assert f'{name}: {says}' in refused(lambda: launch.test(config, name, work_dir=str(tmp_path)))
    start = named('gone', load_from=name)
    assert f'{name}: {says}' in refused(lambda: launch.train(config, work_dir=str(tmp_path), cfg_options=start))


def test_two_work_folders_are_refused(config, tmp_path):
    text = refused(lambda: launch.train(config, work_dir=str(tmp_path), cfg_options=named('two', work_dir='elsewhere')))
    assert text.endswith('are two folders; give one of them')
