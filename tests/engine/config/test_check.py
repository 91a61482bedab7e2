"""Mistakes in configs and in ``--cfg-options``: one line that names the option, before anything is built."""

import pytest
from mmengine.registry import MODELS, TRANSFORMS

from cid_mmpose.engine import launch
from cid_mmpose.engine.config.check import check_config
from tests.helpers.config_lines import CONFIG, derived, line_of
from tests.helpers.images import ROOT

ALL = sorted(path for path in (ROOT / 'configs').rglob('*.py') if '_base_' not in path.parts)
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


def test_the_check_builds_nothing(monkeypatch, tmp_path):
    for registry in (MODELS, TRANSFORMS):
        monkeypatch.setattr(registry, 'build', lambda *args, **kwargs: pytest.fail('something was built'))
    check_config(launch.load_config(CONFIG, str(tmp_path)), 'train')
