"""Sees to it that the recipe a config names is the one that runs."""
from mmengine.hooks import Hook
from mmengine.runner import Runner

from cid_mmpose.errors import BadInput
from cid_mmpose.recipes import DEFAULT, parts_in
from cid_mmpose.registry import HOOKS


@HOOKS.register_module()
class RecipeHook(Hook):
    """Stops a run whose config asks for another recipe than its parts were built with.

    The word ``recipe`` reaches the parts through ``tools/train.py`` and ``tools/test.py`` (and so through mim). Another
    program that builds a runner from the config would quietly take the default instead.

    Raises:
        BadInput: says how to start the run.
    """

    def before_run(self, runner: Runner) -> None:
        """Called before training and testing."""
        recipe = runner.cfg.get('recipe', DEFAULT)
        bare = sorted({part['type'] for part in parts_in(runner.cfg.to_dict()) if 'recipe' not in part})
        if recipe != DEFAULT and bare:
            raise BadInput(f'recipe={recipe!r} of the config has not reached {", ".join(bare)}; start the run with '
                           'tools/train.py, tools/test.py or mim, or call cid_mmpose.recipes.apply_recipe(cfg) first')
