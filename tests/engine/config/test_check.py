"""Mistakes in configs and in ``--cfg-options``: one line that names the option, before anything is built."""

import copy
from typing import Optional

import pytest
from mmengine.config import Config
from mmengine.registry import MODELS, TRANSFORMS

from cid_mmpose.engine import launch
from cid_mmpose.engine.config.check import check_config
from cid_mmpose.engine.config.errors import of_config
from cid_mmpose.engine.config.meta import Meta, check_meta
from cid_mmpose.engine.config.names import check_names
from cid_mmpose.engine.config.parts import check_options, parameters_of
from cid_mmpose.engine.config.values import fits, in_words
from cid_mmpose.errors import BadInput
from tests.helpers.images import ROOT, shared

CONFIG = str(ROOT / 'configs' / 'cid_hrnet-w32_coco.py')
ALL = sorted(path for path in (ROOT / 'configs').rglob('*.py') if '_base_' not in path.parts)
OPTIONAL_INT = Optional[int]  # noqa: UP045  older parts of the stack write it so

# words of --cfg-options -> what the one line says
MISTAKES = {
    'train_dataloader.batch_size=0': 'train_dataloader.batch_size must be a whole number of at least 1, got 0',
    'train_dataloader.batch_size=two': 'train_dataloader.batch_size must be a ',
    'train_dataloader.batch_size=2,2': 'train_dataloader.batch_size must be a whole number',
    'train_dataloader.batchsize=2': "unknown option 'batchsize'; did you mean 'batch_size'?",
    'train_dataloader.num_workers=-1': 'train_dataloader.num_workers must be a whole number of at least 0, got -1',
    'train_dataloader.num_workers=0': 'persistent_workers needs num_workers of at least 1',
    'train_dataloader.dataset=None': 'train_dataloader.dataset must be a dict with type, got None',
    'train_dataloader.dataset.type=cid_mmpose.CocoPeeple': "did you mean 'cid_mmpose.CocoPeople'?",
    'train_dataloader.dataset.annfile=x.json': "CocoPeople: unknown option 'annfile'; did you mean 'ann_file'?",
    'train_dataloader.dataset.data_prefix.imgs=x': "unknown option 'imgs'; did you mean 'img'?",
    'train_dataloader.dataset.pipeline.9.x=1': 'pipeline.9.x: Index 9 exceeds the length of list',
    'train_dataloader.dataset.pipeline.RandomAffine.inputsize=64,64': "option 'inputsize'; did you mean 'input_size'?",
    'train_dataloader.dataset.pipeline.RandomAffine.input_size=512': 'must be a list of whole numbers, got 512 ',
    'train_dataloader.dataset.pipeline.RandomAffine.input_size=500,500': 'must be multiples of 32 for HRNet, got (500',
    'train_dataloader.dataset.pipeline.RandomAffine.input_size=a,b': "must be a list of whole numbers, got ['a', 'b']",
    'train_dataloader.dataset.pipeline.GenerateTarget.encoder.stride=8': 'set codec.stride',
    'train_dataloader.dataset.pipeline.RandomAfine.scale=1,2': "no step 'RandomAfine'; did you mean 'RandomAffine'?",
    'train_dataloader.dataset.pipeline.RandomMirror.stride=8': '.2.stride must be 4, the stride of HRNet, got 8',
    'train_dataloader.dataset.pipeline.LossMask.stride=0': '.4.stride must be a whole number of at least 1, got 0',
    'train_dataloader.dataset.metainfo.from_file=gone.py': 'from_file: gone.py: no such file',
    'train_dataloader.sampler.shufle=True': "DefaultSampler: unknown option 'shufle'; did you mean 'shuffle'?",
    'train_dataloader.worker_init_fn.type=nonsense': (
        "worker_init_fn.type='nonsense': there is no function of this name"
    ),
    'train_dataloader.collate_fn.type=pseudo_colate': "did you mean 'pseudo_collate'?",
    'default_scope=mmdet': "no dataset of this name in the scope of this config; set default_scope='mmpose'",
    'train_dataloader=None': 'go together, and train_dataloader is None',
    'trian_cfg.max_epochs=1': "there is no setting 'trian_cfg'; did you mean 'train_cfg'?",
    'train_cfg.max_epochs=-1': 'train_cfg.max_epochs must be a whole number of at least 1, got -1',
    'train_cfg.max_epochs=ten': "train_cfg.max_epochs must be a whole number, got 'ten'",
    'train_cfg.max_epoch=1': "unknown option 'max_epoch'; did you mean 'max_epochs'?",
    'max_epochs=1': "there is no setting 'max_epochs'; did you mean 'train_cfg.max_epochs'?",
    'optim_wraper.optimizer.lr=0.1': "there is no setting 'optim_wraper'; did you mean 'optim_wrapper'?",
    'optim_wrapper.optimizer.lr=fast': 'optim_wrapper.optimizer.lr must be a number',
    'optim_wrapper.optimizer.lr=-1': 'optim_wrapper.optimizer.lr must be a number above 0, got -1',
    'optim_wrapper.optimizer.lr=nan': 'optim_wrapper.optimizer.lr must be a number',
    'optim_wrapper.optimizer.type=Adan': "there is no optimizer of this name; did you mean 'Adam'?",
    'optim_wrapper.optimizer.lrr=1': "Adam: unknown option 'lrr'; did you mean 'lr'?",
    'optim_wrapper.clip_grad.max_nrm=1': "unknown option 'max_nrm'; did you mean 'max_norm'?",
    'lr=0.1': "did you mean 'optim_wrapper.optimizer.lr'?",
    'param_scheduler.0.milestones=ten': "param_scheduler.0.milestones must be a list of whole numbers, got 'ten'",
    'param_scheduler=cosine': "param_scheduler must be a dict with type, got 'cosine'",
    'model=None': 'model must be a dict, with type',
    'model.backbone=None': 'model.backbone must be a dict, got None (CID)',
    'model.backbone.type=HRNt': "there is no model of this name; did you mean 'HRNet'?",
    'model.backbone.extra.stage2.num_chanels=4,8': "unknown option 'num_chanels'; did you mean 'num_channels'?",
    # its name in version 0.1.0
    'model.other_joints=fresh': "model: CID: unknown option 'other_joints'; did you mean 'other_keypoints'?",
    'model.head=None': 'model.head must be a dict with type, got None',
    'model.head.gfd_chanels=3': "model.head: CIDHead: unknown option 'gfd_chanels'; did you mean 'gfd_channels'?",
    'model.head.num_keypoints=14': 'model.head.num_keypoints is 14, but',
    'model.head.test.max_people=x': "model.head.test.max_people must be a whole number, got 'x'",
    'model.head.test.nmss=1': "(TestOptions): unknown option 'nmss'",
    'model.head.decoder=None': 'model.head.decoder must be a dict, got None',
    'model.data_preprocessor=None': 'model.data_preprocessor must be a dict with type, got None',
    'codec=3': 'codec must be a dict, got 3',
    'codec.strid=4': "SizeAdaptiveHeatmap: unknown option 'strid'; did you mean 'stride'?",
    'codec.stride=8': 'stride must be 4, the stride of HRNet, got 8',
    'recipe=refrence': "recipe: there is no 'refrence'",
    'recip=mmpose': "there is no setting 'recip'; did you mean 'recipe'?",
    'val_evaluator.type=CocoMetrik': "there is no metric of this name; did you mean 'CocoMetric'?",
    'val_evaluator.iou_type=bbox': 'val_evaluator.iou_type must be one of keypoints, keypoints_crowd',
    'val_evaluator=None': 'go together, and val_evaluator is None',
    'default_hooks.checkpoint.interval=0': 'interval must be a whole number of at least 1, or -1, got 0',
    'default_hooks.checkpoint.save_best=AP': "save_best='AP': val_evaluator gives no such figure, but coco/AP, ",
    'default_hooks.chekpoint.interval=5': "did you mean 'checkpoint'?",
    'custom_hooks=EMAHook': "custom_hooks must be a list or None, got 'EMAHook'",
    'custom_hooks=[1]': 'custom_hooks.0 must be a dict with type, got 1',
    'randomness.seed=x': "randomness.seed must be a whole number of at least 0, got 'x'",
    'randomness.sed=1': "unknown option 'sed'; did you mean 'seed'?",
    'log_level=FOO': "log_level must be one of CRITICAL, ERROR, WARNING, INFO, DEBUG, NOTSET, got 'FOO'",
    'default_scope=foo': "default_scope='foo': there is no package of this name",
    'env_cfg.cudnn_benchmrk=True': "unknown option 'cudnn_benchmrk'; did you mean 'cudnn_benchmark'?",
    'env_cfg.mp_cfg.mp_start_method=forkk': 'must be one of fork, spawn, forkserver',
    'vis_backends=TensorboardVisBackend': "vis_backends must be a list, got 'TensorboardVisBackend'",
    'visualizer.type=Visualiser': "did you mean 'Visualizer'?",
    'auto_scale_lr.enabled=True': "unknown option 'enabled'; did you mean 'enable'?",
    'load_from=5': 'load_from must be a text or None, got 5',
    'resume=maybe': "resume must be True or False, got 'maybe'",
    'data_root=/data': 'is a variable of the config, whose value has been used; set train_dataloader.dataset.data_root',
    'train_pipeline.1.scale=1,2': 'is a variable of the config, whose value has been used',
    'optim_wrapper.paramwise_cfg.norm_decay_mul=0': "unknown option 'norm_decay_mul'; did you mean 'norm_decay_mult'?",
    'optim_wrapper.paramwise_cfg.bias_lr_mult=two': "paramwise_cfg.bias_lr_mult must be a number, got 'two'",
    'optim_wrapper.paramwise_cfg.custom_keys.head.lrmult=2': "unknown option 'lrmult'; did you mean 'lr_mult'?",
    'optim_wrapper.paramwise_cfg.custom_keys.head=2': (
        'custom_keys.head must be a dict with lr_mult or decay_mult, got 2'
    ),
    'train_cfg.max_epochs=1000000000000': 'train_cfg.max_epochs must be at most 2147483647, got 1000000000000',
    'model.data_preprocessor.std=0,1,1': 'model.data_preprocessor.std.0 must be a number above 0, got 0',
    'default_hooks.checkpoint.rule=[greater,more]': 'default_hooks.checkpoint.rule must be one of greater, less, None',
    'custom_imports.imports=no_such_module': '--cfg-options: custom_imports: ',
    'launcher=slurm': 'give --launcher',
    'model.head.test=[1,2': 'Imbalanced brackets',
}


