"""The recipe: how every arm of a sweep is trained, the same for all."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from voxbench.design.preprocessing import Millimetres
from voxbench.errors import SpecError, first_rule, unknown

Voxels = Annotated[int, Field(ge=8, le=512, strict=True)]
_LATER = {
    "momentum": None,
    "gradient_clip": None,
    "devices": 1,
    "micro_batch": None,
    "deep_supervision": False,
    "spacing": None,
    "stochastic": None,
    "raters": None,
    "test_time_mirroring": False,
    "dummy_2d": False,
    "anisotropic": False,
}
MOVED = frozenset({"spatial", "full"})
"""The levels of augmentation that turn and scale patches."""
_COMPUTED = {"compile": False, "channels_last": False}


class _Schedule(BaseModel):
    """What fine-tuning and pre-training have in common.

    Attributes:
        steps: optimiser steps.
        batch: patches a step.
        patch: voxels of a patch along each axis.
        optimiser: AdamW, or SGD with Nesterov momentum.
        momentum: of SGD; 0.99 if not given. AdamW has none.
        learning_rate: after warm-up.
        weight_decay: of the optimiser.
        warmup: share of the steps in which the learning rate rises linearly from 0.
        schedule: of the learning rate after warm-up: along a cosine or (1 − progress)^0.9 to 0, or
            constant.
        gradient_clip: norm that the gradient of all parameters is scaled down to where it is
            larger; not given clips nothing.
        augmentation: full is nnU-Net v2's list; spatial is its rotation, scaling and mirroring
            without the changes of intensity; light is mirroring and a small change of scale and
            offset.
        dummy_2d: where the voxels are three times as long or longer along one axis than along the
            next, patches are turned (by up to 180°) and scaled in the plane of the slices alone,
            and their resolution is lowered in it alone, as in nnU-Net; elsewhere nothing changes.
        anisotropic: kernels and strides follow the voxel size as nnU-Net plans them: one voxel
            wide and not halving along an axis with voxels twice as long as along the shortest, or
            longer, until those are no more; the same for an arm and its twin. Refused where a
            network, or the weights it begins with, have one form.
        precision: of the forward pass; bf16 and 16 are mixed with 32.
        compile: run the network through `torch.compile`.
        channels_last: memory layout of the network's tensors.
        devices: GPUs of one machine, or on a processor processes, that share the patches of each
            step evenly; the batch stays what it is, and so does the result.
        micro_batch: patches that a device computes at once, whose gradients add up to those of its
            share of the batch: less memory for the same result. Not given computes all at once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    steps: int = Field(gt=0, le=1_000_000)
    batch: int = Field(default=2, gt=0, le=256)
    patch: Annotated[tuple[Voxels, Voxels, Voxels], Field(strict=False)] = (96, 96, 96)
    optimiser: Literal["adamw", "sgd"] = "adamw"
    momentum: float | None = Field(default=None, ge=0, lt=1)
    learning_rate: float = Field(default=1e-3, gt=0, le=10)
    weight_decay: float = Field(default=1e-5, ge=0, le=1)
    warmup: float = Field(default=0.1, ge=0, lt=1)
    schedule: Literal["cosine", "poly", "constant"] = "cosine"
    gradient_clip: float | None = Field(default=None, gt=0)
    augmentation: Literal["none", "light", "spatial", "full"] = "full"
    dummy_2d: bool = False
    anisotropic: bool = False
    precision: Literal["32", "bf16", "16"] = "32"
    compile: bool = False
    channels_last: bool = False
    devices: int = Field(default=1, gt=0, le=64)
    micro_batch: int | None = Field(default=None, gt=0)

    @property
    def parts(self) -> int:
        """In how many parts the batch of a step is computed, on all devices together."""
        return self.batch // self.micro_batch if self.micro_batch else self.devices

    @model_validator(mode="after")
    def _has_momentum(self) -> Self:
        if self.momentum is not None and self.optimiser != "sgd":
            raise ValueError(f"momentum: {self.optimiser} has none; leave it out, or take sgd")
        return self

    @model_validator(mode="after")
    def _is_moved(self) -> Self:
        if self.dummy_2d and self.augmentation not in MOVED:
            raise ValueError(
                f"dummy_2d: augmentation {self.augmentation!r} neither turns nor scales; leave it "
                'out, or take "full" or "spatial"'
            )
        return self

    @model_validator(mode="after")
    def _is_shared_evenly(self) -> Self:
        share, rest = divmod(self.batch, self.devices)
        if rest:
            raise ValueError(
                f"devices: {self.devices} can't share a batch of {self.batch} evenly; take a "
                "divisor of it"
            )
        if self.micro_batch is not None and share % self.micro_batch:
            raise ValueError(
                f"micro_batch: {self.micro_batch} does not divide the {share} patches of a "
                "device's share of the batch; take a divisor"
            )
        return self

    @model_serializer(mode="wrap")
    def _told(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without the keys that came later and have their default: keys of cells hash the rest."""
        told: dict[str, Any] = handler(self)
        return {k: value for k, value in told.items() if k not in _LATER or value != _LATER[k]}


def over(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of two schedules, the second before the first, without what goes with others.

    Momentum goes with the optimiser that has it, dummy 2D with an augmentation that turns patches.
    """
    silent = {"momentum"} if own.get("optimiser", "sgd") != "sgd" else set[str]()
    silent |= {"dummy_2d"} if str(own.get("augmentation", "full")) not in MOVED else set()
    return {**{key: value for key, value in base.items() if key not in silent}, **own}


def deciding(told: Mapping[str, Any]) -> dict[str, Any]:
    """What of a schedule decides a result, for keys: all but how it is computed.

    Devices, micro-batches, compilation and memory layout change results by the order of sums
    alone; the keys of cells that say nothing of them hold the defaults of the latter two.

    Args:
        told: the schedule as JSON.
    """
    return {k: v for k, v in told.items() if k not in {"devices", "micro_batch"}} | _COMPUTED


class Recipe(_Schedule):
    """Fine-tuning: a fixed number of optimiser steps at every fraction and for every arm.

    Attributes:
        spacing: voxel size in mm of the grid that networks work on, in place of the task's own; an
            arm whose weights demand a grid, and its twin, keep that.
        loss: softmax Dice plus cross-entropy, or either alone.
        deep_supervision: the loss is taken of the decoder's coarser maps too, through heads that
            are dropped after training: each level counts half of the one above, the coarsest not
            at all (nnU-Net). Refused where a network has no such maps.
        stochastic: "dropout" drops half of the values of the maps that the encoder hands to the
            decoder and of the features before the head; "ssn" trains a stochastic segmentation
            network, a normal over the logits, by the likelihood of whole label maps in place of
            `loss`. Not given trains neither.
        raters: whose label map a patch is trained on where several raters annotated its case:
            "random" draws one a patch, "all" takes one after another, so that all count alike. Not
            given takes the label that the task makes of them, which patches are centred on and
            weights are selected by in any case.
        foreground: share of patches centred on a random voxel of a random class.
        selection: "last" scores the final weights; "best" those with the best validation Dice.
        validations: how often training looks at the validation cases: all of them to select the
            "best", else windows that stand for them, at most every 25 steps, which changes nothing.
        head_share: of the steps, that `adaptation = "warmup"` trains the head alone.
        layer_decay: factor a stage by which `adaptation = "layerwise"` lowers the rate.
        test_time_mirroring: the logits of a window are the mean over its mirrored copies, along the
            axes that training may mirror too; 2, 4 or 8 passes in place of one.
        overlap: of neighbouring windows at inference.
        windows: windows a forward pass at inference.
    """

    steps: int = Field(default=2000, gt=0, le=1_000_000)
    spacing: Annotated[tuple[Millimetres, Millimetres, Millimetres], Field(strict=False)] | None = (
        None
    )
    loss: Literal["dice_ce", "dice", "ce"] = "dice_ce"
    deep_supervision: bool = False
    stochastic: Literal["dropout", "ssn"] | None = None
    raters: Literal["random", "all"] | None = None
    foreground: float = Field(default=0.67, ge=0, le=1)
    selection: Literal["last", "best"] = "last"
    validations: int = Field(default=10, gt=0, le=1000)
    head_share: float = Field(default=0.2, gt=0, lt=1)
    layer_decay: float = Field(default=0.75, gt=0, le=1)
    test_time_mirroring: bool = False
    overlap: float = Field(default=0.5, ge=0, lt=1)
    windows: int = Field(default=4, ge=2, le=256)

    @model_validator(mode="after")
    def _is_trained_one_way(self) -> Self:
        if self.stochastic and self.deep_supervision:
            raise ValueError(
                f"deep_supervision: not with stochastic {self.stochastic!r}; leave one of them out"
            )
        if self.stochastic == "ssn" and self.loss != "dice_ce":
            raise ValueError('loss: "ssn" is trained by the likelihood alone; leave it out')
        return self


class Pretraining(_Schedule):
    """Pre-training of the arms whose weights are made here.

    The same for all of them, but for what a baseline's own `recipe` or `pretraining` says.

    Attributes:
        seed: weights are made once, with this seed, and shared by all cells.
    """

    steps: int = Field(default=4000, gt=0, le=1_000_000)
    seed: int = Field(default=0, ge=0)

    def overridden(self, keys: Mapping[str, Any], place: str) -> Self:
        """The same with other values of some keys.

        Args:
            keys: name → value.
            place: where they stand, for messages.

        Raises:
            SpecError: there is no such key, or it can't have the value.
        """
        for name in keys:
            if name not in type(self).model_fields:
                raise SpecError(f"{place}: {unknown('key', name, type(self).model_fields)}")
        try:
            return type(self).model_validate(over(self.model_dump(), keys))
        except ValidationError as error:
            raise SpecError(f"{place}: {first_rule(error)}.") from None
