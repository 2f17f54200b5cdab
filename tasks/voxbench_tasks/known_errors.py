"""The register of known errors, `known_errors.toml`."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from voxbench.api import KnownError

_FILE = Path(__file__).with_name("known_errors.toml")


@cache
def register() -> Mapping[str, Sequence[KnownError]]:
    """Corpus → its known errors."""
    told = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {corpus: tuple(map(KnownError.model_validate, told[corpus])) for corpus in told}
