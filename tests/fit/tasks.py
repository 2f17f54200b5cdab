"""What ranks do in `test_together`; other processes import it by its name."""

import os
import signal
import time

import torch
from torch import distributed
from voxbench.errors import SpecError
from voxbench.fit.ranks import Ranks, joined
from voxbench.progress import Stage, tell


def sum_up(ranks: Ranks, device: str) -> torch.Tensor:
    """Each tells its rank; the sum of 1 + rank over all."""
    tell(Stage("adding", ranks.rank + 1, ranks.count))
    own = torch.tensor(float(ranks.rank + 1))
    with joined(ranks, device):
        distributed.all_reduce(own)
    return own


def die_second(ranks: Ranks, _device: str) -> None:
    """The second is killed, the first waits for it."""
    if ranks.rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(600)


def refuse_second(ranks: Ranks, _device: str) -> None:
    """The second makes a mistake, the first waits for it."""
    if ranks.rank == 1:
        raise SpecError("devices: a mistake.")
    time.sleep(600)
