"""Which file belongs to which: the cases of two folders, in any layout that is in use.

A side is a folder of label maps (`case.nii.gz`, as nnU-Net and the Decathlon lay them out) or a
folder of cases with one mask a structure (`case/segmentations/liver.nii.gz`, or without the inner
folder). A data set's own folder may be given too: its `labelsTs` or `labelsTr` is taken then.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from voxbench.data.dataset_json import DatasetJson
from voxbench.errors import DataError

Files = Path | dict[str, Path]
"""A label map, or the mask of each structure."""
ENDINGS = (".nii.gz", ".nii")


class CasePairs(NamedTuple):
    """The cases of two folders: those on both sides, and those that one side lacks, by name."""

    cases: dict[str, tuple[Files, Files]]
    missing: dict[str, Files]
    extra: list[str]


def pair_cases(prediction: Path, reference: Path) -> CasePairs:
    """Pair the cases of two folders by name. `missing` holds references without a prediction.

    Raises: DataError if a folder holds no case, or no name is on both sides.
    """
    ours, theirs = find_cases(prediction), find_cases(reference)
    both = sorted(ours.keys() & theirs.keys())
    if not both:
        raise DataError(
            f"no case of {prediction} is in {reference}: they hold {_some(ours)} and"
            f" {_some(theirs)}. Predictions must be named like their references."
        )
    return CasePairs(
        {name: (ours[name], theirs[name]) for name in both},
        {name: theirs[name] for name in sorted(theirs.keys() - ours.keys())},
        sorted(ours.keys() - theirs.keys()),
    )


def find_cases(folder: Path) -> dict[str, Files]:
    """The cases of one folder by name.

    Raises: DataError if there are none.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: give the folder that holds the label maps.")
    for holder in (folder, folder / "labelsTs", folder / "labelsTr"):
        if maps := _maps(holder):
            return dict(maps)
    if masks := _masks(folder):
        return dict(masks)
    raise DataError(
        f"{folder} holds neither label maps (case.nii.gz) nor masks"
        " (case/segmentations/structure.nii.gz)."
    )


def dataset_classes(*folders: Path) -> dict[str, int | tuple[int, ...]]:
    """Classes from the first `dataset.json` in or above `folders`, nnU-Net's or the Decathlon's.

    Empty if there is none. Background and an ignore label are left out.

    Raises: DataError if it can't be read, or its labels make no sense.
    """
    for folder in folders:
        for near in (folder, folder.parent):
            if (file := near / "dataset.json").is_file():
                described = DatasetJson.read(file)
                if "labels" in described.table:
                    return described.classes
    return {}


def mask_structures(pairing: CasePairs) -> list[str]:
    """The structures that any reference has a mask of."""
    sides = [files for _, files in pairing.cases.values()]
    return sorted({name for files in sides if isinstance(files, dict) for name in files})


def _maps(folder: Path) -> dict[str, Path]:
    """The NIfTI files of a folder, without the hidden ones that macOS leaves behind."""
    files = sorted(folder.glob("[!.]*.nii*"))
    return {_stem(file): file for file in files if file.name.endswith(ENDINGS)}


def _masks(folder: Path) -> dict[str, dict[str, Path]]:
    """The cases of a folder that has one subfolder a case."""
    inner = {case.name: case / "segmentations" for case in sorted(folder.glob("[!.]*/"))}
    found = {name: _maps(f if f.is_dir() else f.parent) for name, f in inner.items()}
    return {name: masks for name, masks in found.items() if masks}


def _stem(file: Path) -> str:
    return file.name.removesuffix(".gz").removesuffix(".nii")


def _some(cases: Mapping[str, Files]) -> str:
    names = sorted(cases)
    return ", ".join(names[:3]) + (f" … ({len(names)} cases)" if len(names) > 3 else "")
