from .checkpoint_fit import CheckpointFitHook
from .loss_curve import LOSS_CURVE, LossCurveHook
from .recipe import RecipeHook

__all__ = ['LOSS_CURVE', 'CheckpointFitHook', 'LossCurveHook', 'RecipeHook']
