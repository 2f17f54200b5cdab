"""A download is whole and right before it gets its name; what was cut off is continued."""

import gzip
import hashlib
import threading

import pytest
from voxbench.api import Checkpoint
from voxbench.errors import WeightsError
from voxbench.published import transfer
from voxbench.published.download import download

from tests.published.conftest import CONTENT
from tests.published.server import ranged

SHA256 = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"
PAGE = "https://example.org/weights"


def offered(server, checksum=SHA256):
    return Checkpoint(file="w.pth", url=server.url, page=PAGE, checksum=checksum)


def partial(folder):
    return folder / ".partial" / "w.pth" / "content"


@pytest.mark.parametrize("checksum", [SHA256, MD5, None])
def test_a_file_arrives_whole_and_is_asked_for_once(server, folder, checksum):
    told = []
    for _ in range(2):
        path = download(offered(server, checksum), lambda *bytes_: told.append(bytes_))
    assert path == folder / "w.pth"
    assert path.read_bytes() == CONTENT
    assert server.asked == [None]
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert not partial(folder).exists()


def cut(server, folder, checksum=SHA256, at=2**17):
    server.drop_after = at
    with pytest.raises(WeightsError, match=f"broke off .*; {at:,} bytes are kept, run the command"):
        download(offered(server, checksum))
    assert not (folder / "w.pth").exists()
    assert partial(folder).read_bytes() == CONTENT[:at]


@pytest.mark.parametrize("checksum", [SHA256, None])
def test_a_broken_download_goes_on_where_it_stopped(server, folder, checksum):
    cut(server, folder, checksum)
    assert download(offered(server, checksum)).read_bytes() == CONTENT
    assert server.asked == [None, "bytes=131072-"]


def test_a_server_that_ignores_ranges_sends_all_again(server, folder):
    cut(server, folder)
    server.ranges = False
    assert download(offered(server)).read_bytes() == CONTENT


@pytest.mark.parametrize("etag", ['"second"', None, 'W/"first"'])
def test_without_a_checksum_only_the_same_file_is_continued(server, folder, etag):
    server.etag = '"first"' if etag == '"second"' else etag
    cut(server, folder, checksum=None)
    server.etag, server.content = etag, CONTENT[::-1]
    assert download(offered(server, checksum=None)).read_bytes() == CONTENT[::-1]


def test_a_download_that_was_whole_but_not_yet_named_is_named(server, folder):
    partial(folder).parent.mkdir(parents=True)
    partial(folder).write_bytes(CONTENT)
    assert download(offered(server)).read_bytes() == CONTENT
    assert server.asked == [f"bytes={len(CONTENT)}-"]


SIZE, AT, OTHER = len(CONTENT), 2**17, bytes(reversed(CONTENT))
PARTS = {
    "too short, its range says": lambda start: (
        206,
        ranged(start, SIZE - 9, SIZE),
        CONTENT[start:-9],
    ),
    "too short": lambda start: (206, ranged(start, SIZE, SIZE), CONTENT[start : SIZE - 9]),
    "too short, its length says": lambda start: (
        206,
        ranged(start, SIZE, SIZE) | {"Content-Length": str(SIZE - 9 - start)},
        CONTENT[start : SIZE - 9],
    ),
    "shifted": lambda start: (206, ranged(start + 9, SIZE, SIZE), CONTENT[start + 9 :]),
    "from the start": lambda start: (206, ranged(0, SIZE, SIZE), CONTENT),
    "of another tag": lambda start: (
        206,
        {"ETag": '"second"', **ranged(start, SIZE, SIZE)},
        OTHER[start:],
    ),
    "of another length": lambda start: (
        206,
        ranged(start, SIZE + 9, SIZE + 9),
        CONTENT[start:] + b"more here",
    ),
    "without a range": lambda start: (206, {"Content-Length": str(SIZE - start)}, CONTENT[start:]),
    "of no known length": lambda start: (
        206,
        {"Content-Range": f"bytes {start}-{SIZE - 1}/*", "Content-Length": str(SIZE - start)},
        CONTENT[start:],
    ),
    "packed": lambda start: (
        206,
        {"Content-Encoding": "gzip", **ranged(start, SIZE, SIZE)},
        CONTENT[start:],
    ),
    "beyond the end": lambda start: (416, {"Content-Length": "0"}, b""),
}


@pytest.mark.parametrize("checksum", [SHA256, None])
@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_does_not_fit_never_becomes_the_file(server, folder, part, checksum):
    cut(server, folder, checksum)
    server.part = PARTS[part]
    for _ in range(2):
        try:
            path = download(offered(server, checksum))
        except WeightsError as error:
            assert "broke off" in str(error)  # noqa: PT017 (it may)
            assert not (folder / "w.pth").exists()
            server.part = None
        else:
            assert path.read_bytes() == CONTENT
            return
    pytest.fail("never whole")


def test_a_part_of_another_file_is_found_by_the_checksum_and_all_is_fetched_again(server, folder):
    server.etag = None
    cut(server, folder)
    server.part = lambda start: (206, ranged(start, SIZE, SIZE), OTHER[start:])
    assert download(offered(server)).read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={AT}-", None]


