from .channels_last import ChannelsLastHook
from .checkpoint_fit import CheckpointFitHook
from .loss_curve import LOSS_CURVE, LossCurveHook

__all__ = ['LOSS_CURVE', 'ChannelsLastHook', 'CheckpointFitHook', 'LossCurveHook']
