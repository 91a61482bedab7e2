from .checkpoint import CheckpointHook
from .checkpoint_fit import CheckpointFitHook
from .finite import FiniteStepsHook
from .loss_curve import LOSS_CURVE, LossCurveHook
from .progress import ProgressHook
from .recipe import RecipeHook
from .run_lock import RunLockHook

__all__ = ['LOSS_CURVE', 'CheckpointFitHook', 'CheckpointHook', 'FiniteStepsHook', 'LossCurveHook', 'ProgressHook',
           'RecipeHook', 'RunLockHook']
