"""What an objective trains beside the backbone: heads, projectors, tokens.

It is kept so that the loss of pre-training can be taken again, and so that what of it segments can
infer directly. Cells that are trained never load it.
"""

from collections.abc import Mapping

from torch import Tensor, nn

from voxbench.errors import WeightsError
from voxbench.model.backbones import Backbone

PREFIX = "objective."  # of their names in a file that is handed on


def head_of(objective: nn.Module, backbone: Backbone) -> dict[str, Tensor]:
    """The objective's tensors that are not the backbone's."""
    shared = {id(tensor) for tensor in backbone.state_dict(keep_vars=True).values()}
    own = objective.state_dict(keep_vars=True)
    return {name: tensor.detach() for name, tensor in own.items() if id(tensor) not in shared}


def put_back(objective: nn.Module, backbone: Backbone, head: Mapping[str, Tensor]) -> None:
    """Fill an objective's own tensors.

    Raises:
        WeightsError: they are not those of this objective.
    """
    own = head_of(objective, backbone)
    if {n: t.shape for n, t in own.items()} != {n: t.shape for n, t in head.items()}:
        raise WeightsError(
            f"the objective's own tensors in the file, {sorted(head)}, are not those that it has "
            f"here, {sorted(own)}, or have other shapes."
        )
    objective.load_state_dict(dict(head), strict=False)


def split_head(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The backbone's tensors and the objective's own, from those of a file."""
    head = {n.removeprefix(PREFIX): t for n, t in tensors.items() if n.startswith(PREFIX)}
    return {n: t for n, t in tensors.items() if not n.startswith(PREFIX)}, head
