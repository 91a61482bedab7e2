"""Which runs a study has, and that each can be trained as it is written."""

import numpy as np
import pytest
from mmengine.registry import DefaultScope
from mmpose.registry import DATASETS, MODELS
from study.lines import key_of
from study.one_run import config_of
from study.plans import (
    FAST_MASK,
    METHODS,
    OPTIONS,
    OPTIONS_OF_VARIED,
    OURS,
    RATES,
    REFERENCES,
    SMALL_START,
    STUDIES,
    best_rate,
    plan_of,
    rate_row,
)

from cid_mmpose.codecs import SizeAdaptiveHeatmap
from cid_mmpose.errors import BadInput
from tests.helpers.slow import slow_but
from tests.helpers.study_lines import made_up

PACE = dict(key='pace', study='pace', pace={method: 0.1 * number for number, method in enumerate(METHODS, 1)})


def rates(best: dict) -> list[dict]:
    """Lines of the study ``rates``, in which each method is best with the rate that it has in ``best``."""
    runs = plan_of('rates', [PACE]).runs
    return [made_up(run, 50.0 if run.row == rate_row(method, best[method]) else 40.0)
            for run in runs for method in METHODS if run.row.startswith(f'{method}, ')]  # fmt: skip


def test_the_studies_have_as_many_runs_as_rows_and_seeds():
    counts = {name: len(plan_of(name, [PACE]).runs) for name in STUDIES}
    in_seeds = dict(pilot=8 * 2, crowds=8 * 3 + 2, channels=4 * 3, options=(13 + 6) * 3, real=2 * 3)
    assert counts == dict(**in_seeds, rates=6 * 3, methods=0, gpu=2)


def test_the_rows_of_table_1_differ_in_recalibration_and_in_the_weight_of_the_contrastive_loss():
    runs = {run.row: run.options for run in plan_of('crowds', [], seeds=[0]).runs}
    loss, kind = 'model.head.contrastive_loss.loss_weight', 'model.head.recalibration'
    (fast,), (start,) = FAST_MASK, SMALL_START
    assert {row: tuple(options.get(name) for name in (kind, loss, fast, start)) for row, options in runs.items()} == {
        'spatial': ('spatial', 0.0, None, None),
        'spatial, fast mask': ('spatial', 0.0, 1.0, None),
        "spatial, fast mask, the authors' weights": ('spatial', 0.0, 1.0, 0.001),
        'channel': ('channel', 0.0, None, None),
        'fused': (None, 0.0, None, None),
        'spatial, contrastive loss': ('spatial', None, None, None),
        'spatial, contrastive loss, fast mask': ('spatial', None, 1.0, None),
        "spatial, contrastive loss, fast mask, the authors' weights": ('spatial', None, 1.0, 0.001),
        'channel, contrastive loss': ('channel', None, None, None),
        'fused, contrastive loss': (None, None, None, None),
    }


def test_32_channels_are_the_run_of_table_1_and_done_once():
    channels = {run.row: key_of(run) for run in plan_of('channels', [], seeds=[1]).runs}
    crowds = {run.row: key_of(run) for run in plan_of('crowds', [], seeds=[1]).runs}
    assert set(channels.values()) & set(crowds.values()) == {channels['32 channels']}
    assert channels['32 channels'] == crowds['fused, contrastive loss']


def test_real_images_begin_with_the_weights_of_the_same_seed():
    runs = plan_of('real', []).runs
    assert [run.start.seed if run.start else None for run in runs] == [0, None, 1, None, 2, None]
    assert key_of(runs[0]) != key_of(runs[1])


def test_each_method_takes_the_rate_with_which_it_was_best():
    best = dict(zip(METHODS, (RATES[0], RATES[2], RATES[1], RATES[0], RATES[2], RATES[1])))
    lines = rates(best)
    assert {method: best_rate(method, lines) for method in METHODS} == best
    runs = plan_of('methods', lines, seeds=[2]).runs
    assert {run.row: run.options['optim_wrapper.optimizer.lr'] for run in runs} == best


def test_learning_rates_of_slow_methods_are_chosen_from_runs_of_equal_time():
    runs = plan_of('rates', [PACE]).runs
    iterations = {run.row.rpartition(',')[0]: run.options['train_cfg.max_iters'] for run in runs}
    assert list(iterations.values()) == [1200, 1200, 400, 300, 240, 200]  # 1 to 6 times the time of ours
    assert plan_of('rates', []).runs == [] and len(plan_of('rates', []).waiting) == len(METHODS)


def test_varied_images_begin_with_the_weights_of_the_same_seed_and_the_others_with_random_ones():
    runs = plan_of('options', [], seeds=[2]).runs
    assert {(run.config, run.start and run.start.seed) for run in runs} == {('crowd', None), ('varied', 2)}
    crowds = {key_of(run) for run in plan_of('crowds', []).runs}
    assert all(key_of(run.start) in crowds for run in runs if run.start)


