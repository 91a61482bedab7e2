from .checkpoint import CheckpointHook
from .checkpoint_fit import CheckpointFitHook
from .evaluation import EvaluationHook
from .finite import FiniteStepsHook
from .loss_curve import LOSS_CURVE, LossCurveHook
from .progress import ProgressHook
from .random_stream import RandomStreamHook
from .recipe import RecipeHook
from .run_lock import RunLockHook

__all__ = [
    'LOSS_CURVE',
    'CheckpointFitHook',
    'CheckpointHook',
    'EvaluationHook',
    'FiniteStepsHook',
    'LossCurveHook',
    'ProgressHook',
    'RandomStreamHook',
    'RecipeHook',
    'RunLockHook',
]
