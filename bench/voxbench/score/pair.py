"""Which file belongs to which: the cases of two folders, in any layout that is in use.

A side is a folder of label maps (`case.nii.gz`, as nnU-Net and the Decathlon lay them out) or a
folder of cases with one mask a structure (`case/segmentations/liver.nii.gz`, or without the inner
folder). A data set's own folder may be given too: the first of its `labelsTs`, `labelsVa` and
`labelsTr` that holds a case of the prediction is taken then.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from voxbench.data.published_split import part_named
from voxbench.data.volume_files import volume_files
from voxbench.errors import DataError

Files = Path | dict[str, Path]
"""A label map, or the mask of each structure."""


class CasePairs(NamedTuple):
    """The cases of two folders: those on both sides, and those that one side lacks, by name.

    `left_out` names the references that nobody asked for.
    """

    cases: dict[str, tuple[Files, Files]]
    missing: dict[str, Files]
    extra: list[str]
    left_out: list[str]


def pair_cases(prediction: Path, reference: Path, cases_of: Path | None = None) -> CasePairs:
    """Pair the cases of two folders by name. `missing` holds references without a prediction.

    Args:
        prediction: folder of predictions.
        reference: folder of references, or of a data set.
        cases_of: folder whose cases alone are asked for; None asks for all references.

    Raises: DataError if a folder holds no case, or one twice, or no name is on both sides.
    """
    ours = find_cases(prediction)
    asked = find_cases(cases_of) if cases_of else None
    theirs = find_cases(reference, like=ours)
    wanted = {name: files for name, files in theirs.items() if asked is None or name in asked}
    both = sorted(ours.keys() & wanted.keys())
    if not both:
        raise DataError(
            f"no case of {prediction} is in {reference}: they hold {_some(ours)} and"
            f" {_some(wanted)}. Predictions must be named like their references."
        )
    return CasePairs(
        {name: (ours[name], wanted[name]) for name in both},
        {name: wanted[name] for name in sorted(wanted.keys() - ours.keys())},
        sorted(ours.keys() - wanted.keys()),
        sorted(theirs.keys() - wanted.keys()),
    )


def find_cases(folder: Path, like: Mapping[str, Files] | None = None) -> dict[str, Files]:
    """The cases of one folder by name.

    Args:
        folder: of label maps, of masks, or of a data set.
        like: cases of which one must be there, if there are several places to look.

    Raises: DataError if there are none, or one twice.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: give the folder that holds the label maps.")
    places = [folder / name for name in ("", "labelsTs", "labelsVa", "labelsVal", "labelsTr")]
    sides: list[dict[str, Files]] = [dict(volume_files(place)) for place in places]
    found = [cases for cases in (*sides, dict[str, Files](_masks(folder))) if cases]
    if not found:
        raise DataError(
            f"{folder} holds neither label maps (case.nii.gz) nor masks"
            " (case/segmentations/structure.nii.gz)."
        )
    return next((cases for cases in found if like and cases.keys() & like.keys()), found[0])


def mask_structures(pairing: CasePairs) -> list[str]:
    """The structures that any reference has a mask of."""
    sides = [files for _, files in pairing.cases.values()]
    return sorted({name for files in sides if isinstance(files, dict) for name in files})


def _masks(folder: Path) -> dict[str, dict[str, Path]]:
    """The cases of a folder that has one subfolder a case."""
    inner = {
        case.name: case / "segmentations"
        for place in (folder, *(p for p in sorted(folder.glob("[!.]*/")) if part_named(p.name)))
        for case in sorted(place.glob("[!.]*/"))
    }
    found = {name: volume_files(f if f.is_dir() else f.parent) for name, f in inner.items()}
    return {name: masks for name, masks in found.items() if masks}


def _some(cases: Mapping[str, Files]) -> str:
    names = sorted(cases)
    return ", ".join(names[:3]) + (f" … ({len(names)} cases)" if len(names) > 3 else "")
