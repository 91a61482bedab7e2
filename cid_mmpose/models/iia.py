"""Instance Information Abstraction (section 3.2): everyone's keypoints and centers in one set of maps.

Only the maps are here. Of {f, l} = IIA(F) (eq. 3) the centers l are read by ``roots.py`` and the vectors f by
``features.py``; ``CIDHead.forward`` calls both.
"""

import math

from torch import Tensor, nn

PRIOR = 0.01  # probability that an untrained map gives every cell; source: the authors' BIAS_PROB
INIT_STD = 0.001  # source: the authors' initialisation of the head


def init_linear(module: nn.Module, std: float | None = INIT_STD) -> None:
    """Normal weights and zero bias for a convolution or linear layer; other modules are left as they are.

    Args:
        module: any module.
        std: of the weights, as the authors start their head; None takes the inverse root of the number of inputs.
    """
    if not isinstance(module, (nn.Conv2d, nn.Linear)):
        return
    if std is None:
        nn.init.kaiming_normal_(module.weight, nonlinearity='linear')
    else:
        nn.init.normal_(module.weight, std=std)
    if module.bias is not None:
        nn.init.zeros_(module.bias)


def init_heatmap(conv: nn.Conv2d) -> None:
    """Starts a heatmap convolution at the prior, so that the many empty cells do not outweigh all else at first.

    Args:
        conv: whose outputs are logits of heatmaps.
    """
    init_linear(conv)
    assert conv.bias is not None
    nn.init.constant_(conv.bias, -math.log((1 - PRIOR) / PRIOR))


class IIA(nn.Module):
    """HM_center of eq. 6 and the crowd's keypoints of eq. 14 as one 1x1 convolution: F -> K + 1 maps.

    Args:
        in_channels: C of F.
        num_keypoints: K.
    """

    def __init__(self, in_channels: int, num_keypoints: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, num_keypoints + 1, 1)
        init_heatmap(self.conv)

    def forward(self, features: Tensor) -> Tensor:
        """Everyone's maps.

        Args:
            features: F, (B, C, H, W).

        Returns:
            Logits (B, K + 1, H, W); the K keypoints first, the center map last.
        """
        return self.conv(features)
