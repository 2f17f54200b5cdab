"""A public data set: downloaded, unpacked, and in its place once the task can read it."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from voxbench.api import Archive, Checkpoint, PublicTask
from voxbench.errors import DataError, WeightsError
from voxbench.files import remove_leavings, temporary_beside
from voxbench.locks import locked
from voxbench.paths import published_dir
from voxbench.published.download import download
from voxbench.published.transfer import Arrived
from voxbench.published.unpack import unpack


def get(task: PublicTask, watching: Callable[[str], Arrived]) -> Path:
    """The folder of a data set, filled if nothing is in it yet; one process fills it, others wait.

    Archives are downloaded to the cache, continued where they stopped and held against their
    checksum; each goes once its files are in place.

    Args:
        task: with the `root` that is to be filled.
        watching: name of an archive → who is told how much of it is here.

    Raises:
        DataError: it has no download, one failed, or its files are not what the task reads.
    """
    with locked(published_dir() / ".partial" / task.root.name):
        if task.root.is_dir() and any(task.root.iterdir()):
            return task.root
        if not task.source.archives:
            raise DataError(f"{task.card.name}: it has no fixed address. {task.source.where}")
        paths = [_downloaded(archive, watching(archive.name)) for archive in task.source.archives]
        _place(task, paths)
        for path in paths:
            path.unlink()
    return task.root


def _place(task: PublicTask, archives: Sequence[Path]) -> None:
    """Unpack archives to the task's folder, whole or not at all."""
    task.root.parent.mkdir(parents=True, exist_ok=True)
    remove_leavings(task.root.parent)
    folder = temporary_beside(task.root)
    folder.mkdir()
    try:
        for archive in archives:
            unpack(archive, folder)
        found = _readable(task, folder)
        if task.root.is_dir():
            task.root.rmdir()
        found.replace(task.root)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _downloaded(archive: Archive, arrived: Arrived) -> Path:
    page = archive.url.rpartition("/")[0]
    offer = Checkpoint(file=archive.name, url=archive.url, page=page, checksum=archive.checksum)
    try:
        return download(offer, arrived)
    except WeightsError as error:
        raise DataError(str(error)) from error


def _readable(task: PublicTask, folder: Path) -> Path:
    """What was unpacked, or the only folder in it: whichever the task can read.

    Raises:
        DataError: neither; what the task misses.
    """
    inner, reasons = [path for path in folder.iterdir() if path.is_dir()], []
    for place in [folder, *inner] if len(inner) == 1 else [folder]:
        try:
            replace(task, root=place).released()
        except DataError as error:
            reasons.append(str(error).replace(str(place), "in the archive"))
        else:
            return place
    raise DataError(f"{task.card.name}: the download is not the release: {reasons[-1]}")
