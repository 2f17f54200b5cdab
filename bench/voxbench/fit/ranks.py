"""Several processes that train one network, each on its device and its share of every batch."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from pytorch_lightning.strategies import DDPStrategy
from torch import distributed
from torch._C._distributed_c10d import FileStore

_PATIENCE = timedelta(days=1)  # with a rank that validates or stores; one that dies is seen at once


@dataclass(frozen=True)
class Ranks:
    """The processes that train together, as one of them sees them.

    Attributes:
        rank: which of them this is; the first alone validates, tells and stores.
        count: how many there are, on one machine.
        meeting: file that they find one another by; none of a single one.
    """

    rank: int = 0
    count: int = 1
    meeting: Path | None = None

    @property
    def first(self) -> bool:
        """Whether this one speaks for all."""
        return self.rank == 0

    def slots(self, batch: int) -> range | None:
        """Of a batch, which are computed here; None of a single one, which takes all."""
        if self.count == 1:
            return None
        share = batch // self.count
        return range(self.rank * share, (self.rank + 1) * share)


ALONE = Ranks()


@contextmanager
def joined(ranks: Ranks, device: str) -> Iterator[None]:
    """Have the ranks talk to one another: by NCCL between GPUs, else by Gloo."""
    if ranks.meeting is None:
        yield
        return
    gpu = device.startswith("cuda")
    distributed.init_process_group(
        "nccl" if gpu else "gloo",
        store=FileStore(str(ranks.meeting), ranks.count),
        rank=ranks.rank,
        world_size=ranks.count,
        timeout=_PATIENCE,
        device_id=torch.device(device) if gpu else None,
    )
    try:
        yield
    finally:
        distributed.destroy_process_group()


class Together(DDPStrategy):
    """Data-parallel training by ranks that are joined already; the first may store by itself."""

    def __init__(self, ranks: Ranks) -> None:
        super().__init__(
            cluster_environment=_Machine(ranks),
            find_unused_parameters=True,  # an objective may train the encoder alone
            broadcast_buffers=False,  # no layer may take statistics of a share: `check_divisible`
            gradient_as_bucket_view=True,
        )

    def barrier(self, name: str | None = None) -> None:
        """Wait for the others, but not where the first stores a checkpoint."""
        if name != "Trainer.save_checkpoint":
            super().barrier(name)


class _Machine(ClusterEnvironment):
    """What Lightning asks about the ranks; whoever started them has decided it all."""

    creates_processes_externally = True
    main_address, main_port = "localhost", 0  # they meet in a file

    def __init__(self, ranks: Ranks) -> None:
        self.ranks = ranks

    @staticmethod
    def detect() -> bool:
        return False

    def world_size(self) -> int:
        return self.ranks.count

    def global_rank(self) -> int:
        return self.ranks.rank

    def local_rank(self) -> int:
        return self.ranks.rank

    def node_rank(self) -> int:
        return 0

    def set_world_size(self, size: int) -> None:
        pass

    def set_global_rank(self, rank: int) -> None:
        pass
