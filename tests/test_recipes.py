"""The recipe word: how it reaches the parts, and what each option of it changes."""

import logging

import numpy as np
import pytest
from mmengine.config import Config
from mmpose.datasets.transforms import BottomupRandomAffine
from scipy import stats

from cid_mmpose import config_path
from cid_mmpose.codecs import SizeAdaptiveHeatmap
from cid_mmpose.data import LossMask, RandomAffine, RandomMirror
from cid_mmpose.engine.hooks import RecipeHook
from cid_mmpose.engine.launch import load_config
from cid_mmpose.errors import BadInput
from cid_mmpose.recipes import RECIPES, apply_recipe, options_of
from tests.helpers import oracle
from tests.helpers.images import step, step_in

CODEC = dict(type='cid_mmpose.SizeAdaptiveHeatmap')


def config(**more):
    """A config with parts at every depth, one of them with a recipe of its own, and parts of others."""
    return Config(
        dict(
            model=dict(type='cid_mmpose.CID', head=dict(type='cid_mmpose.CIDHead', decoder=dict(CODEC))),
            data=dict(
                type='cid_mmpose.CocoPeople',
                pipeline=[
                    dict(type='LoadImage'),
                    dict(type='cid_mmpose.RandomMirror', recipe='reference'),
                    dict(type='GenerateTarget', encoder=dict(CODEC)),
                ],
            ),
            theirs=dict(type='CIDHead'),
            **more,
        )
    )


def test_both_recipes_know_the_same_options_of_the_same_parts():
    reference, mmpose = RECIPES['reference'], RECIPES['mmpose']
    assert reference.keys() == mmpose.keys()
    for part, options in reference.items():
        assert options.keys() == mmpose[part].keys()
        assert all(value != mmpose[part][name] for name, value in options.items())


def test_one_word_reaches_every_part_but_those_with_a_recipe_of_their_own():
    cfg = config(recipe='mmpose')
    apply_recipe(cfg)
    assert cfg.model.head.recipe == cfg.model.head.decoder.recipe == cfg.data.recipe == 'mmpose'
    steps = cfg.data.pipeline
    assert step_in(steps, 'GenerateTarget').encoder.recipe == 'mmpose'
    assert step_in(steps, 'RandomMirror').recipe == 'reference'
    assert 'recipe' not in cfg.theirs and 'recipe' not in cfg.model and 'recipe' not in step_in(steps, 'LoadImage')


def test_without_the_word_a_config_stays_as_it_is():
    cfg = config()
    apply_recipe(cfg)
    assert cfg.to_dict() == config().to_dict()


def test_the_codec_of_a_config_reaches_head_and_pipelines(tmp_path):
    mine = tmp_path / 'mine.py'
    mine.write_text(f"_base_ = {config_path('cid_hrnet-w32_coco.py')!r}\ncodec = dict(rounding='nearest')\n")
    for cfg in (
        load_config(str(mine), str(tmp_path)),
        load_config(config_path('cid_hrnet-w32_coco.py'), str(tmp_path), {'codec.rounding': 'nearest'}),
    ):
        codecs = [cfg.model.head.decoder, step(cfg.train_dataloader, 'GenerateTarget').encoder]
        assert [(codec.rounding, codec.stride, codec.recipe) for codec in codecs] == [('nearest', 4, 'reference')] * 2
        RecipeHook().before_run(Run(cfg))
    bare = Config.fromfile(str(mine))
    with pytest.raises(BadInput, match='codec of the config has not reached its head and pipelines; start the run'):
        RecipeHook().before_run(Run(bare))


def test_the_stride_of_the_codec_reaches_the_steps_that_count_in_cells():
    cfg = config(codec=dict(CODEC, stride=8), mask=dict(type='cid_mmpose.LossMask', stride=16))  # this one has its own
    apply_recipe(cfg)
    steps = cfg.data.pipeline
    assert (step_in(steps, 'RandomMirror').stride, cfg.mask.stride) == (8, 16)
    assert 'stride' not in step_in(steps, 'LoadImage')
    assert cfg.model.head.decoder.stride == step_in(steps, 'GenerateTarget').encoder.stride == 8


@pytest.mark.parametrize('steps_stride', [4, 8])
def test_a_run_whose_steps_have_not_got_the_codec_s_stride_is_stopped(steps_stride):
    codec = dict(CODEC, stride=8)
    mask = dict(type='cid_mmpose.LossMask', stride=steps_stride)
    run = Run(Config(dict(codec=codec, target=dict(type='GenerateTarget', encoder=codec), mask=mask)))
    if steps_stride == 8:
        RecipeHook().before_run(run)
        return
    with pytest.raises(BadInput, match='codec of the config has not reached its head and pipelines'):
        RecipeHook().before_run(run)


