"""A label map is judged by its header before a voxel of it is decompressed."""

import gzip
import io
import struct

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.data.label_map import write_label_map
from voxbench.submission import labelmap
from voxbench.submission.labelmap import read_map

AFFINE = np.array([[0, 1.5, 0, 5], [-1, 0, 0, 6], [0, 0, 2, 7], [0, 0, 0, 1.0]])
LABELS = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.fixture
def raw(tmp_path) -> bytes:
    write_label_map(tmp_path / "a.nii.gz", LABELS, AFFINE)
    return gzip.decompress((tmp_path / "a.nii.gz").read_bytes())


def changed(raw: bytes, at: int, layout: str, *values) -> bytes:
    """The compressed file with numbers of its header replaced."""
    new = struct.pack("<" + layout, *values)
    return gzip.compress(raw[:at] + new + raw[at + len(new) :])


def test_what_was_written_is_read_as_nibabel_reads_it(raw, tmp_path):
    found = read_map(gzip.compress(raw))
    theirs = nibabel.load(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(found.labels, LABELS)
    np.testing.assert_array_equal(found.labels, np.asanyarray(theirs.dataobj))
    np.testing.assert_array_equal(found.affine, theirs.affine)


def test_big_endian_headers_are_read(tmp_path):
    header = nibabel.Nifti1Header(endianness=">")
    header.set_data_dtype(np.uint8)
    path = tmp_path / "b.nii.gz"
    nibabel.save(nibabel.Nifti1Image(LABELS, AFFINE, header), path)
    assert gzip.decompress(path.read_bytes())[:4] == b"\0\0\x01\x5c"
    found = read_map(path.read_bytes())
    np.testing.assert_array_equal(found.labels, LABELS)
    np.testing.assert_allclose(found.affine, AFFINE)


@pytest.mark.parametrize(
    ("at", "layout", "values", "message"),
    [
        (0, "i", [0], "no NIfTI-1"),
        (344, "4s", [b"ni1\0"], "no NIfTI-1"),
        (40, "8h", [3, 32767, 32767, 32767, 1, 1, 1, 1], "at most 536,870,912"),
        (40, "8h", [3, -2, -3, 4, 1, 1, 1, 1], "3 axes"),
        (40, "8h", [3, 0, 3, 4, 1, 1, 1, 1], "3 axes"),
        (40, "8h", [7, 2, 3, 4, 9999, 9999, 9999, 9999], "3 axes"),
        (40, "8h", [-1, 2, 3, 4, 1, 1, 1, 1], "3 axes"),
        (40, "8h", [3, 2, 3, 5, 1, 1, 1, 1], "ends too early"),
        (40, "8h", [3, 2, 3, 3, 1, 1, 1, 1], "more bytes than its header says"),
        (70, "2h", [16, 32], "datatype 16"),
        (70, "2h", [2, 64], "uint8"),
        (70, "2h", [1792, 128], "datatype 1792"),
        (108, "f", [float("nan")], "voxels begin at nan"),
        (108, "f", [1e30], "voxels begin at"),
        (108, "f", [-352.0], "voxels begin at"),
        (108, "f", [0.0], "voxels begin at"),
        (112, "2f", [2.0, 0.0], "scaled"),
        (112, "2f", [1.0, float("inf")], "scaled"),
        (280, "4f", [float("nan")] * 4, "no inverse"),
        (280, "4f", [0.0] * 4, "no inverse"),
        (280, "4f", [float("inf"), 0, 0, 0], "no inverse"),
        (80, "3f", [float("nan"), 1, 1], "voxels of"),
        (80, "3f", [1, 0, 1], "voxels of"),
    ],
)
def test_a_wrong_header_is_refused(raw, at, layout, values, message):
    with pytest.raises(ValueError, match=message):
        read_map(changed(raw, at, layout, *values))


@pytest.fixture
def pieces(monkeypatch) -> list[int]:
    """Sizes of the pieces that were decompressed."""
    found, inflated = [], labelmap._inflated

    def watched(*asked):
        piece = inflated(*asked)
        found.append(len(piece))
        return piece

    monkeypatch.setattr(labelmap, "_inflated", watched)
    return found


def test_a_bomb_is_read_no_further_than_its_header_says(raw, pieces):
    """64 MB of zeros behind a header of 24 voxels."""
    with pytest.raises(ValueError, match="more bytes than its header says"):
        read_map(gzip.compress(raw + bytes(64 << 20), 1))
    assert sum(pieces) <= 2 << 20


def test_no_voxel_is_decompressed_for_a_huge_header(raw, pieces):
    with pytest.raises(ValueError, match="at most"):
        read_map(changed(raw + bytes(8 << 20), 40, "8h", 3, 32767, 32767, 32767, 1, 1, 1, 1))
    assert pieces == [352]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "too early"),
        (b"plain", "no gzip file"),
        (gzip.compress(b""), "too early"),
        (gzip.compress(bytes(352)), "no NIfTI-1"),
    ],
    ids=["empty", "plain", "nothing", "zeros"],
)
def test_another_file_is_refused(content, message):
    with pytest.raises(ValueError, match=message):
        read_map(content)


def test_what_follows_the_compressed_data_is_refused(raw):
    with pytest.raises(ValueError, match="something follows"):
        read_map(gzip.compress(raw) + b"more")
    with pytest.raises(ValueError, match="something follows"):
        read_map(gzip.compress(raw) + gzip.compress(b"more"))


def test_cut_off_and_damaged_data_are_refused(raw):
    whole = gzip.compress(raw)
    with pytest.raises(ValueError, match="too early"):
        read_map(whole[:-20])
    with pytest.raises(ValueError, match="damaged"):
        read_map(whole[:-6] + b"\0\0" + whole[-4:])


@given(st.integers(0, 347), st.binary(min_size=1, max_size=8))
def test_any_header_is_read_or_refused(at, value):
    file = io.BytesIO()
    nibabel.Nifti1Image(LABELS, AFFINE).to_stream(file)
    raw = file.getvalue()
    try:
        found = read_map(gzip.compress(raw[:at] + value + raw[at + len(value) :][: len(raw)]))
    except ValueError:
        return
    assert np.isfinite(found.affine).all()
    assert found.labels.size == 24
