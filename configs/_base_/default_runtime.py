default_scope = 'mmpose'
recipe = 'reference'  # the authors' code; 'mmpose' is MMPose's port of it: docs/recipes.md
custom_imports = dict(imports=['cid_mmpose'], allow_failed_imports=False)  # so that MMPose's own tools run this too

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='cid_mmpose.CheckpointHook', interval=1, max_keep_ckpts=3, save_best='coco/AP', rule='greater'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='PoseVisualizationHook', enable=False),
    # beside mmengine's own, so that custom_hooks stays free for yours; None switches one off
    sync_buffers=dict(type='SyncBuffersHook'),
    run_lock=dict(type='cid_mmpose.RunLockHook'),  # one training at a time in a work folder
    recipe=dict(type='cid_mmpose.RecipeHook'),
    finite=dict(type='cid_mmpose.FiniteStepsHook', max_in_a_row=10),  # skips NaN steps; so many in a row stop the run
    random_stream=dict(type='cid_mmpose.RandomStreamHook'),  # resumed runs have the losses of runs that went on
    evaluation=dict(type='cid_mmpose.EvaluationHook'),  # refuses NaN
    loss_curve=dict(type='cid_mmpose.LossCurveHook'))

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'))  # cid train takes gloo where there is no GPU
vis_backends = [dict(type='LocalVisBackend')]  # the losses as JSON lines
visualizer = dict(type='PoseLocalVisualizer', vis_backends=vis_backends, name='visualizer')
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=True, num_digits=6)
log_level = 'INFO'
load_from = None
resume = False

val_cfg = dict()
test_cfg = dict()