def test_a_method_waits_for_its_learning_rates_and_equal_time_for_the_pace():
    lines = rates(dict.fromkeys(METHODS, RATES[0]))
    without_one = [line for line in lines if line['row'] != rate_row("MMPose's DEKR", RATES[2])]
    waiting = plan_of('methods', without_one).waiting
    assert [row.row for row in waiting if 'study rates' in row.why] == ["MMPose's DEKR"]
    of_time = [row.row for row in waiting if 'study pace' in row.why]
    assert len(of_time) == len(METHODS) - 2  # of ours and of the one whose rate is not known there is none
    assert plan_of('methods', [*lines, PACE]).waiting == []


def test_runs_of_equal_time_are_shorter_by_how_much_longer_an_iteration_takes():
    runs = plan_of('methods', [*rates(dict.fromkeys(METHODS, RATES[0])), PACE], seeds=[0]).runs
    iterations = {run.row: run.options['train_cfg.max_iters'] for run in runs}
    others = [method for method in METHODS if method != OURS]
    of_equal_time = [iterations[f'{method}, equal time'] for method in others]
    assert of_equal_time == [round(iterations[OURS] / times) for times in range(2, len(METHODS) + 1)]
    assert f'{OURS}, equal time' not in iterations


def test_rows_and_seeds_are_chosen_by_pattern():
    runs = plan_of('crowds', [], seeds=[0, 2], only='^fused').runs
    assert [(run.row, run.seed) for run in runs] == [
        ('fused, contrastive loss', 0),
        ('fused', 0),
        ('fused, contrastive loss', 2),
        ('fused', 2),
    ]


@pytest.mark.parametrize('choice, says', [(dict(only='moon'), 'rows are spatial'), (dict(only='('), 'no regular'),
                                          (dict(seeds=[7]), 'no run has such a row and seed')])  # fmt: skip
def test_a_choice_of_nothing_is_one_line(choice, says):
    with pytest.raises(BadInput, match=says):
        plan_of('crowds', [], **choice)


ON_A_CPU = ('pilot', 'crowds', 'channels', 'rates', 'options', 'real')
EVERY = [run for name in ON_A_CPU for run in plan_of(name, [PACE]).runs]
CHEAP = {key_of(run): run for run in EVERY if run.seed in (0, 10)}.values()


QUICK = [run for run in CHEAP if run.row in ('fused, contrastive loss', "MMPose's DEKR, 0.004", *REFERENCES.values())]


@pytest.mark.parametrize('run', slow_but(QUICK, CHEAP), ids=lambda run: f'{run.study}: {run.row}')
def test_every_option_of_every_run_has_its_place_in_the_config(run, tmp_path):
    cfg = config_of(run, tmp_path)
    assert cfg.randomness.seed == run.seed
    ends = [cfg.train_cfg.max_iters, cfg.param_scheduler[1].end, cfg.default_hooks.checkpoint.interval]
    assert ends == 3 * [run.options['train_cfg.max_iters']]
    assert cfg.optim_wrapper.type == 'OptimWrapper'  # float32
    with DefaultScope.overwrite_default_scope('mmpose'):
        model = MODELS.build(cfg.model)
    head = model.head
    if run.config in ('crowd', 'varied', 'real'):
        without = run.study == 'crowds' and 'contrastive' not in run.row
        weights = head.crowd_loss.loss_weight, head.person_loss.loss_weight, head.contrastive_loss.loss_weight
        assert weights == (1.0, 4.0, 0.0 if without else 1.0)
        assert head.person_loss.average == ('person' if 'eq. 16' in run.row else 'batch')


@pytest.mark.slow
def test_no_option_leaves_the_config_as_the_reference_has_it(tmp_path):
    texts = {}
    for run in plan_of('options', [], seeds=[0]).runs:
        texts.setdefault(config_of(run, tmp_path).pretty_text, []).append(run.row)
    assert [rows for rows in texts.values() if len(rows) > 1] == []
    assert len(texts) == len(OPTIONS) + len(OPTIONS_OF_VARIED)


@pytest.mark.slow
def test_a_fifth_of_the_people_in_training_are_smaller_than_the_rule_about_small_people_asks_for(monkeypatch, tmp_path):
    seen = []
    seeds = SizeAdaptiveHeatmap._seeds

    def noted(codec, root, root_drawn, area, *rest):
        seen.extend(area.tolist())
        return seeds(codec, root, root_drawn, area, *rest)

    monkeypatch.setattr(SizeAdaptiveHeatmap, '_seeds', noted)
    row = 'people below 20 x 20 px have no roots'
    (run,) = plan_of('options', [], seeds=[0], only=f'^{row}$').runs
    cfg = config_of(run, tmp_path)
    with DefaultScope.overwrite_default_scope('mmpose'):
        images = DATASETS.build({**cfg.train_dataloader.dataset, 'length': 120})
    for number in range(len(images)):
        images[number]

    areas = np.array(seen)
    assert (areas < 8 * 8).mean() == 0
    assert 0.15 < (areas < run.options['codec.small_person_area']).mean() < 0.25
