"""What ranks do in `test_together`; other processes import it by its name."""

import os
import signal
import time
from pathlib import Path

import torch
from torch import distributed
from voxbench import stopping
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


def stop_when_asked(place: Path, ranks: Ranks, _device: str) -> None:
    """The first tells that it works, and stores something before it stops; not the second."""
    if ranks.rank == 0:
        with stopping.deferred():
            tell("working")
            while not stopping.asked():
                time.sleep(0.05)
            place.write_text("stored")
            raise stopping.Stopped
    time.sleep(600)
