"""Configs that do not start from ours get the hooks that keep a run safe."""

import pytest
from mmengine.config import Config

from cid_mmpose.engine.run_hooks import CHECKPOINT, RUN_HOOKS, add_run_hooks
from tests.helpers.images import ROOT


def hooks_of(**config) -> dict:
    cfg = Config(config)
    add_run_hooks(cfg)
    return cfg.default_hooks


def test_a_config_without_hooks_gets_all_of_them():
    assert {name: hook['type'] for name, hook in hooks_of().items()} == dict(RUN_HOOKS, checkpoint=CHECKPOINT)


def test_what_a_config_names_or_switches_off_stays_and_the_checkpoints_become_safe_with_their_options():
    given = dict(
        finite=dict(type='cid_mmpose.FiniteStepsHook', max_in_a_row=3),
        evaluation=None,
        checkpoint=dict(type='CheckpointHook', interval=7),
    )
    hooks = hooks_of(default_hooks=given)
    assert hooks['finite']['max_in_a_row'] == 3 and hooks['evaluation'] is None
    assert hooks['checkpoint'] == dict(type=CHECKPOINT, interval=7)
    assert hooks_of(default_hooks=dict(checkpoint=None))['checkpoint'] is None


@pytest.mark.parametrize('name', ['cid_hrnet-w32_coco.py', 'overfit/mmpose-cid_hrnet-w16-small_coco-mini.py'])
def test_the_project_s_configs_name_all_of_them_for_other_programs(name):
    hooks = Config.fromfile(ROOT / 'configs' / name).default_hooks
    assert {key: hooks[key].type for key in RUN_HOOKS} == RUN_HOOKS and hooks.checkpoint.type == CHECKPOINT
