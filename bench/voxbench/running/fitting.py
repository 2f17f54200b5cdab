"""Fine-tuning of a cell's network: here, or by several processes that each load it anew."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from torch import Tensor

from voxbench.data.cell_data import CellData, load_cell_data
from voxbench.fit.loop import FitResult
from voxbench.fit.ranks import Ranks
from voxbench.fit.segmenter import fit_network
from voxbench.fit.together import together
from voxbench.model.direct import Direct
from voxbench.model.segmenter import Segmenter
from voxbench.running.bound import BoundCell
from voxbench.running.network import load_network
from voxbench.running.worker import Worker


def fit_cell(
    network: Segmenter | Direct, bound: BoundCell, data: CellData, worker: Worker, checkpoint: Path
) -> FitResult:
    """Train a cell's network in place, on as many devices as its recipe says.

    Raises:
        FitError, SpecError, ChildProcessError: see `fit_network` and `together`.
    """
    devices = bound.cell.devices
    if devices == 1:
        return fit_network(network, bound.cell, data, worker.device, checkpoint)
    task = partial(_fit_rank, bound, worker, checkpoint)
    fitted, tensors = together(task, devices, worker.device, worker.threads)
    network.load_state_dict(tensors)
    return fitted


def _fit_rank(
    bound: BoundCell, worker: Worker, checkpoint: Path, ranks: Ranks, device: str
) -> tuple[FitResult, dict[str, Tensor]]:
    data = load_cell_data(bound.cell, bound.trainings.dataset, bound.trainings.preprocessing)
    network, _ = load_network(bound, replace(worker, device=device))
    fitted = fit_network(network, bound.cell, data, device, checkpoint, ranks)
    return fitted, {name: tensor.cpu() for name, tensor in network.state_dict().items()}