@pytest.mark.parametrize(
    'word, value, meant',
    [
        ('recipes', 'mmpose', 'recipe'),
        ('Recipe', 'mmpose', 'recipe'),
        ('receipe', 'mmpse', 'recipe'),
        ('codecs', dict(rounding='nearest'), 'codec'),
        ('codex', dict(rounding='nearest'), 'codec'),
    ],
)
def test_a_misspelt_word_is_refused_with_the_one_meant(word, value, meant):
    for call in (apply_recipe, lambda cfg: RecipeHook().before_run(Run(cfg))):
        with pytest.raises(BadInput) as caught:
            call(config(**{word: value}))
        assert str(caught.value) == f'unknown setting {word!r}; did you mean {meant!r}?'


def test_the_command_line_refuses_a_misspelt_word(tmp_path):
    with pytest.raises(BadInput, match="there is no setting 'recipes'; did you mean 'recipe'"):
        load_config(config_path('cid_hrnet-w32_coco.py'), str(tmp_path), dict(recipes='mmpose'))


@pytest.mark.parametrize(
    'word, value',
    [
        ('decoder', dict(type='X')),
        ('val_codec', dict(type='X')),
        ('my_recipe', 'mmpose'),
        ('recipes', ['mmpose']),
        ('code', 'abc'),
        ('receipt', 'x'),
        ('prices', 'x'),
    ],
)
def test_variables_of_users_own_are_let_alone(word, value):
    cfg = config(**{word: value})
    apply_recipe(cfg)
    assert cfg[word] == value


def test_a_config_without_parts_of_ours_may_use_any_word():
    cfg = Config(dict(recipes='mmpose', model=dict(type='CIDHead')))
    apply_recipe(cfg)
    assert cfg.to_dict() == dict(recipes='mmpose', model=dict(type='CIDHead'))


def test_parts_with_different_recipes_are_named_once_with_the_way_to_one(monkeypatch):
    said = []
    monkeypatch.setattr('cid_mmpose.engine.hooks.recipe.print_log', lambda text, *rest: said.append((text, *rest)))
    cfg = Config.fromfile(config_path('cid_hrnet-w32_coco.py'))
    cfg.merge_from_dict({'model.head.recipe': 'mmpose'})
    apply_recipe(cfg)
    RecipeHook().before_run(Run(cfg))
    assert said == [
        (
            "cid_mmpose: the parts of this run have different recipes ('mmpose': CIDHead; 'reference': CocoPeople, "
            "LossMask, RandomAffine, RandomMirror, SizeAdaptiveHeatmap); recipe='mmpose' or recipe='reference' of the "
            'config sets all that have no recipe of their own',
            'current',
            logging.WARNING,
        )
    ]
    for word in ('reference', 'mmpose'):
        whole = Config.fromfile(config_path('cid_hrnet-w32_coco.py'))
        whole.recipe = word
        apply_recipe(whole)
        RecipeHook().before_run(Run(whole))
    assert len(said) == 1


def test_an_unknown_recipe_is_named():
    with pytest.raises(BadInput, match='recipe: there is no None'):
        apply_recipe(config(recipe=None))
    with pytest.raises(BadInput, match="recipe: there is no 'authors'"):
        apply_recipe(config(recipe='authors'))
    with pytest.raises(BadInput, match="no 'authors'"):
        SizeAdaptiveHeatmap(recipe='authors')


def test_a_single_option_wins_over_the_recipe_and_an_unknown_choice_is_named():
    options = options_of('RandomAffine', 'mmpose', distribution='uniform', shift_of=None)
    assert options == dict(distribution='uniform', shift_of='sides')
    with pytest.raises(BadInput, match="SizeAdaptiveHeatmap: rounding must be one of .*'up'"):
        SizeAdaptiveHeatmap(rounding='up')


class Run:
    """What the hook sees of a runner."""

    def __init__(self, cfg):
        self.cfg = cfg


def test_a_run_that_would_quietly_take_the_other_recipe_is_stopped():
    with pytest.raises(BadInput, match="recipe='mmpose' of the config has not reached .*CIDHead"):
        RecipeHook().before_run(Run(config(recipe='mmpose')))
    applied = config(recipe='mmpose')
    apply_recipe(applied)
    for cfg in (applied, config(recipe='reference'), config()):
        RecipeHook().before_run(Run(cfg))


def codec_fields(scene, **options):
    still = oracle.Shifts(np.zeros((len(scene.bbox), 2)))
    return SizeAdaptiveHeatmap(**options).encode(*scene, (96, 64), still)


def person(*keypoints, box=(10, 10, 60, 50)):
    return oracle.Scene(np.array([keypoints], float), np.full((1, len(keypoints)), 2.0), oracle.corners(box))


