"""The prediction models of ValUES (Kahl et al., ICLR 2024), and one pass."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from voxbench.design.seeds import stream
from voxbench.errors import SpecError
from voxbench.model.stochastic import (
    RANK,
    DropoutSegmenter,
    LogitNormal,
    Stochastic,
    StochasticSegmenter,
)
from voxbench.predict.members import Pass, Subject, UncertaintyModel
from voxbench.predict.mirrored import flipped, flips
from voxbench.predict.native import Box
from voxbench.predict.window import Forward, inference


@dataclass(frozen=True)
class Softmax(UncertaintyModel):
    """One pass: the network's own probabilities."""

    def passes(self, subject: Subject) -> Iterator[Pass]:
        """The one."""
        with inference(subject.networks[0]) as forward:
            yield Pass(subject.prepared.image, forward)


@dataclass(frozen=True)
class Ensemble(UncertaintyModel):
    """A pass of each network of a cell's seeds (Lakshminarayanan et al., NeurIPS 2017)."""

    ensembles: ClassVar[bool] = True

    def passes(self, subject: Subject) -> Iterator[Pass]:
        """One a network."""
        if len(subject.networks) < 2:
            raise SpecError("ensemble: one network is none; run the sweep with at least 2 seeds.")
        for network in subject.networks:
            with inference(network) as forward:
                yield Pass(subject.prepared.image, forward)

    def runs(self, networks: int, mirrored: int) -> int:  # noqa: ARG002
        """One a network."""
        return networks


@dataclass(frozen=True)
class Dropout(UncertaintyModel):
    """Dropout that goes on at test time (Gal and Ghahramani, ICML 2016).

    Attributes:
        members: how many passes.
    """

    stochastic: ClassVar[Stochastic | None] = "dropout"
    members: int = 10

    def __post_init__(self) -> None:
        _require_members(self.members)

    def passes(self, subject: Subject) -> Iterator[Pass]:
        """Each with values dropped anew in every window."""
        network = subject.networks[0]
        if not isinstance(network, DropoutSegmenter):
            raise SpecError('dropout: trained without; set recipe.stochastic = "dropout".')
        with inference(network) as forward:
            network.dropout.train()
            for member in range(self.members):
                seed = stream("dropout", seed=subject.seed, member=member)
                yield Pass(subject.prepared.image, _seeded(forward, seed))

    def runs(self, networks: int, mirrored: int) -> int:  # noqa: ARG002
        """One a member."""
        return self.members


@dataclass(frozen=True)
class Augmented(UncertaintyModel):
    """Image and noisy image, each mirrored every way (Wang et al., Neurocomputing 2019).

    16 passes, or fewer where a class would become another along an axis: the axes of the task's
    mirroring alone are used.

    Attributes:
        noise: standard deviation of the one noise that is drawn, in those of the channel.
    """

    noise: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.noise < math.inf:
            raise ValueError(f"noise must be 0 or more, got {self.noise}")

    def passes(self, subject: Subject) -> Iterator[Pass]:
        """Every choice of axes, of the image as it is and with noise."""
        image = subject.prepared.image
        rng = np.random.default_rng(stream("noise", seed=subject.seed))
        with inference(subject.networks[0]) as forward:
            for noisy in (False, True):
                seen = image
                if noisy:
                    deviation = self.noise * image.std(axis=(1, 2, 3), keepdims=True)
                    seen = rng.standard_normal(image.shape, np.float32)
                    seen *= deviation
                    seen += image
                for axes in flips(subject.mirrored):
                    yield Pass(seen, flipped(forward, axes))

    def runs(self, networks: int, mirrored: int) -> int:  # noqa: ARG002
        """Both images, each mirrored every way."""
        return 2 << mirrored


@dataclass(frozen=True)
class StochasticSegmentation(UncertaintyModel):
    """Draws from a normal over the logits (Monteiro et al., NeurIPS 2020), of a single pass.

    Mean, factor and deviation are averaged over windows and interpolated; a member's common part
    is one draw for the whole case, its own one a voxel of the native grid. Every second member is
    the one before it mirrored at the mean, as in the authors' code, so that few members already
    have the mean's label: else wide normals leave to luck which class most members have.

    Attributes:
        members: how many draws.
    """

    stochastic: ClassVar[Stochastic | None] = "ssn"
    members: int = 10

    def __post_init__(self) -> None:
        _require_members(self.members)

    def passes(self, subject: Subject) -> Iterator[Pass]:
        """The one."""
        network = subject.networks[0]
        if not isinstance(network, StochasticSegmenter):
            raise SpecError('ssn: trained without; set recipe.stochastic = "ssn".')

        def draw(scores: Tensor, box: Box) -> Iterator[Tensor]:
            logits, place = LogitNormal.of_stacked(scores[None]), [side.start for side in box]
            for member in range(self.members):
                name, pair = subject.prepared.id, member // 2
                seed = stream("draw", seed=subject.seed, case=name, pair=pair)
                common = _normal((1, RANK), stream("common", seed=seed), scores.device)
                own_seed = stream("own", seed=seed, place=str(place))
                own = _normal(logits.mean.shape, own_seed, scores.device)
                side = -1 if member % 2 else 1
                yield logits.draw(side * common, side * own)[0].softmax(dim=0)

        with inference(network, network.stacked) as forward:
            yield Pass(subject.prepared.image, forward, draw)


def _require_members(members: int) -> None:
    if members < 1:
        raise ValueError(f"members must be at least 1, got {members}")


def _seeded(forward: Forward, seed: int) -> Forward:
    """A pass whose draws are its own, whatever else draws; of each batch others."""
    done = 0

    def run(windows: Tensor) -> Tensor:
        nonlocal done
        done += 1
        devices = [windows.device] if windows.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(stream("batch", seed=seed, batch=done))
            return forward(windows)

    return run


def _normal(shape: tuple[int, ...], seed: int, device: torch.device) -> Tensor:
    generator = torch.Generator(device).manual_seed(seed)
    return torch.randn(shape, generator=generator, device=device)
