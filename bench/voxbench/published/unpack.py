"""A downloaded archive into a folder: names, kinds and sizes are checked before any file.

Plain files below the folder are written and nothing else: another place, a link or a doubled name
refuses the archive as a whole. What macOS adds to archives is left out.
"""

import gzip
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from voxbench.errors import DataError
from voxbench.progress import tell

MOST_FILES = 2_000_000
MOST_RATIO = 200  # label maps shrink to a hundredth; deflate alone could give a thousandth
_BROKEN = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, gzip.BadGzipFile),
    *(EOFError, ValueError, RuntimeError, NotImplementedError, LookupError),
)


class _Member(NamedTuple):
    name: str
    size: int
    plain: bool
    opened: Callable[[], IO[bytes]]


def unpack(archive: Path, folder: Path) -> None:
    """Write the files of a zip or tar archive below a folder.

    Raises:
        DataError: it is neither, is damaged, or holds what may not be written; or the disk is full.
    """
    try:
        with _members(archive) as members:
            wanted = [member for member in members if not _of_macos(member.name)]
            _check(archive, wanted, folder)
            size = sum(member.size for member in wanted)
            tell(f"{archive.name}: {size:,} bytes to be unpacked, {len(wanted):,} files")
            for member in wanted:
                _write(archive, member, folder)
    except _BROKEN as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise DataError(f"{archive}: can't be unpacked ({reason}).") from None


@contextmanager
def _members(archive: Path) -> Iterator[list[_Member]]:
    """Every file and link; folders come with their files."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            yield [
                _Member(one.filename, one.file_size, _is_plain(one), partial(zipped.open, one))
                for one in zipped.infolist()
                if not one.is_dir()
            ]
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as tarred:
            yield [
                _Member(one.name, one.size, one.isreg(), partial(_opened, tarred, one))
                for one in _whole(tarred)
                if not one.isdir()
            ]
    else:
        raise DataError(f"{archive}: is neither a zip nor a tar archive.")


def _whole(tarred: tarfile.TarFile) -> list[tarfile.TarInfo]:
    """All members, to where zeros end the archive and its compression knows its checksum."""
    members = tarred.getmembers()
    while rest := tarred.fileobj.read(2**20) if tarred.fileobj else b"":
        if rest.strip(b"\0"):
            raise tarfile.TarError("something that is no file follows the last one")
    return members


def _opened(tarred: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = tarred.extractfile(member)
    if file is None:
        raise tarfile.TarError(f"{member.name} can't be read")
    return file


def _is_plain(info: zipfile.ZipInfo) -> bool:
    kind = stat.S_IFMT(info.external_attr >> 16)
    return kind in {0, stat.S_IFREG}


def _of_macos(name: str) -> bool:
    path = PurePosixPath(name)
    return "__MACOSX" in path.parts or path.name.startswith("._") or path.name == ".DS_Store"


def _check(archive: Path, members: Sequence[_Member], folder: Path) -> None:
    names = set[str]()
    for member in members:
        path = PurePosixPath(member.name)
        outside = path.is_absolute() or ".." in path.parts or "\\" in member.name or not path.name
        if outside or not member.plain:
            what = "would lie outside of its folder" if outside else "is a link or a device"
            raise DataError(f"{archive}: refused, {member.name!r} {what}.")
        if path.as_posix().casefold() in names:
            raise DataError(f"{archive}: refused, {member.name!r} is in it twice.")
        names.add(path.as_posix().casefold())
    total, packed = sum(member.size for member in members), archive.stat().st_size
    if len(members) > MOST_FILES or total > MOST_RATIO * packed + 2**20:
        raise DataError(
            f"{archive}: refused, it would grow from {packed:,} to {total:,} bytes in "
            f"{len(members):,} files."
        )
    free = shutil.disk_usage(folder).free
    if total > free:
        raise DataError(f"{folder}: {total:,} bytes are to be unpacked, {free:,} are free.")


def _write(archive: Path, member: _Member, folder: Path) -> None:
    path = folder.joinpath(*PurePosixPath(member.name).parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    with member.opened() as source, path.open("xb") as file:
        shutil.copyfileobj(source, file)
    if path.stat().st_size != member.size:
        raise DataError(f"{archive}: {member.name!r} is cut off.")
