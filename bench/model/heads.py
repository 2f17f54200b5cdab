"""Published heads, for direct inference: features and maps → logits."""

from torch import Tensor, nn


class Convolution(nn.Module):
    """One convolution of the features, padded so that their size stays.

    Args:
        weight: (outputs, features, k, k, k), k odd.
        bias: (outputs,).
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        outputs, features, kernel = weight.shape[:3]
        self.conv = nn.Conv3d(features, outputs, kernel, padding=kernel // 2)
        self.conv.load_state_dict({"weight": weight, "bias": bias})

    def forward(self, features: Tensor, maps: list[Tensor]) -> Tensor:  # noqa: ARG002 (a head's signature)
        """Features (b, c, d, h, w) → logits (b, outputs, d, h, w)."""
        logits: Tensor = self.conv(features)
        return logits
