"""A backbone with a segmentation head."""

from torch import Tensor, nn

from voxbench.model.backbones import Backbone


class Segmenter(nn.Module):
    """Image (b, c, d, h, w) → logits (b, 1 + classes, d, h, w); channel 0 is background.

    Args:
        backbone: gives features at full resolution.
        classes: foreground classes.
    """

    def __init__(self, backbone: Backbone, classes: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Conv3d(backbone.out_channels, 1 + classes, kernel_size=1)

    def forward(self, image: Tensor) -> Tensor:
        """Logits of every voxel."""
        logits: Tensor = self.head(self.backbone(image))
        return logits
