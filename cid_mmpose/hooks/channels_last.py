"""Channels-last weights for the backbone."""
import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from cid_mmpose.registry import HOOKS


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Keeps the backbone's weights, and so its maps, channel by channel at each pixel; the numbers stay the same.

    Convolutions on CPUs and on GPUs with tensor cores are faster so, most of all in half precision.
    """

    def before_run(self, runner: Runner) -> None:
        """Converts the weights once; the maps follow them."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        model.backbone.to(memory_format=torch.channels_last)
