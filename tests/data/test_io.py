import gzip
import os
from contextlib import suppress

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voxbench.data.io import read_image, read_label, read_spacing, write_label
from voxbench.errors import DataError

from tests.data.toy import RAS_2MM, save, volumes


def test_a_label_map_survives_writing_and_the_same_map_gives_the_same_bytes(tmp_path):
    _, label = volumes()
    affine = RAS_2MM @ np.array([[0, 1, 0, 3], [-1, 0, 0, 5], [0, 0, 1, 7], [0, 0, 0, 1.0]])
    write_label(tmp_path / "a.nii.gz", label, affine)
    write_label(tmp_path / "deeper" / "b.nii.gz", label, affine)
    found = read_label(tmp_path / "a.nii.gz")
    assert np.array_equal(found.array, label)
    assert np.allclose(found.affine, affine)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "deeper/b.nii.gz").read_bytes()


def test_a_label_map_whose_writing_breaks_off_leaves_nothing(tmp_path, monkeypatch):
    def broken(_file):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="no space left"):
        write_label(tmp_path / "a.nii.gz", np.zeros((2, 2, 2), np.uint8), np.eye(4))
    assert list(tmp_path.iterdir()) == []


def test_images_are_float32_with_the_scale_of_the_header(tmp_path):
    image = nibabel.Nifti1Image(np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.eye(4))
    image.header.set_slope_inter(2, -1024)
    nibabel.save(image, tmp_path / "ct.nii.gz")
    found = read_image(tmp_path / "ct.nii.gz").array
    assert found.dtype == np.float32
    assert found[0, 0, 3] == 2 * 3 - 1024


def test_a_fourth_axis_becomes_the_channels(tmp_path):
    array = np.random.default_rng(0).normal(size=(4, 5, 6, 2)).astype(np.float32)
    found = read_image(save(tmp_path / "a.nii.gz", array)).array
    assert found.shape == (2, 4, 5, 6)
    assert np.array_equal(found[1], array[..., 1])


def test_trailing_axes_of_one_voxel_are_dropped(tmp_path):
    _, label = volumes()
    assert np.array_equal(read_label(save(tmp_path / "a.nii", label[..., None])).array, label)


def test_whole_numbers_stored_as_floats_are_labels_and_fractions_are_not(tmp_path):
    _, label = volumes()
    whole = read_label(save(tmp_path / "a.nii.gz", label.astype(np.float32))).array
    assert np.issubdtype(whole.dtype, np.integer)
    assert np.array_equal(whole, label)
    with pytest.raises(DataError, match=r"b\.nii\.gz: a label map holds whole numbers"):
        read_label(save(tmp_path / "b.nii.gz", label + np.float32(0.5)))


def test_broken_files_are_named_with_the_reason(tmp_path):
    path = save(tmp_path / "a.nii.gz", volumes()[0])
    with pytest.raises(DataError, match=r"nowhere\.nii\.gz: no such file"):
        read_image(tmp_path / "nowhere.nii.gz")
    data = path.read_bytes()
    damaged = {"cut": data[: len(data) // 2], "nothing": b"", "text": b"hello", "head": b"x" * 400}
    damaged["middle"] = gzip.compress(gzip.decompress(data)[:-100])
    for name, content in damaged.items():
        path = tmp_path / f"{name}.nii.gz"
        path.write_bytes(content)
        with pytest.raises(DataError, match=rf"{name}\.nii\.gz: can't be read"):
            read_image(path)


def test_an_affine_without_inverse_is_refused(tmp_path):
    image = nibabel.Nifti1Image(volumes()[0], None)
    image.header.set_sform(np.diag([2.0, 0.0, 2.0, 1.0]), code=1)
    nibabel.save(image, tmp_path / "flat.nii.gz")
    with pytest.raises(DataError, match="affine has no inverse"):
        read_image(tmp_path / "flat.nii.gz")


def test_spacing_follows_the_anatomy_not_the_file(tmp_path):
    affine = np.array([[0, 0, -3.0, 0], [1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0, 1]])
    path = save(tmp_path / "a.nii.gz", volumes()[0], affine)
    assert read_spacing(path) == (3.0, 1.0, 2.0)
    assert read_spacing(path, "SAR") == (2.0, 1.0, 3.0)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 347), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_header_never_ends_in_anything_but_a_data_error(tmp_path_factory, flips):
    path = tmp_path_factory.getbasetemp() / "flipped.nii"
    content = bytearray(save(path, volumes()[1]).read_bytes())
    for place, value in flips:
        content[place] = value
    path.write_bytes(content)
    for reader in (read_image, read_label):
        with suppress(DataError):
            assert reader(path).array.size
