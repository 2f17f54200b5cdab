"""Prepared cases under other names of classes: as a union calls them and counts them."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from voxbench.api import IGNORED
from voxbench.data import cache
from voxbench.data.cache import Prepared, PreparedCase
from voxbench.design.cell import digest


def renamed(
    case: PreparedCase, own: Mapping[str, str], classes: Sequence[str], called: str
) -> PreparedCase:
    """A prepared case whose classes have other names and indices; stored once, beside it.

    Classes that it did not have before are not annotated in it.

    Args:
        case: with the classes that `own` names, in this order.
        own: its class → the new name; several may become one.
        classes: all new names, in the order of their indices; none where labels are not used.
        called: prefix of its id and its patient.
    """
    called_id, patient = f"{called}/{case.id}", f"{called}/{case.patient}"
    if not classes:
        return PreparedCase(called_id, patient, case.path)
    key = digest([case.path.name, list(own.items()), list(classes)])[:32]
    folder = case.path.parent / key
    if not folder.is_dir() or cache.damaged([folder]):
        _store(folder, case, own, classes)
    return PreparedCase(called_id, patient, folder)


def _store(
    folder: Path, case: PreparedCase, own: Mapping[str, str], classes: Sequence[str]
) -> None:
    index = {name: number for number, name in enumerate(classes, start=1)}
    table = np.zeros(256, np.uint8)
    table[IGNORED] = IGNORED
    for value, name in enumerate(own.values(), start=1):
        table[value] = index[name]
    missing = {name for part, name in own.items() if not _annotated(case, part)}
    prepared = Prepared(case.image, table[case.label], case.grid, case.outside.tolist())
    labelled = frozenset(own.values()) - missing
    cache.store_case(folder, prepared, list(classes), labelled, case.notes)
    _share(case.path / "image.npy", folder / "image.npy")


def _annotated(case: PreparedCase, part: str) -> bool:
    return case.labelled is None or part in case.labelled


def _share(image: Path, copy: Path) -> None:
    """Let two equal files be one on disk, where the file system can."""
    link = copy.with_suffix(".link")
    try:
        os.link(image, link)
        link.replace(copy)
    except OSError:
        link.unlink(missing_ok=True)
