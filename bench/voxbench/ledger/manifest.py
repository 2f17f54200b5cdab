"""The looks of volumes in a file: what a pre-training set holds, without its images.

JSON; a volume is its name, its extent and 24³ grey-value ranks (18 kB). The ranks are a coarse
picture of the scan, about a centimetre a voxel in a trunk: treat them as the data's licence and
its privacy rules demand.
"""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from voxbench.errors import DataError, first_rule
from voxbench.files import write_atomically
from voxbench.ledger.look import EDGE, LOOK_VERSION, Look

Length = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Volume(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1)
    extent_mm: tuple[Length, Length, Length]
    cells: str


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    fingerprints: int  # the version of the looks, as files have called it from the first one on
    volumes: list[_Volume]


def write_manifest(path: Path, volumes: Mapping[str, Look]) -> None:
    """Write named looks."""
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "extent_mm": [round(value, 2) for value in found.extent_mm],
            "cells": base64.b64encode(found.ranks.tobytes()).decode(),
        }
        for name, found in volumes.items()
    ]
    write_atomically(
        path, json.dumps({"fingerprints": LOOK_VERSION, "volumes": rows}, indent=0) + "\n"
    )


def read_manifest(path: Path) -> dict[str, Look]:
    """Read named looks.

    Raises:
        DataError: it is no manifest, of another version, or an entry is damaged.
    """
    try:
        found = _Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: can't be read ({error.strerror}).") from None
    except ValidationError as error:
        raise DataError(f"{path}: not a manifest: {first_rule(error)}.") from None
    if found.fingerprints != LOOK_VERSION:
        raise DataError(
            f"{path}: looks of version {found.fingerprints}, this voxbench compares version "
            f"{LOOK_VERSION}: make the manifest again with voxbench overlap DIR -o FILE."
        )
    volumes = {volume.name: _look(volume, path) for volume in found.volumes}
    if len(volumes) < len(found.volumes):
        raise DataError(f"{path}: two volumes have one name.")
    return volumes


def _look(volume: _Volume, path: Path) -> Look:
    try:
        content = base64.b64decode(volume.cells, validate=True)
    except ValueError:
        content = b""
    if len(content) != EDGE**3:
        raise DataError(f"{path}: {volume.name}: cells: expected {EDGE}³ bytes in base64.")
    ranks = np.frombuffer(content, np.uint8).reshape(EDGE, EDGE, EDGE)
    return Look(ranks, volume.extent_mm)
