"""The file of a baseline's weights: found, and the one that its card names."""

from pathlib import Path
from typing import NamedTuple

from voxbench.api import Published
from voxbench.data.content_hash import file_hashes
from voxbench.errors import WeightsError
from voxbench.files import has_checksum, hex_digest
from voxbench.published.catalogue import published_baselines


class WeightsFile(NamedTuple):
    """Where weights lie on this machine, and the sha256 of their content."""

    path: Path
    sha256: str


def verified_file(baseline: Published) -> WeightsFile:
    """The file of a baseline's weights, with its checksum.

    Raises:
        WeightsError: it is not there, not the file that the card names, or another card's.
    """
    path, name = baseline.file(), baseline.card.name
    sha256 = file_hashes([path]).get(path)
    if sha256 is None:
        raise WeightsError(f"{path}: no such file; the weights of {name}.")
    if baseline.weights is not None and (owners := whose(path)) and name not in owners:
        raise WeightsError(f"{path}: by its checksum it is {owners[0]}'s file, not {name}'s.")
    expected = baseline.checksum
    if expected and expected != f"sha256:{sha256}" and not has_checksum(path, expected):
        raise WeightsError(
            f"{path}: its checksum is not the {expected[:14]}… that {name} "
            "names: damaged, or another release."
        )
    return WeightsFile(path, sha256)


def whose(path: Path) -> list[str]:
    """The baselines whose cards name a file by its checksum."""
    named = [
        (baseline.card.name, *offer.checksum.split(":"))
        for baseline in published_baselines()
        if (offer := baseline.checkpoints.get(baseline.variant)) and offer.checksum
    ]
    content = {algorithm: hex_digest(path, algorithm) for _, algorithm, _ in named}
    return [name for name, algorithm, digits in named if content[algorithm].startswith(digits)]
