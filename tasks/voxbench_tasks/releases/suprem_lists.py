"""SuPreM's lists of TotalSegmentator's cases: its split, and the fractions it fine-tunes on.

They lie in `target_applications/totalsegmentator/dataset/dataset_list` of
https://github.com/MrGiovanni/SuPreM (Li, Yuille and Zhou, ICLR 2024), a case a line, and are
licensed CC BY-NC-ND 4.0; so they are not shipped, but read from where somebody put them, and known
by their checksums at commit 76e1a64. 1,200 of the 1,204 cases are in them; every fraction is part
of the next.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from voxbench.api import Part
from voxbench.errors import DataError

PARTS: Mapping[str, Part] = {"train": "train", "val": "validation", "test": "test"}
"""File without its ending → the part that it lists."""
_FRACTIONS = (64, 128, 256, 512, 1024)
_SHA256 = {
    "train": "739ca460d87842a8c29f38f824a7caa2d68ced615ee75b28c4a134edb2b3c6c0",
    "val": "d68226fb04560ba1e6fce89cc429cb9fbdbb6e405778b4eaa3070a03ad9b8a5d",
    "test": "f1768a5710ba4319bfc699cfbdd9fdc7f0f6ad672a515ab1c062222d95a2c525",
    "train_64": "05c55da8141cece9a984883e122401c0a8b8b7bffae55e813eaa37b4af8feead",
    "train_128": "86ff423f25df9c7dca3df5271d7c56de92b240ad8ed4edd65f53a9fd169d65b6",
    "train_256": "6a69e4a58229e1d7233553952e4acda30aba38a85c495e74c0c359e255970178",
    "train_512": "55f1a727c55d0e96897399a57bb689afaf949c938fd344858a7ee6d22b76f01b",
    "train_1024": "66c7ea24b872e584d73c42fce6a492f56e86cfdd011feb99194b015968331246",
}


def read_list(folder: Path, name: str) -> Sequence[str]:
    """The cases of a list.

    Raises:
        DataError: it is not there, or not the published one.
    """
    path = folder / f"{name}.txt"
    try:
        content = path.read_bytes().replace(b"\r\n", b"\n")
    except OSError as error:
        raise DataError(
            f"suprem: {path}: can't be read ({error.strerror}); put dataset_list of SuPreM's "
            "repository there."
        ) from None
    if (found := hashlib.sha256(content).hexdigest()) != _SHA256[name]:
        raise DataError(
            f"suprem: {path}: is not SuPreM's list: sha256 {found[:12]}…, expected "
            f"{_SHA256[name][:12]}…"
        )
    return [line.split("\t")[0] for line in content.decode().splitlines() if line]


def fractions(folder: Path) -> Mapping[str, Sequence[str]]:
    """Name of a fraction → its cases.

    Raises:
        DataError: as of `read_list`.
    """
    return {f"suprem-{count}": read_list(folder, f"train_{count}") for count in _FRACTIONS}
