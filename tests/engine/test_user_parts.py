"""Hooks and visualization backends of a user's own, beside those of the project."""

import pytest
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import HOOKS, VISBACKENDS
from mmengine.visualization import LocalVisBackend
from mmengine.visualization.vis_backend import BaseVisBackend

from cid_mmpose.engine import launch
from cid_mmpose.engine.user_parts import settle_user_parts
from tests.helpers.images import ROOT, coco, person, tiny_config, use_data, write_coco

LOCAL = dict(type='LocalVisBackend')
BOARD = dict(type='TensorboardVisBackend')
OURS = ['SyncBuffersHook', 'RecipeHook', 'LossCurveHook']


class Board(BaseVisBackend):
    """A user's backend: it keeps the names of what it is given."""

    seen = set()

    def _init_env(self) -> None:
        self.ready = True

    @property
    def experiment(self):
        return self

    def add_scalars(self, scalar_dict, step=0, file_path=None, **kwargs) -> None:
        self.seen.update(scalar_dict)


class Counter(Hook):
    """A user's hook."""

    iterations = 0

    def after_train_iter(self, *args, **kwargs) -> None:
        Counter.iterations += 1


def settled(**changes) -> Config:
    cfg = Config(dict(vis_backends=[LOCAL], visualizer=dict(type='Visualizer', vis_backends=[LOCAL]), default_hooks={}))
    cfg.merge_from_dict(changes)
    settle_user_parts(cfg)
    return cfg


@pytest.mark.parametrize(
    'changes, backends',
    [
        ({}, [LOCAL]),
        ({'vis_backends': [LOCAL, BOARD]}, [LOCAL, BOARD]),
        ({'vis_backends': [BOARD]}, [BOARD, LOCAL]),
        ({'visualizer.vis_backends': [BOARD]}, [BOARD, LOCAL]),
        ({'vis_backends': [dict(type='A')], 'visualizer.vis_backends': [BOARD]}, [BOARD, LOCAL]),
        ({'visualizer.vis_backends': None}, [LOCAL]),
        ({'vis_backends': [dict(type='mmengine.LocalVisBackend')]}, [dict(type='mmengine.LocalVisBackend')]),
        ({'vis_backends': [dict(type=LocalVisBackend)]}, [dict(type=LocalVisBackend)]),
    ],
)
def test_the_backends_that_a_user_names_are_taken_and_the_losses_are_kept_beside_them(changes, backends):
    assert settled(**changes).visualizer.vis_backends == backends


def test_a_run_without_visualizer_or_with_backends_of_a_wrong_kind_is_left_as_it_is():
    assert settled(visualizer=None).visualizer is None
    assert settled(**{'visualizer.vis_backends': 'board'}).visualizer.vis_backends == 'board'


def test_a_hook_that_is_none_is_left_out_and_mmengine_s_own_are_left_to_mmengine():
    hooks = settled(default_hooks=dict(loss_curve=None, timer=None, logger=dict(type='LoggerHook'))).default_hooks
    assert hooks == dict(timer=None, logger=dict(type='LoggerHook'))


@pytest.fixture
def derived(tmp_path) -> str:
    """A config of a user's that starts from ours and brings its own hook and backend."""
    write_coco(tmp_path, coco([person(i, i, box=(20, 10, 50, 50)) for i in (1, 2)], 2, size=(96, 72)))
    cfg = use_data(tiny_config(), tmp_path, ('people.json', ''), ('people.json', ''))
    cfg.train_dataloader.update(num_workers=0, persistent_workers=False, batch_size=1)
    cfg.train_cfg.update(max_epochs=1)
    cfg.default_hooks.logger.interval = 1
    cfg.update(val_cfg=None, val_dataloader=None, val_evaluator=None, log_level='WARNING', experiment_name='derived')
    cfg.visualizer.name = 'derived'
    cfg.dump(str(tmp_path / 'base.py'))
    own = tmp_path / 'own.py'
    own.write_text(
        "_base_ = './base.py'\n"
        "custom_hooks = [dict(type='UsersCounter')]\n"
        "vis_backends = [dict(type='UsersBoard', save_dir='here')]\n"
    )
    return str(own)


def test_a_derived_config_s_hooks_and_backends_work_beside_the_project_s(derived, tmp_path):
    HOOKS.register_module(name='UsersCounter', module=Counter, force=True)
    VISBACKENDS.register_module(name='UsersBoard', module=Board, force=True)
    runner = launch.train(derived, work_dir=str(tmp_path / 'work'))
    names = [type(hook).__name__ for hook in runner.hooks]
    assert Counter.iterations == 2 and {'Counter', *OURS} <= set(names)
    assert {'loss', 'loss_crowd', 'lr'} <= Board.seen
    assert (tmp_path / 'work' / 'loss_curve.png').stat().st_size > 1000


def test_every_config_keeps_the_project_s_hooks_apart_from_those_of_users():
    cfg = Config.fromfile(ROOT / 'configs' / 'cid_hrnet-w32_coco.py')
    named = [hook.type.rpartition('.')[2] for hook in cfg.default_hooks.values()]
    assert 'custom_hooks' not in cfg and set(OURS) <= set(named)
