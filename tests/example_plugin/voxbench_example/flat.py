"""A network of two convolutions at one resolution."""

from torch import Tensor, nn
from voxbench.api import Architecture
from voxbench.toolkit import Backbone, Decoder, Encoder


class FlatEncoder(Encoder):
    """One map, at the image's resolution."""

    strides = (1,)
    stages = [("down.",)]  # noqa: RUF012

    def __init__(self, width: int, in_channels: int) -> None:
        super().__init__()
        self.channels = (width,)
        self.down = nn.Conv3d(in_channels, width, 3, padding=1)

    def forward(self, x: Tensor) -> list[Tensor]:
        return [self.down(x).relu()]


class FlatDecoder(Decoder):
    """Features of that map."""

    stages = [("up.",)]  # noqa: RUF012

    def __init__(self, width: int) -> None:
        super().__init__()
        self.out_channels = width
        self.up = nn.Conv3d(width, width, 3, padding=1)

    def forward(self, maps: list[Tensor]) -> Tensor:
        features: Tensor = self.up(maps[0]).relu()
        return features


FLAT = Architecture(
    "example-flat",
    {"thin": 4, "wide": 16},
    lambda width, in_channels: Backbone(FlatEncoder(width, in_channels), FlatDecoder(width)),
)
