"""Files of volumes by name: what they may end in, and what is left of the name without it.

A volume is a file, or a folder whose files are its slices: a DICOM series, or a picture a slice.
"""

import re
import unicodedata
from pathlib import Path

from voxbench.errors import DataError

NIFTI = (".nii.gz", ".nii")
ITK = (".nrrd", ".mha")
NPZ = (".npz",)
HEADERS = (".nhdr", ".mhd", ".hdr")
"""Of volumes whose voxels lie in a second file, which would escape the content hash: refused."""
ENDINGS = (*NIFTI, *ITK, *NPZ, *HEADERS)
_PICTURE = ".png"
_DICOM = (".dcm", ".ima")
_SLICES = (*_DICOM, _PICTURE)
_ENDED = re.compile(r"\.[A-Za-z]\w*$")  # dots and numbers alone are a part of a DICOM name
_DIRECTORY = "DICOMDIR"


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

    A folder in it that holds a DICOM series is one of them, by its name.

    Raises:
        DataError: two files have one stem.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("[!.]*")):
        stem = stem_of(path.name)
        if stem is None and holds_series(path):
            stem = unicodedata.normalize("NFC", path.name)
        if stem:
            other = found.setdefault(stem, path)
            if other != path:
                raise DataError(f"{other} and {path.name} are one case; remove one of them.")
    return dict(sorted(found.items()))


def slice_files(folder: Path) -> list[Path]:
    """The files of a folder that may be slices, by name with its numbers as numbers.

    They end as DICOM or PNG files do, or in nothing, as DICOM files often do.
    """
    if not folder.is_dir():
        return []
    found = [path for path in folder.glob("[!.]*") if _may_be_slice(path)]
    return sorted(found, key=lambda path: (_numbers_apart(path.name), path.name))


def holds_series(folder: Path) -> bool:
    """Whether a folder holds files of DICOM, as far as the first one tells."""
    first = next((path for path in slice_files(folder) if not is_picture(path)), None)
    return first is not None and (first.name.lower().endswith(_DICOM) or _has_magic(first))


def is_picture(path: Path) -> bool:
    """Whether a slice is a picture rather than DICOM."""
    return path.name.lower().endswith(_PICTURE)


def slice_stem(path: Path) -> str:
    """The name of a slice without the ending of DICOM or of a picture."""
    return path.stem if path.suffix.lower() in _SLICES else path.name


def _may_be_slice(path: Path) -> bool:
    ended = path.name.lower().endswith(_SLICES) or not _ENDED.search(path.name)
    return ended and path.name != _DIRECTORY and path.is_file()


def _numbers_apart(name: str) -> list[tuple[int, str]]:
    """A key that sorts `slice 9` before `slice 10`."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _has_magic(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"
