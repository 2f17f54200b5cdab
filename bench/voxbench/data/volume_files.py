"""Files of volumes by name: what they may end in, and what is left of the name without it."""

import unicodedata
from pathlib import Path

from voxbench.errors import DataError

NIFTI = (".nii.gz", ".nii")
ITK = (".nrrd", ".mha")
NPZ = (".npz",)
HEADERS = (".nhdr", ".mhd", ".hdr")
"""Of volumes whose voxels lie in a second file, which would escape the content hash: refused."""
ENDINGS = (*NIFTI, *ITK, *NPZ, *HEADERS)


def stem_of(name: str) -> str | None:
    """A file's name without the ending of a volume, in any case; None where it has none.

    Dots stay (`1.2.840.1.nii.gz` is `1.2.840.1`), and letters are composed as tables write them,
    whatever a file system makes of them.
    """
    lower = name.lower()
    ending = next((ending for ending in ENDINGS if lower.endswith(ending)), None)
    return unicodedata.normalize("NFC", name[: -len(ending)]) if ending else None


def volume_files(folder: Path) -> dict[str, Path]:
    """The volumes of a folder by stem, sorted; without the hidden files that systems leave behind.

    Raises:
        DataError: two files have one stem.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("[!.]*")):
        if stem := stem_of(path.name):
            other = found.setdefault(stem, path)
            if other != path:
                raise DataError(f"{other} and {path.name} are one case; remove one of them.")
    return dict(sorted(found.items()))
