"""The weights of finished cells, kept where asked for, so that more can be predicted later."""

from pathlib import Path

from torch import nn

from voxbench.errors import WeightsError
from voxbench.files import write_atomically
from voxbench.records.kept import weights_path
from voxbench.running.bound import BoundCell
from voxbench.running.network import initialised


def keep_weights(network: nn.Module, root: Path, key: str) -> None:
    """Write all tensors of a trained network under the names that the network has for them."""
    from safetensors.torch import save

    tensors = {
        name: tensor.detach().cpu().clone().contiguous()
        for name, tensor in network.state_dict().items()
    }
    write_atomically(weights_path(root, key), save(tensors, {"cell": key}))


def load_kept(bound: BoundCell, root: Path, device: str, key: str = "") -> nn.Module:
    """The network of a finished cell with the weights that were kept of it, on the device.

    Args:
        bound: the cell.
        root: the output folder.
        device: "cpu" or "cuda:N".
        key: that the weights were kept under, where it is not the cell's.

    Raises:
        WeightsError: none were kept, or they are damaged or of another network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = weights_path(root, key or bound.key)
    if not path.exists():
        raise WeightsError(f"{path}: not kept; run the sweep with --keep-weights.")
    network = initialised(bound)
    try:
        network.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError) as error:
        first = str(error).splitlines()[0]
        raise WeightsError(
            f"{path}: damaged, or of another network ({first}); remove it and run the sweep "
            "with --keep-weights again."
        ) from error
    return network.to(device)
