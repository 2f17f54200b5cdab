"""A download is whole and right before it gets its name; what was cut off is continued."""

import hashlib
import threading

import pytest
from voxbench.api import Checkpoint
from voxbench.errors import WeightsError
from voxbench.published.download import download

from tests.published.conftest import CONTENT

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
    from voxbench.published.download import _session

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