@pytest.mark.parametrize("checksum", [SHA256, None])
def test_a_packed_file_is_not_unpacked(server, folder, checksum):
    server.content = gzip.compress(bytes(10**6))
    server.headers = {"Content-Encoding": "gzip"}
    with pytest.raises(WeightsError, match=r"sends it packed \(gzip\)"):
        download(offered(server, checksum))
    assert not partial(folder).exists()


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Content-Length": str(10**12)}, "offers 1,000,000,000,000 bytes, at most"),
        ({"Content-Length": "many"}, "tells no length"),
        ({"Content-Length": "-5"}, "tells no length"),
    ],
)
def test_a_length_that_can_t_be_is_one_line(server, folder, headers, said):
    server.headers = headers
    with pytest.raises(WeightsError, match=said):
        download(offered(server, checksum=None))
    assert not (folder / "w.pth").exists()


def test_no_more_is_taken_than_a_file_may_have(server, folder, monkeypatch):
    monkeypatch.setattr(transfer, "MOST_BYTES", 2**16)
    server.headers = {"Content-Length": ""}
    with pytest.raises(WeightsError, match="sends more than 65,536 bytes"):
        download(offered(server))


def test_a_server_that_trickles_is_left(server, folder, monkeypatch):
    monkeypatch.setattr(transfer, "_FIRST_S", 0.0)
    monkeypatch.setattr(transfer, "SLOWEST", 1e15)
    with pytest.raises(WeightsError, match=r"broke off \(slower than"):
        download(offered(server))


@pytest.mark.parametrize("place", ["http://[", "http://\u0001/", "//", "http://127.0.0.1:x/"])
def test_a_redirect_to_nowhere_is_one_line(server, folder, place):
    server.answer = (302, place)
    with pytest.raises(WeightsError):
        download(offered(server))


@pytest.mark.parametrize("left", [b"{", b"\xff", b"[]", b'{"etag": 1, "total": "x"}'])
def test_a_damaged_note_of_a_download_costs_time_alone(server, folder, left):
    cut(server, folder)
    partial(folder).with_name("state.json").write_bytes(left)
    assert download(offered(server)).read_bytes() == CONTENT


def test_what_the_first_download_was_is_noted_and_demanded_ever_after(server, folder):
    path = download(offered(server, checksum=None))
    note = path.with_name("w.pth.sha256")
    assert note.read_text() == f"{SHA256.removeprefix('sha256:')}  w.pth\n"
    path.write_bytes(b"damaged")
    assert download(offered(server, checksum=None)).read_bytes() == CONTENT
    path.unlink()
    server.content = OTHER
    with pytest.raises(
        WeightsError, match=r"that of the first one was another.*delete .*w\.pth\.sha"
    ):
        download(offered(server, checksum=None))
    assert not path.exists()
    note.unlink()
    assert download(offered(server, checksum=None)).read_bytes() == OTHER


def test_wrong_bytes_are_not_kept_and_both_checksums_told(server, folder):
    server.content = b"wrong" + CONTENT[5:]
    found = hashlib.sha256(server.content).hexdigest()
    with pytest.raises(WeightsError) as caught:
        download(offered(server))
    assert f"sha256 of the download is {found}, its card says {SHA256[7:]}" in str(caught.value)
    assert [
        path for path in folder.rglob("*") if path.is_file() and path.stat().st_size > 100
    ] == []
    server.content = CONTENT
    assert download(offered(server)).read_bytes() == CONTENT


def test_a_damaged_file_in_the_folder_is_fetched_again(server, folder):
    folder.mkdir(parents=True)
    (folder / "w.pth").write_bytes(b"damaged")
    assert download(offered(server)).read_bytes() == CONTENT


def test_a_file_that_is_gone_is_one_error_with_its_page(server, folder):
    server.answer = (404, "")
    with pytest.raises(WeightsError, match=f"answers 404 Not Found; look at {PAGE}"):
        download(offered(server))
    assert not partial(folder).exists()


def test_a_redirect_is_followed_on_the_web_alone(server, folder, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("not for you")
    server.answer = (302, secret.as_uri())
    with pytest.raises(WeightsError, match="leads elsewhere than to the web"):
        download(offered(server, checksum=None))
    assert not (folder / "w.pth").exists()


def test_a_secure_address_is_not_led_to_an_open_one():
    from voxbench.published.transfer import _session

    with _session("https://example.org/w.pth") as session:
        assert set(session.adapters) == {"https://"}


def test_no_connection_is_one_line(server, folder):
    server.close()
    with pytest.raises(WeightsError, match=r"no connection\); online") as caught:
        download(offered(server))
    assert "\n" not in str(caught.value)


def test_a_file_without_an_address_names_its_page(folder):
    with pytest.raises(WeightsError, match=f"ask for it at {PAGE}"):
        download(Checkpoint(file="w.pth", page=PAGE))


def test_two_at_once_download_once(server, folder):
    found = []
    both = [
        threading.Thread(target=lambda: found.append(download(offered(server)).read_bytes()))
        for _ in range(2)
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert found == [CONTENT, CONTENT]
    assert server.asked == [None]
