"""The hooks that keep a run safe, also for configs that do not start from those of this project."""

from mmengine.config import Config

# name among default_hooks -> type; None in a config switches one off
RUN_HOOKS = dict(
    run_lock='cid_mmpose.RunLockHook',
    finite='cid_mmpose.FiniteStepsHook',
    random_stream='cid_mmpose.RandomStreamHook',
    evaluation='cid_mmpose.EvaluationHook',
)
CHECKPOINT = 'cid_mmpose.CheckpointHook'
PLAIN_CHECKPOINT = ('CheckpointHook', 'mmengine.CheckpointHook')


def add_run_hooks(cfg: Config) -> None:
    """Adds the hooks that a config does not name, and takes our checkpoint hook for mmengine's; in place.

    Args:
        cfg: a config with the command line's options in it.
    """
    hooks = cfg.get('default_hooks')
    if hooks is None:
        hooks = {}
    if not isinstance(hooks, dict):
        return  # of a wrong kind: the check of the config says so

    added = {name: dict(type=kind) for name, kind in RUN_HOOKS.items() if name not in hooks}
    saving = hooks.get('checkpoint', dict(type=CHECKPOINT, interval=1))
    if isinstance(saving, dict) and saving.get('type') in PLAIN_CHECKPOINT:
        saving = dict(saving, type=CHECKPOINT)
    cfg.default_hooks = dict(hooks, checkpoint=saving, **added)
