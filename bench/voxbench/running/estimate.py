"""What cells and pre-trainings will take, from two seconds of this machine for each architecture.

Operations of every network are counted on one patch without computing anything; how many of them a
worker does a second is measured on the smallest network of its architecture: a processor does a
tenth as many of EfficientNet, whose channels are convolved one by one, as of a U-Net.
"""

import time
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise

import torch
from torch.utils.flop_counter import FlopCounterMode

from voxbench.errors import VoxbenchError
from voxbench.running.bound import Trainings
from voxbench.running.passes import PASSES, Network, Work, network_of, patches

MEASURED_S = 2.0
_SIDE = 32  # voxels of the patch that is measured


def estimate_seconds(work: Sequence[Work]) -> list[float | str | None]:
    """The seconds that a worker will need for each, or why it can't be done.

    None for what can't be counted or measured.
    """
    alike: dict[tuple[object, ...], Network] = {}
    networks = [alike.setdefault(found.same, found) for found in map(network_of, work)]
    counted = {network: operations(network) for network in networks}
    sizes = {network: size for network, size in counted.items() if isinstance(size, float)}
    smallest: dict[str, Network] = {}
    for network in sorted(sizes, key=lambda network: sizes[network]):
        smallest.setdefault(network.baseline.architecture, network)
    rates = {name: _rate(network) for name, network in smallest.items()}
    found: list[float | str | None] = []
    for one, network in zip(work, networks, strict=True):
        size, rate = counted[network], rates.get(network.baseline.architecture)
        known = patches(one) * size / rate if isinstance(size, float) and size and rate else None
        found.append(size if isinstance(size, str) else known)
    return found


@cache
def _bytes(network: Network) -> int:
    """Of all its tensors; 0 where it can't be built."""
    try:
        with torch.device("meta"):
            tensors = network.built().state_dict().values()
    except Exception:  # noqa: BLE001 (a stranger's network may be anything)
        return 0
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def weights_bytes(counts: Mapping[Trainings, int]) -> int:
    """What the weights of so many cells of each take on disk if they are kept."""
    alike: dict[tuple[object, ...], Network] = {}
    total = 0
    for trainings, count in counts.items():
        found = network_of(trainings)
        total += count * _bytes(alike.setdefault(found.same, found))
    return total


@cache
def operations(network: Network) -> float | str | None:
    """Of a pass forward; why there is no such network; None where they can't be counted."""
    try:
        with torch.device("meta"):
            built = network.built().eval()
            image = torch.empty(2, network.channels, *network.patch)
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            built(image)
    except VoxbenchError as error:
        return str(error)
    except Exception:  # noqa: BLE001 (a stranger's network may be anything)
        return None
    return float(counter.get_total_flops()) / 2


def _rate(network: Network) -> float | None:
    """Operations a second of one worker in training; None where the network can't be trained."""
    a, b, c = (min(side, _SIDE) for side in network.patch)
    small = network._replace(patch=(a, b, c))
    size = operations(small)
    if not isinstance(size, float):
        return None
    device = "cuda" if torch.cuda.is_available() else "cpu"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as a worker has of a pool with one for each core
    try:
        built = small.built().to(device)
        image = torch.zeros(2, small.channels, *small.patch, device=device)
        moments = [time.perf_counter()]
        while len(moments) < 2 or moments[-1] - moments[0] < MEASURED_S:
            built(image).float().mean().backward()
            built.zero_grad()
            if device == "cuda":
                torch.cuda.synchronize()
            moments.append(time.perf_counter())
    except Exception:  # noqa: BLE001 (a stranger's network may be anything)
        return None
    finally:
        torch.set_num_threads(threads)
    fastest = min(later - earlier for earlier, later in pairwise(moments))
    return len(image) * PASSES * size / fastest
