"""One training run at a time in a work folder."""

from contextlib import ExitStack

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner

from cid_mmpose.files import only_run_in
from cid_mmpose.registry import HOOKS


@HOOKS.register_module()
class RunLockHook(Hook):
    """Holds the work folder of a training run, so that two runs do not overwrite each other's checkpoints.

    ``cid train`` does so before anything is built; this hook is for other programs. Testing locks nothing.

    Raises:
        BadInput: another process trains into the folder.
    """

    priority = 'HIGHEST'

    def __init__(self) -> None:
        self.held = ExitStack()

    @master_only
    def before_run(self, runner: Runner) -> None:
        """Takes the folder if this is a training."""
        if isinstance(runner._train_loop, BaseLoop):
            self.held.enter_context(only_run_in(runner.work_dir))

    @master_only
    def after_run(self, runner: Runner) -> None:
        """Lets it go; so does the end of the process."""
        self.held.close()
