"""What a loss of heatmaps must be able to do, so that it can be formed from a few people and rows at a time.

N images or people, K maps of each, (H, W) heatmap cells, h rows of them.
"""

from abc import ABC, abstractmethod

from torch import Tensor, nn


class HeatmapLoss(nn.Module, ABC):
    """A sum over the cells of maps; each map has a share, which is known from the targets alone.

    The crowd's maps are there as a whole, and the head calls the module. Of people's maps only some rows of a few
    people are there at a time (``fast/person_loss.py``): ``shares`` is called once for everyone, ``sum_of_cells`` for
    each part, and the parts are added up. Both ways give the same number.

    A class of your own has these two methods, and no parameters that learn.
    """

    @abstractmethod
    def shares(self, num_peaks: Tensor) -> Tensor:
        """What the sum of each map is multiplied with.

        Args:
            num_peaks: (N, K), cells of each map whose target is 1 and that count.

        Returns:
            (N, K), or what broadcasts to it; the weight of the loss is part of it.
        """

    @abstractmethod
    def sum_of_cells(self, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """The sum over cells, in which no cell depends on another one.

        Args:
            logits: (n, K, h, W), any float type.
            target: the same shape, in [0, 1].
            weight: broadcasts over the maps; 0 where a cell or a map does not count.

        Returns:
            A float32 scalar, differentiable once in the logits; 0 for nobody.
        """

    def forward(self, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """The loss of whole maps.

        Args:
            logits: (N, K, H, W).
            target: the same shape, in [0, 1].
            weight: broadcasts over the maps; 0 where a cell or a map does not count.

        Returns:
            A float32 scalar.
        """
        shares = self.shares(count_peaks(target, weight))
        return self.sum_of_cells(logits, target, weight * shares[..., None, None])


def count_peaks(target: Tensor, weight: Tensor) -> Tensor:
    """How many cells of each map are a peak and count.

    Args:
        target: (..., H, W), 1 at a peak.
        weight: broadcasts over it.

    Returns:
        (...).
    """
    return (target.eq(1) * weight).sum((-2, -1))