def line_of(words: str, config: str = CONFIG) -> str | None:
    """The one line with which a training is refused; None if it is not."""
    try:
        cfg = launch.load_config(config, cfg_options=launch.read_options(words.split()))
        with of_config(config):
            check_config(cfg, 'train')
    except BadInput as error:
        return str(error)
    return None


@pytest.mark.parametrize('words', MISTAKES)
def test_a_mistake_on_the_command_line_is_one_line_that_names_it(words):
    line = line_of(words)
    assert MISTAKES[words] in line and '\n' not in line and len(line) < 600


RIGHT = [
    'train_dataloader.batch_size=8',
    'train_cfg.max_epochs=2',
    'optim_wrapper.optimizer.lr=1e-4',
    'recipe=mmpose',
    'codec.rounding=nearest',
    'model.head.test.max_people=60',
    'train_dataloader.dataset.pipeline.LoadImage.type=cid_mmpose.LoadPicture',
    'test_dataloader.dataset.pipeline.ResizeImage.type=cid_mmpose.ResizePicture',
    'train_dataloader.dataset.pipeline.1.input_size=256,256',
    'optim_wrapper.optimizer.betas=0.9,0.99',
    'val_evaluator.use_area=False',
    'visualizer=None',
    'log_level=10',
    'default_hooks.checkpoint.interval=-1',
    'default_hooks.loss_curve=None',
    'optim_wrapper.clip_grad.max_norm=20',
    'param_scheduler.0.milestones=[1,2]',
    'load_from=w.pth',
    'randomness.seed=1',
    'work_dir=here',
    'model.test_cfg.flip_test=False',
    'train_dataloader.num_workers=4',
    'env_cfg.cudnn_benchmark=True',
    'auto_scale_lr.enable=True',
    'find_unused_parameters=True',
    'default_hooks.checkpoint.save_best=auto',
    'model.backbone.init_cfg=None',
    'codec.rounding=nearest model.head.cell_center=0.5',
    'test_evaluator.submission=results/person_keypoints_test-dev2017_mine_results.zip',
    'default_hooks.checkpoint.save_best=[coco/AP,coco/AR] default_hooks.checkpoint.rule=[greater,greater]',
    'optim_wrapper.paramwise_cfg.custom_keys.backbone.lr_mult=0.1',
    'optim_wrapper.paramwise_cfg.bypass_duplicate=True',
    'train_dataloader.dataset.data_root=None',
    'custom_imports.imports=[cid_mmpose,colorsys]',
    'train_dataloader.dataset.pipeline.RandomAffine.input_size=64,64 train_dataloader.dataset.pipeline=[]',
    'randomness.seed=4294967295',
    'optim_wrapper.type=cid_mmpose.BFloat16OptimWrapper optim_wrapper.insist=True',
]