def test_keypoints_and_roots_are_cut_or_rounded_but_seeds_always_cut():
    scene = person((23, 30), (23, 30))  # cells 5.75, 7.5
    assert codec_fields(scene, rounding='down')['root_cell'].tolist() == [[5, 7]]
    nearest = codec_fields(scene, rounding='nearest')
    assert nearest['root_cell'].tolist() == [[6, 8]] and nearest['keypoint_cell'].tolist() == [[[6, 8], [6, 8]]]
    assert nearest['seed_cell'].tolist() == [[5, 7]]


def test_what_touches_the_map_is_drawn_or_skipped():
    scene = person((-6, 30), (50, 30), (-60, 30))  # cells -1.5, 12.5 and -15 with a radius of 3
    assert codec_fields(scene)['keypoint_drawn'].tolist() == [[False, True, False]]
    assert codec_fields(scene, off_map='touching')['keypoint_drawn'].tolist() == [[True, True, False]]


def test_a_root_beside_the_map_is_skipped_or_its_seed_moved_to_the_border():
    scene = person((-6, 30), (-2, 20))  # root at pixel -4, cell -1
    assert codec_fields(scene)['seeded'].tolist() == [False]
    touching = codec_fields(scene, off_map='touching')
    assert touching['seeded'].tolist() == [True] and touching['seed_cell'].tolist() == [[0, 6]]


def test_two_people_share_a_cell_or_only_a_position():
    scenes = [person((40, 32)), person((42, 33)), person((42, 33))]
    scene = oracle.Scene(*[np.concatenate(parts) for parts in zip(*scenes)])
    assert codec_fields(scene)['seeded'].sum() == 1
    assert codec_fields(scene, shared_cell='position')['seeded'].tolist() == [True, True, False]


def draws(step, shape, count=6000):
    """(count,) angles, scales and shifts in image pixels (count, 2), read off random matrices of a square input."""
    rng, side = np.random.default_rng(0), step.input_size[0]
    matrices = np.array([step.draw_matrix(shape, rng) for _ in range(count)])
    scale = np.linalg.norm(matrices[:, :, 0], axis=1)
    angle = np.degrees(np.arctan2(-matrices[:, 1, 0], matrices[:, 0, 0]))
    inverse = np.linalg.inv(matrices[:, :, :2])
    center = np.einsum('nij,nj->ni', inverse, np.array([side, side]) / 2 - matrices[:, :, 2])
    return angle, side / min(shape) / scale, center - np.array(shape[::-1]) / 2


@pytest.mark.slow
def test_augmentation_of_the_mmpose_recipe_has_the_distribution_of_mmposes_transform():
    shape = (300, 500)
    angle, scale, shift = draws(RandomAffine(input_size=(256, 256), recipe='mmpose'), shape)
    np.random.seed(1)
    theirs = BottomupRandomAffine(input_size=(256, 256))
    offsets, scales, angles, _ = zip(*[theirs._get_transform_params() for _ in range(600)])
    pairs = [
        (angle, angles),
        (scale, np.ravel(scales)),
        (shift[:, 0], np.array(offsets)[:, 0] * 500),
        (shift[:, 1], np.array(offsets)[:, 1] * 300),
    ]
    for ours, expected in pairs:
        assert stats.ks_2samp(ours, expected).pvalue > 0.01
    assert stats.kstest(shift[:, 0], stats.uniform(-100, 200).cdf).pvalue < 1e-4


def test_augmentation_of_the_reference_is_uniform_as_in_the_paper():
    angle, scale, shift = draws(RandomAffine(input_size=(256, 256)), (300, 500))
    assert stats.kstest(angle, stats.uniform(-30, 60).cdf).pvalue > 0.01
    assert stats.kstest(scale, stats.uniform(0.75, 0.75).cdf).pvalue > 0.01
    share = shift / (300 * scale[:, None])  # of the window's side
    assert stats.kstest(share.ravel(), stats.uniform(-0.2, 0.4).cdf).pvalue > 0.01


def test_the_mirror_of_each_recipe():
    assert RandomMirror().mirror == 'map' and RandomMirror(recipe='mmpose').mirror == 'input'


def test_an_ignored_loss_mask_counts_everywhere():
    results = dict(
        input_size=(64, 32), img_shape=(10, 10), warp_mat=np.eye(2, 3), invalid_segs=[[[0, 0, 10, 0, 10, 10, 0, 10]]]
    )
    ignored = LossMask(recipe='mmpose').transform(dict(results))['heatmap_mask']
    assert ignored.shape == (1, 8, 16) and ignored.all()
    assert not LossMask().transform(dict(results))['heatmap_mask'].any()
