from .channels_last import ChannelsLastHook
from .loss_curve import LOSS_CURVE, LossCurveHook

__all__ = ['ChannelsLastHook', 'LOSS_CURVE', 'LossCurveHook']
