"""Label maps as they lie on disk: one reader for preparing, running and scoring."""

import errno
import gzip
import os
import struct

import nibabel
import numpy as np
import pytest
from voxbench.data.label_map import read_label_map, write_label_map
from voxbench.errors import DataError

from tests.data.toy import RAS_2MM, volumes

LABELS = np.random.default_rng(0).integers(0, 5, (5, 6, 7))
AFFINE = np.diag([0.5, 0.75, 2.0, 1.0])
SIZE, DATATYPE, SHAPE, OFFSET, XYZT_UNITS, MAGIC = 0, 70, 40, 108, 123, 344  # offsets in a header


def save(file, labels, affine=AFFINE, kind=nibabel.Nifti1Image, slope=None, inter=None):
    image = kind(labels, affine, dtype=labels.dtype)
    image.header.set_slope_inter(slope, inter)
    nibabel.save(image, file)
    return file


def patched(file, offset, content):
    raw = bytearray(file.read_bytes())
    raw[offset : offset + len(content)] = content
    file.write_bytes(raw)
    return file


def test_a_label_map_survives_writing_and_the_same_map_gives_the_same_bytes(tmp_path):
    _, label = volumes()
    affine = RAS_2MM @ np.array([[0, 1, 0, 3], [-1, 0, 0, 5], [0, 0, 1, 7], [0, 0, 0, 1.0]])
    write_label_map(tmp_path / "a.nii.gz", label, affine)
    write_label_map(tmp_path / "deeper" / "b.nii.gz", label, affine)
    found = read_label_map(tmp_path / "a.nii.gz")
    assert np.array_equal(found.array, label)
    assert np.allclose(found.affine, affine)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "deeper/b.nii.gz").read_bytes()


def test_a_label_map_whose_writing_breaks_off_leaves_nothing(tmp_path, monkeypatch):
    def broken(_file):
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="no space left"):
        write_label_map(tmp_path / "a.nii.gz", np.zeros((2, 2, 2), np.uint8), np.eye(4))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "f4", "f8", ">i2", "i8", "u4", "u8"])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_whole_numbers_are_read_whatever_their_type(tmp_path, name, dtype):
    found = read_label_map(save(tmp_path / name, LABELS.astype(dtype)))
    assert found.array.dtype.kind in "iu"
    assert np.array_equal(found.array, LABELS)
    assert found.spacing_mm == pytest.approx((0.5, 0.75, 2.0))
    assert np.allclose(found.affine, AFFINE)


def test_integers_are_used_where_they_lie(tmp_path):
    found = read_label_map(save(tmp_path / "a.nii.gz", LABELS.astype("u1")))
    assert found.array.dtype == np.uint8
    assert found.array.base is not None
    assert not found.array.flags.owndata


def test_a_slope_makes_whole_numbers_up_to_its_rounding(tmp_path):
    file = save(tmp_path / "a.nii", np.arange(60).reshape(5, 4, 3).astype("i2") * 85)
    raw = bytearray(file.read_bytes())
    for divisor, read in ((85, True), (170, False)):
        raw[112:120] = np.array([1 / divisor, 0], "<f4").tobytes()  # scl_slope and scl_inter
        file.write_bytes(raw)
        if read:
            assert np.array_equal(read_label_map(file).array.ravel(), np.arange(60))
        else:
            with pytest.raises(DataError, match="found fractions"):
                read_label_map(file)


def test_a_scaling_in_the_header_is_applied(tmp_path):
    file = save(tmp_path / "a.nii", (LABELS * 10).astype("i2"), slope=2.0, inter=4.0)
    stored = np.asarray(nibabel.load(file).dataobj)
    assert np.array_equal(read_label_map(file).array, stored)


def test_nifti_2_trailing_axes_and_joined_gzip_members_are_read(tmp_path):
    file = save(tmp_path / "a.nii", LABELS[..., None].astype("u1"), kind=nibabel.Nifti2Image)
    raw = file.read_bytes()
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(raw[:700]) + gzip.compress(raw[700:]))
    assert np.array_equal(read_label_map(tmp_path / "b.nii.gz").array, LABELS)


def test_a_long_comment_behind_the_header_is_skipped(tmp_path):
    image = nibabel.Nifti1Image(LABELS.astype("u1"), AFFINE)
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"x" * 5000))
    nibabel.save(image, tmp_path / "a.nii.gz")
    assert np.array_equal(read_label_map(tmp_path / "a.nii.gz").array, LABELS)


def test_what_the_content_is_counts_not_what_the_name_ends_in(tmp_path):
    raw = save(tmp_path / "a.nii", LABELS.astype("u1")).read_bytes()
    (tmp_path / "plain.nii.gz").write_bytes(raw)
    (tmp_path / "packed.nii").write_bytes(gzip.compress(raw))
    for name in ("plain.nii.gz", "packed.nii"):
        assert np.array_equal(read_label_map(tmp_path / name).array, LABELS)


