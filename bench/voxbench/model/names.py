"""Published names in a backbone."""

from collections.abc import Mapping

from torch import Tensor

from voxbench.model.backbones import Backbone

_PARTS = ("encoder", "decoder")


def placed(tensors: Mapping[str, Tensor], backbone: Backbone) -> dict[str, Tensor]:
    """Names below the part of the backbone, `encoder` or `decoder`, that has them.

    Backbones keep the published names below their parts. A name that neither part has stays as
    it is, for the audit to list.
    """
    state = backbone.state_dict()
    return {
        next((f"{part}.{name}" for part in _PARTS if f"{part}.{name}" in state), name): tensor
        for name, tensor in tensors.items()
    }
