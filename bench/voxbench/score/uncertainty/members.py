"""Members of predictions in files: probability maps with a class axis, or label maps.

    FOLDER/case.npz             one file a case: (class, …), or (member, class, …)
    FOLDER/case.nii.gz          the class axis comes last in NIfTI
    FOLDER/case/any.nii.gz      a folder a case, with a file a member
    FOLDER/member/case.nii.gz   a folder a member, with a file a case

An NPZ lies on the voxels of its reference. One whose array is called `probabilities` or `softmax`
is nnU-Net's, with its axes reversed, unless it has an `affine` too. Whole numbers without a class
axis are a label map, others the probability of the foreground.
"""

import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from voxbench.data.image import read_image
from voxbench.data.nifti import Volume, unreadable
from voxbench.data.volume_files import NPZ, stem_of, volume_files
from voxbench.errors import DataError
from voxbench.score.grid import same_grid

Layout = Literal["files", "cases", "members"]
_REVERSED = ("probabilities", "softmax")


def find_layout(folder: Path, cases: Collection[str]) -> Layout:
    """How a folder holds members of these cases.

    Raises:
        DataError: it is no folder, or none of the cases is in it.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: give the folder that holds the predictions.")
    if _files(folder).keys() & set(cases):
        return "files"
    inside = {one.name: _files(one) for one in _folders(folder)}
    if inside.keys() & set(cases):
        return "cases"
    if any(files.keys() & set(cases) for files in inside.values()):
        return "members"
    raise DataError(
        f"no case of the references is in {folder}: it holds "
        f"{', '.join(sorted([*_files(folder), *inside])[:3]) or 'nothing'}, they are "
        f"{', '.join(sorted(cases)[:3])}. Predictions must be named like their references."
    )


def find_members(folder: Path, layout: Layout) -> dict[str, list[Path]]:
    """The files of each case, sorted.

    Raises:
        DataError: there is none, or a case has fewer members than another.
    """
    if layout == "files":
        found = {case: [file] for case, file in _files(folder).items()}
    elif layout == "cases":
        inside = {one.name: list(_files(one).values()) for one in _folders(folder)}
        found = {case: files for case, files in inside.items() if files}
    else:
        found = {}
        for one in _folders(folder):
            for case, file in _files(one).items():
                found.setdefault(case, []).append(file)
    if not found:
        raise DataError(f"{folder} holds no predictions as a {layout[:-1]} each.")
    most = max(found, key=lambda case: len(found[case]))
    fewest = min(found, key=lambda case: len(found[case]))
    if len(found[fewest]) < len(found[most]):
        raise DataError(
            f"{folder}: case {fewest} has {len(found[fewest])} members, {most} has "
            f"{len(found[most])}; give every case all members."
        )
    return dict(sorted(found.items()))


def read_members(path: Path, like: Volume | None) -> Iterator[NDArray[Any]]:
    """The members in a file: each probabilities (class, d, h, w) or class indices (d, h, w).

    Args:
        path: of the file.
        like: on whose voxels they must lie.

    Raises:
        DataError: the file can't be read, or lies on other voxels.
    """
    if path.name.lower().endswith(NPZ):
        stack = _npz(path)
    else:
        found = read_image(path)
        place = Volume(found.array if found.array.ndim == 3 else found.array[0], found.affine)
        if like and place.array.shape == like.array.shape and not same_grid(place, like):
            raise DataError(f"{path} is turned or moved against its reference; resample it.")
        stack = found.array[None]
    for array in stack:
        if like and array.shape[-3:] != like.array.shape:
            raise DataError(
                f"{path} has {array.shape[-3:]} voxels, its reference {like.array.shape}; resample "
                "it, or turn its axes."
            )
        yield _meaning(array)


def _meaning(array: NDArray[Any]) -> NDArray[Any]:
    """Probabilities or class indices; one probability becomes two."""
    if array.ndim == 4:
        return array
    whole = np.rint(array)
    if np.array_equal(array, whole):
        return np.asarray(whole, np.intp)
    return np.stack([1 - array, array])


def _npz(path: Path) -> NDArray[Any]:
    """(member, class, d, h, w) or (member, d, h, w)."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            names = [name for name in stored.files if name not in ("affine", "spacing")]
            names = [name for name in names if name in _REVERSED] or names
            if len(names) != 1:
                raise DataError(
                    f"{path}: expected one array of probabilities, got "
                    f"{', '.join(stored.files) or 'none'}; call it probabilities."
                )
            array: NDArray[Any] = stored[names[0]]
            reversed_axes = names[0] in _REVERSED and "affine" not in stored.files
    except (OSError, ValueError, zipfile.BadZipFile, KeyError, EOFError, zlib.error) as error:
        raise unreadable(path, error) from error
    if array.ndim not in (3, 4, 5) or array.dtype.kind not in "biuf":
        raise DataError(
            f"{path}: has {array.shape} of {array.dtype}, expected numbers (class, d, h, w) or "
            "(member, class, d, h, w)."
        )
    if reversed_axes:
        array = np.swapaxes(array, -1, -3)
    stack: NDArray[Any] = array if array.ndim == 5 else array[None]
    return stack


def _files(folder: Path) -> Mapping[str, Path]:
    """The volumes of a folder; an NPZ of probabilities comes before the label map beside it."""
    archives = {stem_of(path.name): path for path in sorted(folder.glob("[!.]*.npz"))}
    own = {str(stem): path for stem, path in archives.items()}
    return own or volume_files(folder)


def _folders(folder: Path) -> list[Path]:
    return [one for one in sorted(folder.glob("[!.]*")) if one.is_dir()]