def test_voxels_are_as_large_as_the_affine_says_whatever_pixdim_says(tmp_path):
    image = nibabel.Nifti1Image(LABELS.astype("u1"), AFFINE)
    image.header["pixdim"][1:4] = 1
    image.header.set_qform(None, code=0)
    nibabel.save(image, tmp_path / "a.nii")
    assert read_label_map(tmp_path / "a.nii").spacing_mm == pytest.approx((0.5, 0.75, 2.0))


def test_without_an_affine_pixdim_is_all_there_is(tmp_path):
    image = nibabel.Nifti1Image(LABELS.astype("u1"), None)
    image.header.set_zooms((0.5, 0.75, 2.0))
    nibabel.save(image, tmp_path / "a.nii")
    assert read_label_map(tmp_path / "a.nii").spacing_mm == pytest.approx((0.5, 0.75, 2.0))


@pytest.mark.parametrize(("unit", "mm"), [(1, 1000), (2, 1), (3, 0.001), (5, 1)])
def test_an_affine_in_metres_or_microns_is_converted(tmp_path, unit, mm):
    file = patched(save(tmp_path / "a.nii", LABELS.astype("u1")), XYZT_UNITS, bytes([unit]))
    assert read_label_map(file).spacing_mm == pytest.approx((0.5 * mm, 0.75 * mm, 2 * mm))


def test_a_slice_is_read_where_slices_are_accepted(tmp_path):
    file = save(tmp_path / "a.nii.gz", LABELS[..., 0].astype("u1"))
    found = read_label_map(file, slices=True)
    assert np.array_equal(found.array, LABELS[..., 0])
    assert found.spacing_mm == pytest.approx((0.5, 0.75))
    with pytest.raises(DataError, match=r"a label map has 3 axes, got \(5, 6\)"):
        read_label_map(file)


@pytest.mark.parametrize("spoil", [lambda raw: raw[:-40], lambda raw: b"", lambda raw: raw[:100]])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_damaged_file_is_named(tmp_path, name, spoil):
    file = save(tmp_path / name, LABELS.astype("u1"))
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(DataError, match=r"a\.nii.*: can't be read \(it"):
        read_label_map(file)


@pytest.mark.parametrize(
    ("offset", "content", "reason"),
    [
        (SIZE, struct.pack("<i", 540), "it is no NIfTI file"),
        (MAGIC, b"ni1\0", "half of a pair of files"),
        (MAGIC, b"xxx\0", "it is no NIfTI file"),
        (OFFSET, struct.pack("<f", 0), "its voxels begin at byte 0"),
        (DATATYPE, struct.pack("<h", 1234), "data code 1234 not recognized"),
        (DATATYPE, struct.pack("<h", 0), "data code 0 not supported"),
        (SHAPE, struct.pack("<4h", 3, 32000, 32000, 32000), "its header asks for 32,768,0"),
        (SHAPE, struct.pack("<8h", 7, *[32767] * 7), "a label map has 3 axes"),
        (SHAPE, struct.pack("<4h", 3, 5, -6, 7), "a label map has 3 axes"),
        (SHAPE, struct.pack("<4h", 3, 5, 0, 7), "a label map has 3 axes"),
    ],
    ids=["another size", "pair", "magic", "offset", "unknown type", "no type", "huge", "7 axes",
         "negative", "empty"],
)  # fmt: skip
def test_a_header_that_can_t_be_true_is_refused_with_the_reason(tmp_path, offset, content, reason):
    file = patched(save(tmp_path / "a.nii", LABELS.astype("u1")), offset, content)
    with pytest.raises(DataError, match=rf"a\.nii: .*({reason})"):
        read_label_map(file)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"a\.nii: no such file"):
        read_label_map(tmp_path / "a.nii")


@pytest.mark.parametrize("values", [LABELS + 0.5, LABELS * np.nan, LABELS * 1e12, LABELS + np.inf])
def test_an_image_is_not_a_label_map(tmp_path, values):
    with pytest.raises(DataError, match=r"a\.nii: a label map holds whole numbers; found"):
        read_label_map(save(tmp_path / "a.nii", values))


def test_colours_and_complex_numbers_are_no_labels(tmp_path):
    colours = np.zeros((4, 5, 6), [(channel, "u1") for channel in "RGB"])
    for name, array in (("rgb", colours), ("complex", np.zeros((4, 5, 6), np.complex64))):
        with pytest.raises(DataError, match=rf"{name}\.nii: holds co.*, not labels"):
            read_label_map(save(tmp_path / f"{name}.nii", array))


def test_an_affine_without_inverse_is_refused(tmp_path):
    image = nibabel.Nifti1Image(LABELS.astype("u1"), None)
    image.header.set_sform(np.diag([2.0, 0.0, 2.0, 1.0]), code=1)
    nibabel.save(image, tmp_path / "flat.nii")
    with pytest.raises(DataError, match=r"flat\.nii: its affine has no inverse"):
        read_label_map(tmp_path / "flat.nii")
