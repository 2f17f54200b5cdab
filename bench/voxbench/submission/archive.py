"""A stranger's zip archive, read in memory: names, kinds and sizes are checked before any member.

A zip has a directory with every member's name and size at its end, so that all of them can be
judged before one is decompressed; in a tar they come one after another. What is allowed is listed
(`voxbench.submission.manifest.kind_of`), everything else is refused: other places, links, folders,
doubled names, encryption, and archives that need more than 32 bits.
"""

import hashlib
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from voxbench.errors import BundleError
from voxbench.submission.diagnostics import printable
from voxbench.submission.manifest import MemberKind, kind_of

MOST_MEMBERS = 60_000
MOST_BYTES: Mapping[MemberKind, int] = {
    "manifest": 16 << 20,
    "record": 8 << 20,
    "prediction": 64 << 20,
}
MOST_TEXT = 512 << 20  # of all records together, decompressed
MOST_RATIO = 200  # JSON of records shrinks to a twentieth; zlib alone could give a thousandth
_DIRECTORY = 16 << 20
_END = struct.Struct("<4s4H2IH")
_UTF8, _LEVEL, _DESCRIPTOR, _ENCRYPTED = 0x800, 0x6, 0x8, 0x1
_BROKEN = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, OSError, EOFError,
    ValueError, RuntimeError, NotImplementedError, LookupError, OverflowError, MemoryError,
)  # fmt: skip


class Archive:
    """The members of an archive that passed.

    Attributes:
        path: of the archive.
        sha256: of its bytes.
        members: name → size in bytes once decompressed.
    """

    def __init__(self, path: Path, file: IO[bytes], archive: zipfile.ZipFile) -> None:
        self.path = path
        self.sha256 = _digest(file)
        self._archive = archive
        self._infos = {info.filename: info for info in archive.infolist()}
        self.members = {name: info.file_size for name, info in self._infos.items()}

    def read(self, name: str) -> bytes:
        """The content of a member, as long as the directory says.

        Raises:
            BundleError: it is damaged, or of another size.
        """
        info = self._infos[name]
        try:
            with self._archive.open(info) as stream:
                content = stream.read(info.file_size)  # zipfile gives no more, and checks the CRC
        except _BROKEN as error:
            reason = _reason(error)
        else:
            if len(content) == info.file_size:
                return content
            reason = "it is shorter than the archive says"
        raise BundleError(f"{self.path}: member {printable(name)!r} is damaged ({reason}).")


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open an archive whose directory is sound.

    Raises:
        BundleError: it is no such archive, or holds a member that no bundle has.
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            total, start = _end(path, file)
            archive = stack.enter_context(zipfile.ZipFile(file))
            infos = archive.infolist()
            if len(infos) != total:
                raise _refused(path, "its directory is damaged")
            _check_all(path, infos, start)
            found = Archive(path, file, archive)
        except _BROKEN as error:
            raise BundleError(f"{path}: can't be read as a bundle ({_reason(error)}).") from None
        yield found


def _end(path: Path, file: IO[bytes]) -> tuple[int, int]:
    """How many members the directory has and where it starts, from the record at the end."""
    size = file.seek(0, 2)
    if size < _END.size:
        raise _refused(path, "it is no zip archive")
    file.seek(max(0, size - _END.size - 20))
    tail = file.read()
    sign, disk, first, here, total, length, start, comment = _END.unpack(tail[-_END.size :])
    if sign != b"PK\5\6" or comment:
        raise _refused(path, "it is no zip archive, was cut off, or has something after its end")
    if 0xFFFF in (here, total) or tail.startswith(b"PK\6\7"):
        raise _refused(path, "it is a zip64 archive; a bundle has at most 60,000 members and 4 GB")
    if disk or first or here != total or start + length + _END.size != size:
        raise _refused(path, "its directory does not lie where its end says")
    if total > MOST_MEMBERS or length > _DIRECTORY:
        raise _refused(path, f"it has {total:,} members; at most {MOST_MEMBERS:,} are read")
    return total, start


def _check_all(path: Path, infos: list[zipfile.ZipInfo], start: int) -> None:
    for info in infos:
        if reason := _unfit(info):
            raise _refused(path, f"member {printable(info.orig_filename)!r} {reason}")
    names = Counter(_folded(info.filename) for info in infos)
    for info in infos:
        if names[_folded(info.filename)] > 1:
            raise _refused(
                path, f"member {printable(info.filename)!r} is there twice, or differs only in case"
            )
    if sum(info.compress_size + 30 for info in infos) > start:
        raise _refused(path, "its members overlap")
    text = sum(info.file_size for info in infos if kind_of(info.filename) != "prediction")
    if text > MOST_TEXT:
        raise _refused(path, f"its records hold {text:,} bytes; at most {MOST_TEXT:,} are read")


def _unfit(info: zipfile.ZipInfo) -> str | None:
    """Why a member can't be in a bundle, told before it is read."""
    kind = kind_of(info.filename)
    if kind is None or info.filename != info.orig_filename:
        return (
            "has no place in a bundle; there are manifest.json, records/KEY.json and "
            "predictions/KEY/CASE.nii.gz"
        )
    mode = info.external_attr >> 16
    if (stat.S_IFMT(mode) and not stat.S_ISREG(mode)) or info.external_attr & 0x10:
        return "is no plain file (a link, a folder or a device)"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if info.flag_bits & ~(_UTF8 | _LEVEL | _DESCRIPTOR) or info.extra:
        return "uses a feature of zip that bundles have no use for"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is compressed by another method than deflate"
    if info.file_size > MOST_BYTES[kind]:
        return f"holds {info.file_size:,} bytes; at most {MOST_BYTES[kind]:,} are read"
    if info.file_size > MOST_RATIO * max(info.compress_size, 1024):
        return f"would grow from {info.compress_size:,} to {info.file_size:,} bytes"
    return None


def _folded(name: str) -> str:
    """A name as a file system that knows no case sees it."""
    return unicodedata.normalize("NFKC", name).casefold()


def _digest(file: IO[bytes]) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def _refused(path: Path, reason: str) -> BundleError:
    return BundleError(f"{path}: refused, {reason}.")


def _reason(error: Exception) -> str:
    return printable(str(error).partition("\n")[0]) or type(error).__name__
