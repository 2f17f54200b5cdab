"""What every network is made of: an encoder, a decoder, and their stages in order."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from math import ceil, prod

from torch import Tensor, nn

from voxbench.design.kernels import Level, Scale, scales
from voxbench.errors import SpecError


class Encoder(nn.Module):
    """Image (b, c, d, h, w) → feature maps, finest first.

    Attributes:
        channels: of each feature map.
        strides: of each feature map against the image; the largest, where its axes differ.
        shaped: kernels and strides of the levels, where the voxel size may decide them.
        stages: parameter-name prefixes, from the stem on; every parameter in exactly one.
        bottleneck: voxels that the coarsest map needs in training: 2 where instance norm
            takes its statistics there.
    """

    channels: tuple[int, ...]
    strides: tuple[int, ...]
    shaped: Sequence[Level] = ()
    stages: list[tuple[str, ...]]
    bottleneck: int = 1

    @property
    def scales(self) -> tuple[Scale, ...]:
        """Voxels of the image to one of each feature map, along each axis."""
        return scales(self.shaped) or tuple((n, n, n) for n in self.strides)


class Decoder(nn.Module):
    """Feature maps, finest first → (b, out_channels, d, h, w) at the image's resolution.

    Attributes:
        out_channels: of the result.
        widths: channels of each map of `pyramid`, finest first; () where it has one map alone.
        scales: of each map of `pyramid`.
        stages: parameter-name prefixes, from the coarsest on.
    """

    out_channels: int
    widths: tuple[int, ...] = ()
    scales: tuple[Scale, ...] = ()
    stages: list[tuple[str, ...]]

    def pyramid(self, maps: list[Tensor]) -> list[Tensor]:
        """The result, and what it was made of level by level, finest first."""
        return [self(maps)]


class Backbone(nn.Module):
    """An encoder and a decoder: image (b, c, d, h, w) → features (b, out_channels, d, h, w).

    Attributes:
        encoder: what weights are pre-trained for, and what the load audit counts.
        decoder: back to full resolution.
        out_channels: of the features.
        multiples: what each axis of a patch must be a multiple of.
        divisor: the largest of them.
    """

    def __init__(self, encoder: Encoder, decoder: Decoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.out_channels = decoder.out_channels
        self.multiples = encoder.scales[-1]
        self.divisor = max(self.multiples)

    def forward(self, image: Tensor) -> Tensor:
        """Features of every voxel."""
        features: Tensor = self.decoder(self.encoder(image))
        return features

    def pyramid(self, image: Tensor) -> list[Tensor]:
        """Features of every voxel, and the decoder's coarser maps, finest first."""
        return self.decoder.pyramid(self.encoder(image))

    def stages(self) -> list[tuple[str, ...]]:
        """Prefixes of parameter names, from the stem to the last decoder stage."""
        return [
            tuple(f"{part}.{prefix}" for prefix in stage)
            for part, module in (("encoder", self.encoder), ("decoder", self.decoder))
            for stage in module.stages
        ]

    @property
    def smallest_patch(self) -> tuple[int, int, int]:
        """A small patch that this network can be trained on, 32 voxels wide or more."""
        side = self.divisor * ceil(32 / self.divisor)
        single = side // self.divisor == 1 and self.encoder.bottleneck > 1
        return side, side, 2 * side if single else side

    def check_supervision(self) -> None:
        """Refuse deep supervision where there is nothing to supervise.

        As in nnU-Net the coarsest map of a decoder is left out.

        Raises:
            SpecError: the decoder tells of no map between its finest and its coarsest.
        """
        if len(self.decoder.widths) < 3:
            raise SpecError(
                "deep_supervision: this network's decoder has no map between its finest and its "
                "coarsest that could be supervised; leave it out, or take another architecture or "
                "a larger size."
            )

    def check_patch(self, patch: Sequence[int]) -> None:
        """Refuse a patch that this network can't be trained on.

        Raises:
            SpecError: an axis is no multiple of the divisor, or the coarsest map is too small.
        """
        coarsest = [divmod(axis, n) for axis, n in zip(patch, self.multiples, strict=True)]
        if any(rest for _, rest in coarsest):
            uneven = len(set(self.multiples)) > 1
            told = self.multiples if uneven else f"{self.divisor} voxels along every axis"
            raise SpecError(f"patch {tuple(patch)}: this network needs multiples of {told}.")
        if prod(side for side, _ in coarsest) < self.encoder.bottleneck:
            raise SpecError(
                f"patch {tuple(patch)}: this network sees a single voxel at its coarsest level; "
                f"make one axis at least {2 * self.divisor}."
            )


def layers(**layers: nn.Module) -> nn.Sequential:
    """Layers that follow one another, under the names that their weights are published with."""
    return nn.Sequential(OrderedDict(layers))


def maps_of(levels: Iterable[nn.Module], x: Tensor) -> list[Tensor]:
    """What each level makes of the one before: feature maps, finest first."""
    maps = []
    for level in levels:
        x = level(x)
        maps.append(x)
    return maps
