"""A public data set is downloaded, unpacked within its folder, and there whole or not at all."""

import hashlib
import io
import random
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from voxbench.api import Archive, Source
from voxbench.errors import DataError
from voxbench.published.unpack import unpack
from voxbench_tasks.releases.lits import Lits

from tests.published.server import Server
from tests.tasks.test_releases import lits


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(files: dict[str, bytes], mode: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def contents(root: Path) -> dict[str, bytes]:
    paths = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture
def release(tmp_path) -> dict[str, bytes]:
    """The files of a mock of LiTS."""
    return contents(lits(tmp_path / "mock"))


@pytest.fixture
def offer(tmp_path, monkeypatch):
    """Serve an archive as the download of LiTS; gives the server and where the data belong."""
    monkeypatch.setenv("VOXBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("VOXBENCH_DATA", str(tmp_path / "data"))
    servers = []

    def serve(content: bytes, checksum: str | None = None) -> tuple[Server, Path]:
        servers.append(server := Server(content))
        archive = Archive(server.url, checksum or f"sha256:{hashlib.sha256(content).hexdigest()}")
        monkeypatch.setattr(Lits, "source", Source(where="Ask.", free=True, archives=(archive,)))
        return server, tmp_path / "data" / "LiTS"

    yield serve
    for server in servers:
        server.close()


def leavings(target: Path) -> list[str]:
    return [path.name for path in target.parent.iterdir()] if target.parent.is_dir() else []


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize("top", ["", "LiTS/", "another name/"])
def test_a_data_set_lies_where_the_task_looks_for_it(voxbench, offer, release, pack, top):
    extra = {f"{top}._x": b"1", "__MACOSX/y": b"2"}
    server, target = offer(pack({f"{top}{name}": release[name] for name in release} | extra))
    code, out, err = voxbench("data", "get", "lits", "--accept-licence")
    assert (code, out.splitlines()[-1]) == (0, str(target)), err
    size = sum(map(len, release.values()))
    assert f"{size:,} bytes to be unpacked, {len(release)} files" in err
    assert contents(target) == release
    assert leavings(target) == ["LiTS"]
    assert voxbench("data", "get", "lits", "--accept-licence")[0] == 0
    assert server.asked == [None]  # what is here is not fetched again


def test_the_licence_is_shown_and_has_to_be_accepted(voxbench, offer, release):
    server, target = offer(zipped(release))
    code, out, err = voxbench("data", "get", "lits")
    assert (code, server.asked, target.exists()) == (2, [], False)
    assert out.startswith("licence: CC BY-NC-ND 4.0")
    assert "--accept-licence" in err


def test_a_download_that_was_cut_off_goes_on(voxbench, offer, release):
    server, target = offer(zipped(release))
    server.drop_after = 1000
    code, _, err = voxbench("data", "get", "lits", "--accept-licence")
    assert code == 2
    assert "1,000 bytes are kept, run the command again to go on" in err
    assert voxbench("data", "get", "lits", "--accept-licence")[0] == 0
    assert server.asked == [None, "bytes=1000-"]
    assert contents(target) == release


def test_another_file_than_the_published_one_is_not_unpacked(voxbench, offer, release):
    _, target = offer(zipped(release), checksum="md5:" + "0" * 32)
    code, _, err = voxbench("data", "get", "lits", "--accept-licence")
    assert (code, target.exists()) == (2, False)
    assert "it was not kept" in err


def test_an_archive_of_something_else_leaves_nothing_in_place(voxbench, offer):
    _, target = offer(zipped({"readme.txt": b"hello"}))
    code, _, err = voxbench("data", "get", "lits", "--accept-licence")
    assert (code, leavings(target)) == (2, [])
    assert "lits: the download is not the release: in the archive: no */volume-{case}" in err


def test_what_is_given_on_request_is_told_where(voxbench, tmp_path):
    field = ("--field", f"root={tmp_path / 'btcv'}")
    code, _, err = voxbench("data", "get", "btcv", *field, "--accept-licence")
    assert code == 2
    assert "it has no fixed address. Unpack Abdomen/RawData.zip of synapse.org" in err


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "a\\..\\out"])
def test_nothing_is_written_outside_of_the_folder(tmp_path, pack, name):
    (folder := tmp_path / "folder").mkdir()
    (tmp_path / "a.bin").write_bytes(pack({"fine": b"1", name: b"2"}))
    with pytest.raises(DataError, match="would lie outside of its folder"):
        unpack(tmp_path / "a.bin", folder)
    assert contents(folder) == {}
    assert leavings(folder) == ["folder", "a.bin"] or leavings(folder) == ["a.bin", "folder"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path, kind):
    (folder := tmp_path / "folder").mkdir()
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        info = tarfile.TarInfo("link")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(DataError, match="is a link or a device"):
        unpack(tmp_path / "a.tar", folder)


def test_a_link_in_a_zip_is_refused(tmp_path):
    (folder := tmp_path / "folder").mkdir()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DataError, match="is a link or a device"):
        unpack(tmp_path / "a.zip", folder)


def test_an_archive_that_would_fill_the_disk_is_refused(tmp_path):
    (folder := tmp_path / "folder").mkdir()
    (tmp_path / "a.zip").write_bytes(zipped({"zeros": bytes(2**23)}))
    with pytest.raises(DataError, match="would grow from"):
        unpack(tmp_path / "a.zip", folder)
    assert contents(folder) == {}


def test_a_name_that_is_there_twice_is_refused(tmp_path):
    (folder := tmp_path / "folder").mkdir()
    (tmp_path / "a.zip").write_bytes(zipped({"One": b"1", "one": b"2"}))
    with pytest.raises(DataError, match="is in it twice"):
        unpack(tmp_path / "a.zip", folder)


def test_a_damaged_archive_and_no_archive_are_told(tmp_path):
    (folder := tmp_path / "folder").mkdir()
    whole = zipped({"one": bytes(range(256)) * 40})
    (tmp_path / "a.zip").write_bytes(whole[:60] + b"\xff" * 20 + whole[80:])
    with pytest.raises(DataError, match="can't be unpacked"):
        unpack(tmp_path / "a.zip", folder)
    (tmp_path / "b.zip").write_bytes(b"hello")
    with pytest.raises(DataError, match="neither a zip nor a tar"):
        unpack(tmp_path / "b.zip", folder)


@pytest.mark.parametrize("place", [0.4, 0.99])
@pytest.mark.parametrize("mode", ["w:gz", "w:xz"])
def test_a_compressed_archive_is_read_to_its_checksum(tmp_path, mode, place):
    (folder := tmp_path / "folder").mkdir()
    content = bytearray(
        tarred({str(n): random.Random(n).randbytes(20_000) for n in range(3)}, mode)
    )
    (tmp_path / "whole").write_bytes(content)
    unpack(tmp_path / "whole", folder)
    content[int(place * len(content))] ^= 1
    (tmp_path / "damaged").write_bytes(content)
    (other := tmp_path / "other").mkdir()
    with pytest.raises(DataError, match="damaged: can't be unpacked"):
        unpack(tmp_path / "damaged", other)
    assert contents(other) == {}


def test_a_damaged_header_does_not_hide_the_files_behind_it(tmp_path):
    (folder := tmp_path / "folder").mkdir()
    content = bytearray(tarred({"one": b"1", "two": b"2", "three": b"3"}))
    content[1024] ^= 1
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(DataError, match="something that is no file follows the last one"):
        unpack(tmp_path / "a.tar", folder)
    assert contents(folder) == {}
