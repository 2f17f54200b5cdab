"""The negative control: a trained model's weights, shuffled."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from voxbench.api import BaselineCard, Pretrained, Settings, TaskCard

if TYPE_CHECKING:
    from torch import Tensor
    from voxbench.toolkit import Backbone, Objective, Pretraining

_NAME = "negative-control"
_SCALES = ("initial", "trained")


@dataclass(frozen=True, kw_only=True)
class NegativeControl(Pretrained):
    """The layer statistics of a model that was pre-trained here, and no structure.

    It should come out as scratch does; where it doesn't, the statistics find differences where
    there are none. Nothing is trained for it beyond its donor, whose cost is its cost; a donor that
    is an arm of the sweep with a `pretraining` of its own is trained by that.

    Training leaves kernels larger than initialisation does, and larger kernels learn more slowly
    at the same learning rate, whatever they hold. So the control has the scale of initialisation;
    with the trained scale it shows what scale alone does to a pre-trained arm.

    Attributes:
        of: the donor, any other baseline that is pre-trained here, with its own defaults.
        scale: the kernels' norms, "initial" or "trained", the donor's.
    """

    of: str = "supervised"
    scale: str = "initial"

    card: ClassVar[BaselineCard] = BaselineCard(
        name=_NAME,
        strategy="control",
        licence="of the source",
        reference="Raghu et al., Transfusion, NeurIPS 2019 (Mean Var initialisation)",
    )
    needs_labels: ClassVar[bool] = True  # the usual donor does
    recipes: ClassVar[Mapping[str, Settings]] = {"small": Settings(), "published": Settings()}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.of == _NAME:
            raise ValueError(f"of must be another baseline, got {self.of!r}")
        if self.scale not in _SCALES:
            raise ValueError(f"scale must be one of {', '.join(_SCALES)}, got {self.scale!r}")

    @property
    def donor(self) -> tuple[str, Mapping[str, Any]]:
        """The trained model of the same network, source, volumes and recipe."""
        names = ("architecture", "size", "source", "volumes", "recipe")
        return self.of, {name: getattr(self, name) for name in names}

    @property
    def schedule(self) -> Mapping[str, Any]:
        """Its donor's."""
        return self._found().schedule

    def unfit_schedule(self, schedule: "Pretraining") -> str | None:
        """The scale of initialisation is that of cubic kernels."""
        if schedule.anisotropic and self.scale != "trained":
            return 'pretraining.anisotropic: only scale = "trained" can have other kernels.'
        return None

    def objective(self, backbone: "Backbone", source: TaskCard) -> "Objective":
        """Its donor's."""
        return self._found().objective(backbone, source)

    def finish(
        self, tensors: "Mapping[str, Tensor]", source: TaskCard, seed: int
    ) -> "Mapping[str, Tensor]":
        """The donor's tensors, each permuted, the kernels at the scale that is asked for."""
        from voxbench_baselines.objectives.permute import permuted, rescaled

        shuffled = permuted(tensors, seed)
        if self.scale == "trained":
            return shuffled
        return rescaled(shuffled, self._initial(len(source.channels), seed))

    def _found(self) -> Pretrained:
        from voxbench.toolkit import Ref, find_baseline

        donor = find_baseline(Ref.of(*self.donor))
        assert isinstance(donor, Pretrained)  # noqa: S101 (the engine has refused others)
        return donor

    def _initial(self, channels: int, seed: int) -> "Mapping[str, Tensor]":
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.backbone(channels).state_dict()
