"""Which tensors of a file a network can take, by names and shapes alone."""

from collections.abc import Iterable, Mapping, Sequence, Set
from fnmatch import fnmatchcase
from typing import NamedTuple

from torch import Tensor

from voxbench.model.backbones import Backbone

_SHOWN = 12
_STATISTICS = {"running_mean", "running_var"}
_NO_WEIGHTS = ("*num_batches_tracked", "criterion.*", "loss.*", "loss_*.*", "metric.*", "metrics.*")
"""What training leaves beside a network: counters, losses and metrics with buffers."""


class TensorComparison(NamedTuple):
    """Which of a file's tensors a backbone can take.

    Attributes:
        fitting: names that agree in shape too.
        share: of the encoder's parameters that they cover.
        total_share: of all the backbone's parameters.
        file_share: of the tensors' own values, those that fit.
        missing: encoder tensors that the file lacks or has in another shape.
        stale: running statistics among them whose norm is loaded otherwise.
        strange: names that the backbone doesn't have.
        misshapen: names with another shape, or whole numbers, than it needs, with both.
        surplus: names of both kinds that may not be left over.
    """

    fitting: list[str]
    share: float
    total_share: float
    file_share: float
    missing: list[str]
    stale: list[str]
    strange: list[str]
    misshapen: list[str]
    surplus: list[str]

    def objection(self, min_loaded: float) -> str | None:
        """Why these tensors must not be loaded, or None."""
        rest = (
            f"not in the file: {first_names(self.missing)}; "
            f"of another shape: {first_names(self.misshapen)}; "
            f"no place for: {first_names(self.strange)}."
        )
        if self.share < min_loaded:
            return (
                f"only {self.share:.1%} of the encoder's parameters fit, at least "
                f"{min_loaded:.0%} must; {rest}"
            )
        if self.stale:
            return (
                f"the encoder is half loaded: norms have their weights but not their running "
                f"statistics, {first_names(self.stale)}; "
                f"of another shape: {first_names(self.misshapen)}."
            )
        if self.surplus:
            return (
                f"of the file's tensors {len(self.surplus)} find no place here, so it is another "
                f"network's, or of another size: {first_names(self.surplus)}."
            )
        return None


def compare_tensors(
    backbone: Backbone, tensors: Mapping[str, Tensor], left_over: Sequence[str] = ()
) -> TensorComparison:
    """What would be loaded, by names and shapes alone; works on the meta device."""
    state = backbone.state_dict()
    fitting = {k for k, t in tensors.items() if k in state and _fits(t, state[k])}
    missing = sorted(
        name
        for name in state.keys() - fitting
        if name.startswith("encoder.") and not name.endswith("num_batches_tracked")
    )
    misshapen = {
        name: f"{name} (has {_kind(tensors[name])}, needs {_kind(state[name])})"
        for name in sorted(tensors.keys() & state.keys() - fitting)
    }
    unused = {name: misshapen.get(name, name) for name in sorted(tensors.keys() - fitting)}
    return TensorComparison(
        fitting=sorted(fitting),
        share=_share(backbone.encoder.named_parameters(prefix="encoder"), fitting),
        total_share=_share(backbone.named_parameters(), fitting),
        file_share=_share(tensors.items(), fitting),
        missing=missing,
        stale=[name for name in missing if _is_stale(name, state, fitting)],
        strange=sorted(tensors.keys() - state.keys()),
        misshapen=list(misshapen.values()),
        surplus=[told for name, told in unused.items() if not _may_be_left(name, left_over)],
    )


def _fits(tensor: Tensor, wanted: Tensor) -> bool:
    """Of its shape; whole numbers are no weights, as those of a quantised kernel without scale."""
    numbers = tensor.is_floating_point() or not wanted.is_floating_point()
    return numbers and tensor.shape == wanted.shape


def _kind(tensor: Tensor) -> str:
    whole = "" if tensor.is_floating_point() else f" {tensor.dtype}".replace("torch.", "")
    return f"{tuple(tensor.shape)}{whole}"


def _may_be_left(name: str, left_over: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in (*_NO_WEIGHTS, *left_over))


def _is_stale(name: str, state: Mapping[str, Tensor], fitting: Set[str]) -> bool:
    """Statistics of a norm that is loaded, or that has nothing else to load."""
    norm, _, kind = name.rpartition(".")
    weight = f"{norm}.weight"
    return kind in _STATISTICS and (weight in fitting or weight not in state)


def _share(tensors: Iterable[tuple[str, Tensor]], fitting: Set[str]) -> float:
    sizes = {name: tensor.numel() for name, tensor in tensors}
    return sum(size for name, size in sizes.items() if name in fitting) / max(
        1, sum(sizes.values())
    )


def first_names(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    if not names:
        return "none"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
