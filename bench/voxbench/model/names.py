"""Published names in a backbone."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from voxbench.model.backbones import Backbone

PARTS = ("encoder", "decoder")


def placed(
    tensors: Mapping[str, Tensor], backbone: Backbone, parts: Sequence[str] = PARTS
) -> dict[str, Tensor]:
    """Names below the part of the backbone, `encoder` or `decoder`, that has them.

    Backbones keep the published names below their parts. A name that no part has stays as it is,
    for the audit to judge; one that says its part itself is at its place.
    """
    state = backbone.state_dict()
    return {
        next((f"{part}.{name}" for part in parts if f"{part}.{name}" in state), name): tensor
        for name, tensor in tensors.items()
    }
