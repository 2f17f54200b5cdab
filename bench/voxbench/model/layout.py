"""How weights are packed in a file: wrappers around them, prefixes before their names."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor

from voxbench.errors import WeightsError

AVERAGES = ("ema_state_dict", "state_dict_ema", "model_ema", "ema_model", "ema")
"""Wrappers of a moving average over training, which authors keep to be used: it goes first."""
WRAPPERS = (
    "state_dict",
    "network_weights",
    "net",
    "student",
    "model",
    "teacher",
    "module",
    "shadow",
)
PREFIXES = ("module.", "backbone.", "_orig_mod.")
TRAINERS = ("model", "net", "network", "encoder")
"""Names that a trainer gives the network it holds: prefixes where most tensors agree on one."""
_MOST = 0.5


class FileLayout(NamedTuple):
    """How a file was packed.

    Attributes:
        format: safetensors, npz or torch.
        wrappers: keys that were opened, the outermost first.
        prefixes: that were stripped, each chain once ("module.backbone.").
        stood_in: classes of other packages that were read as inert stand-ins.
        passed_over: wrappers beside the opened one that hold tensors too.
    """

    format: str
    wrappers: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    stood_in: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()

    @property
    def choice(self) -> str:
        """In words, which of several networks in the file was taken; "" where there is one."""
        others = ", ".join(self.passed_over)
        return f"{self.wrappers[0]}, not {others}" if others else ""


class Unwrapped(NamedTuple):
    """What was found inside wrappers, which were opened, and which were passed over."""

    content: Mapping[Any, Any]
    wrappers: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()


def unwrapped(content: Mapping[Any, Any]) -> Unwrapped:
    """The innermost mapping: a moving average before all, then the first of `WRAPPERS`."""
    found = [name for name in (*AVERAGES, *WRAPPERS) if _has_tensors(content.get(name))]
    if not found:
        return Unwrapped(content)
    opened, *others = found
    inner = unwrapped(content[opened])
    return Unwrapped(inner.content, (opened, *inner.wrappers), (*others, *inner.passed_over))


def _has_tensors(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    return any(isinstance(one, Tensor) or _has_tensors(one) for one in value.values())


def plain_names(
    content: Mapping[Any, Any], trainers: tuple[str, ...] = TRAINERS
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The tensors under names without prefixes, and the chains of prefixes that were stripped.

    Raises:
        WeightsError: two tensors get one name.
    """
    names = {key: str(key) for key, value in content.items() if isinstance(value, Tensor)}
    before = None
    while names != before:
        before = names
        names = {key: _without_prefixes(name) for key, name in names.items()}
        names = _without_trainer(names, trainers)
    tensors: dict[str, Tensor] = {}
    for key, name in names.items():
        if name in tensors:
            raise WeightsError(f"two tensors are called {name} once prefixes are stripped.")
        tensors[name] = content[key].detach()
    chains = dict.fromkeys(str(key).removesuffix(name) for key, name in names.items())
    return tensors, tuple(chain for chain in chains if chain)


def _without_prefixes(name: str) -> str:
    while name.startswith(PREFIXES):
        name = name.partition(".")[2]
    return name


def _without_trainer(names: Mapping[Any, str], trainers: tuple[str, ...]) -> dict[Any, str]:
    """Names without the trainer's name for the network; a loss beside it keeps its own."""
    first = Counter(name.partition(".")[0] for name in names.values() if "." in name)
    for trainer, count in first.most_common(1):
        whole = trainer != "encoder" or count == len(names)  # an encoder may have a decoder beside
        if trainer in trainers and whole and count > _MOST * len(names):
            return {key: name.removeprefix(f"{trainer}.") for key, name in names.items()}
    return dict(names)
