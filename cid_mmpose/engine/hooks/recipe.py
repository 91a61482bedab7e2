"""Sees to it that the recipe a config names is the one that runs."""

import logging

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner

from cid_mmpose.codecs import STRIDE
from cid_mmpose.errors import BadInput
from cid_mmpose.recipes import DEFAULT, check_settings, codecs_in, mixed_recipes, parts_in, steps_in_cells
from cid_mmpose.registry import HOOKS

WAY_OUT = 'start the run with cid train, cid test or mim, or call cid_mmpose.recipes.apply_recipe(cfg) first'


@HOOKS.register_module()
class RecipeHook(Hook):
    """Stops a run whose config asks for another recipe or codec than its parts were built with; warns of mixed recipes.

    The words ``recipe`` and ``codec`` reach the parts through ``cid train`` and ``cid test`` (and so through
    mim). Another program that builds a runner from the config would quietly take the default instead.

    Raises:
        BadInput: says how to start the run.
    """

    def before_run(self, runner: Runner) -> None:
        """Called before training and testing."""
        cfg = runner.cfg.to_dict()
        check_settings(cfg)
        recipe, codec = cfg.get('recipe', DEFAULT), cfg.get('codec')
        bare = sorted({part['type'] for part in parts_in(cfg) if 'recipe' not in part})
        without_codec = any(part.get(name) != value for part in codecs_in(cfg) for name, value in codec.items())
        without_stride = any(step.get('stride', STRIDE) != codec['stride'] for step in steps_in_cells(cfg))
        if without_codec or without_stride:
            raise BadInput(f'codec of the config has not reached its head and pipelines; {WAY_OUT}')
        if recipe != DEFAULT and bare:
            raise BadInput(f'recipe={recipe!r} of the config has not reached {", ".join(bare)}; {WAY_OUT}')
        if mixed := mixed_recipes(cfg):
            print_log(f'cid_mmpose: {mixed}', 'current', logging.WARNING)
