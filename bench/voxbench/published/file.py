"""The file of a baseline's weights: found, and the one that its card names."""

from pathlib import Path
from typing import NamedTuple

from voxbench.api import Published
from voxbench.data.content_hash import file_hashes
from voxbench.errors import WeightsError
from voxbench.files import has_checksum


class WeightsFile(NamedTuple):
    """Where weights lie on this machine, and the sha256 of their content."""

    path: Path
    sha256: str


def verified_file(baseline: Published) -> WeightsFile:
    """The file of a baseline's weights, with its checksum.

    Raises:
        WeightsError: it is not there, or not the file that the card names.
    """
    path = baseline.file()
    sha256 = file_hashes([path]).get(path)
    if sha256 is None:
        raise WeightsError(f"{path}: no such file; the weights of {baseline.card.name}.")
    expected = baseline.checksum
    if expected and expected != f"sha256:{sha256}" and not has_checksum(path, expected):
        raise WeightsError(
            f"{path}: its checksum is not the {expected[:14]}… that {baseline.card.name} "
            "names: damaged, or another release."
        )
    return WeightsFile(path, sha256)