@pytest.mark.parametrize('words', RIGHT)
def test_options_that_are_right_are_let_through(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert line_of(words) is None


def test_a_path_of_pathlib_is_taken_as_its_text(tmp_path):
    text = 'import pathlib\ntrain_dataloader = dict(dataset=dict(data_root=pathlib.Path("/data")))\ndel pathlib'
    cfg = launch.load_config(derived(tmp_path, text), str(tmp_path))
    assert cfg.train_dataloader.dataset.data_root == '/data' and "data_root='/data'" in cfg.pretty_text


@pytest.mark.parametrize('path', ALL, ids=lambda path: path.stem)
def test_every_config_of_the_project_is_right(path, tmp_path):
    part = 'test' if 'testdev' in path.stem else 'train'
    check_config(launch.load_config(str(path), str(tmp_path)), part)


def derived(tmp_path, text: str) -> str:
    own = tmp_path / 'own.py'
    own.write_text(f"_base_ = '{CONFIG}'\n{text}\n")
    return str(own)


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


KEYPOINTS = {
    0: dict(name='nose', id=0, swap=''),
    1: dict(name='left_ear', id=1, swap='right_ear'),
    2: dict(name='right_ear', id=2, swap='left_ear'),
}
META = dict(
    dataset_name='fox',
    keypoint_info=KEYPOINTS,
    skeleton_info={0: dict(link=('nose', 'left_ear'))},
    joint_weights=[1.0] * 3,
    sigmas=[0.05] * 3,
)


def test_sound_meta_information_gives_its_number_of_keypoints():
    assert check_meta(Meta('fox.py', META)) == 3


@pytest.mark.parametrize(
    'change, says',
    [
        (dict(skeleton_info={0: dict(link=('nose', 'tial'))}), "skeleton_info 0 links 'tial', which is no keypoint"),
        (dict(skeleton_info={0: dict(link=('nose', 'left_ea'))}), "no keypoint; did you mean 'left_ear'?"),
        (dict(skeleton_info={0: dict(link=('nose',))}), 'must be a dict with link=(keypoint, keypoint)'),
        (dict(joint_weights=None), 'joint_weights must have one number a keypoint: 3, got None'),
        (dict(joint_weights=[1.0] * 4), 'joint_weights must have one number a keypoint: 3, got 4'),
        (dict(joint_weights=[1.0, 1.0, -1.0]), 'joint_weights must have numbers of at least 0, got -1.0'),
        (dict(sigmas=[0.05] * 2), 'sigmas must have one number a keypoint: 3, got 2'),
        (dict(sigmas=[0.05, 0.05, 0]), 'sigmas must have numbers above 0, got 0'),
        (dict(sigmas=[0.05, 0.05, float('nan')]), 'sigmas must have numbers above 0, got nan'),
        (
            dict(keypoint_info={**KEYPOINTS, 2: dict(name='right_ear', swap='nose')}),
            "keypoint_info 1 (left_ear) swaps with 'right_ear', but that one with 'nose'",
        ),
        (
            dict(keypoint_info={**KEYPOINTS, 2: dict(name='right_ear', swap='ear')}),
            "swaps with 'ear', which is no keypoint",
        ),
        (dict(keypoint_info={**KEYPOINTS, 2: dict(name='nose')}), "has the name 'nose', which another keypoint has"),
        (dict(keypoint_info={0: KEYPOINTS[0], 2: KEYPOINTS[2]}), 'numbers and ids must count from 0'),
        (dict(keypoint_info={0: dict(name='nose', color=[1, 2])}), 'must be three whole numbers in [0, 255]'),
    ],
)
def test_meta_information_that_does_not_fit_together_is_named_by_its_field(change, says):
    with pytest.raises(BadInput) as caught:
        check_meta(Meta('fox.py', {**copy.deepcopy(META), **change}))
    assert str(caught.value).startswith('fox.py: ') and says in str(caught.value)


@pytest.mark.parametrize('field', META)
def test_a_missing_field_of_meta_information_is_named(field):
    with pytest.raises(BadInput, match=f'^fox.py: {field} is missing'):
        check_meta(Meta('fox.py', {name: value for name, value in META.items() if name != field}))


@pytest.mark.parametrize(
    'name, says',
    [
        ('fox_meta.py', None),
        ('meta_skel.py', "skeleton_info 2 links 'tial', which is no keypoint; did you mean 'tail'?"),
        ('meta_nojw.py', 'joint_weights is missing'),
        ('meta_sig7.py', 'sigmas must have one number a keypoint: 8, got 7'),
    ],
)
def test_the_meta_information_of_a_run_is_checked_before_training(name, says, tmp_path):
    file = shared('coco_mini').parents[1] / 'cases' / 'own_joints' / name
    own = derived(
        tmp_path,
        f"meta = dict(from_file='{file}')\n"
        'model = dict(metainfo=meta, head=dict(num_keypoints=8))\n'
        'train_dataloader = dict(dataset=dict(metainfo=meta))\n'
        'val_dataloader = dict(dataset=dict(metainfo=meta))\ntest_dataloader = val_dataloader',
    )
    line = line_of('', own)
    assert line == (says if says is None else f'{own}: {file}: {says}')


def test_a_model_with_the_meta_information_of_other_keypoints_is_refused(tmp_path):
    own = derived(tmp_path, "model = dict(metainfo=dict(from_file='configs/_base_/datasets/crowdpose.py'))")
    assert 'model.head.num_keypoints is 17, but configs/_base_/datasets/crowdpose.py of model.metainfo' in line_of(
        '', own
    )


class Parent:
    def __init__(self, size: int, kind='round', rate=0.5) -> None:
        pass


class Child(Parent):
    def __init__(self, colour: str | None = None, **kwargs) -> None:
        super().__init__(**kwargs)


class Taker:
    def __init__(self, **kwargs) -> None:
        pass


def test_options_are_those_of_the_class_and_of_its_parents_as_far_as_they_are_handed_on():
    assert list(parameters_of(Child).names) == ['colour', 'size', 'kind', 'rate']
    assert parameters_of(Parent).names.keys() == {'size', 'kind', 'rate'}
    check_options(dict(size=3, rate=1, colour=None), Child, 'x', 'Child')
    check_options(dict(anything=1), Taker, 'x', 'Taker')


@pytest.mark.parametrize(
    'options, says',
    [
        (dict(siz=3), "x: Child: unknown option 'siz'; did you mean 'size'?"),
        (dict(size='3'), "x.size must be a whole number, got '3'"),
        (dict(size=3, colour=5), 'x.colour must be a text or None'),
        (dict(size=3, rate='fast'), "x.rate must be a number, got 'fast'"),
    ],
)
def test_an_option_is_held_against_annotation_and_default(options, says):
    with pytest.raises(BadInput) as caught:
        check_options(options, Child, 'x', 'Child')
    assert str(caught.value).startswith(says)


def test_the_check_builds_nothing(monkeypatch, tmp_path):
    for registry in (MODELS, TRANSFORMS):
        monkeypatch.setattr(registry, 'build', lambda *args, **kwargs: pytest.fail('something was built'))
    check_config(launch.load_config(CONFIG, str(tmp_path)), 'train')


@pytest.mark.parametrize(
    'value, kind, right',
    [
        (3, int, True),
        (True, int, False),
        (3.0, int, False),
        (3, float, True),
        (float('nan'), float, False),
        ([1, 2], tuple, True),
        ('ab', list, False),
        (None, int | None, True),
        (None, OPTIONAL_INT, True),
        ('x', OPTIONAL_INT, False),
    ],
)
def test_kinds_are_told_apart(value, kind, right):
    assert fits(value, kind) is right


def test_kinds_are_said_in_words():
    assert in_words(OPTIONAL_INT) == 'a whole number or None'
