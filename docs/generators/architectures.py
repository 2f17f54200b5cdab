"""Networks as their code builds them, without memory for their parameters."""

from typing import Any

import torch
from voxbench.analyses.table import Table
from voxbench.api import Architecture
from voxbench.api.architecture import ARCHITECTURES
from voxbench.reporting.printer import pipe_table


def architectures() -> str:
    """Markdown: every architecture in every size."""
    known = [ARCHITECTURES.find(name) for name in ARCHITECTURES.plugins()]
    rows = [_row(one, size) for one in known for size in one.sizes]
    return pipe_table(Table.plain(rows)).strip()


def _row(architecture: Architecture[Any], size: str) -> dict[str, str]:
    with torch.device("meta"):
        network = architecture.build(size, 1)
    parts = (network.encoder, network.decoder)
    encoder, decoder = (sum(one.numel() for one in part.parameters()) / 1e6 for part in parts)
    return {
        "Architecture": f"`{architecture.name}`",
        "Size": f"`{size}`",
        "Encoder": f"{encoder:.2f} M",
        "Decoder": f"{decoder:.2f} M",
        "Features": str(network.out_channels),
        "Patch axes: multiples of": str(network.divisor),
        "Smallest patch": " × ".join(map(str, network.smallest_patch)),
    }
