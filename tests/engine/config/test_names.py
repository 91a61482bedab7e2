"""Words on top of a config: those that do nothing and look like settings are refused, a user's own are not."""

import pytest
from mmengine.config import Config

from cid_mmpose.engine.config.names import check_names
from tests.helpers.config_lines import derived, line_of


@pytest.mark.parametrize(
    'text, says',
    [
        (
            'optim_wraper = dict(optimizer=dict(lr=1e-4))',
            "unknown setting 'optim_wraper'; did you mean 'optim_wrapper'?",
        ),
        ('trian_cfg = dict(max_epochs=3)', "unknown setting 'trian_cfg'; did you mean 'train_cfg'?"),
        ('max_epoch = 3', "unknown setting 'max_epoch'; did you mean 'train_cfg.max_epochs'?"),
        ('custom_hook = [dict(type="EMAHook")]', "unknown setting 'custom_hook'; did you mean 'custom_hooks'?"),
        (
            'optimizer = dict(type="SGD", lr=1)',
            'nothing reads this setting of older versions; set optim_wrapper.optimizer',
        ),
        ('total_epochs = 3', 'set train_cfg.max_epochs'),
        ('a = 1 / 0', 'cannot be read as a config: ZeroDivisionError: division by zero'),
    ],
)
def test_words_of_a_config_that_do_nothing_and_look_like_settings_are_refused(tmp_path, text, says):
    own = derived(tmp_path, text)
    line = line_of('', own)
    assert line.startswith(f'{own}: ') and says in line


@pytest.mark.parametrize(
    'text',
    [
        'my_rate = 1e-4\noptim_wrapper = dict(optimizer=dict(lr=my_rate))',
        'people = dict(a=1)',
        'models = ["a", "b"]',
        'max_epoch = 3\ntrain_cfg = dict(max_epochs=max_epoch)',
        'num_keypoints = 17',
        'experiment = "first"',
        'optimizer = dict(type="SGD", lr=1.)\noptim_wrapper = dict(optimizer=dict(_delete_=True, **optimizer))',
        'test_pipeline = _base_.val_pipeline',
        'batch = 4',
        'codec_of_mine = dict(type="MSRAHeatmap")',
    ],
)
def test_variables_of_a_user_s_own_are_let_alone(tmp_path, text):
    check_names(Config.fromfile(derived(tmp_path, text)))
