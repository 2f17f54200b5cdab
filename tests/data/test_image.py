import gzip
import struct
from contextlib import suppress

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voxbench.data import image as module
from voxbench.data.image import read_extent, read_image, read_spacing, recall_grids
from voxbench.data.label_map import read_label_map
from voxbench.errors import DataError

from tests.data.toy import save, volumes


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


def test_trailing_axes_of_one_voxel_are_no_channels(tmp_path):
    image, _ = volumes()
    assert np.array_equal(read_image(save(tmp_path / "a.nii", image[..., None, None])).array, image)


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


def test_colours_and_complex_numbers_are_no_intensities(tmp_path):
    colours = np.zeros((4, 5, 6), [(channel, "u1") for channel in "RGB"])
    for name, array in (("rgb", colours), ("complex", np.zeros((4, 5, 6), np.complex64))):
        with pytest.raises(DataError, match=rf"{name}\.nii: holds co.*, not intensities"):
            read_image(save(tmp_path / f"{name}.nii", array))


def test_a_header_is_not_read_as_voxels(tmp_path):
    path = save(tmp_path / "a.nii", volumes()[0])
    raw = bytearray(path.read_bytes())
    raw[108:112] = struct.pack("<f", 0)
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"a\.nii: its voxels begin at byte 0"):
        read_image(path)


def test_what_is_no_nifti_is_refused(tmp_path):
    nibabel.save(nibabel.MGHImage(volumes()[0], np.eye(4)), tmp_path / "a.mgz")
    for reader in (read_image, read_spacing):
        with pytest.raises(DataError, match=r"a\.mgz: is no NIfTI file, but a MGHImage"):
            reader(tmp_path / "a.mgz")


def test_an_affine_without_inverse_is_refused(tmp_path):
    image = nibabel.Nifti1Image(volumes()[0], None)
    image.header.set_sform(np.diag([2.0, 0.0, 2.0, 1.0]), code=1)
    nibabel.save(image, tmp_path / "flat.nii.gz")
    with pytest.raises(DataError, match="affine has no inverse"):
        read_image(tmp_path / "flat.nii.gz")


@pytest.mark.parametrize("reader", [read_image, read_label_map, read_spacing])
def test_sheared_axes_are_refused_with_the_way_out(tmp_path, reader):
    sheared = np.array([[1, 0.2, 0, 0], [0, 1, 0, 0], [0, 0, 3, 0], [0, 0, 0, 1.0]])
    path = save(tmp_path / "tilted.nii.gz", volumes()[1], sheared)
    with pytest.raises(
        DataError, match=r"tilted\.nii\.gz: its axes are sheared, two of them 78.*re"
    ):
        reader(path)


def test_turned_axes_and_rounded_headers_are_no_shear(tmp_path):
    turn = np.array([[0.8, -0.6, 0, 0], [0.6, 0.8, 0.001, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    path = save(tmp_path / "a.nii", volumes()[0], turn @ np.diag([1.0, 1.0, 3.0, 1.0]))
    assert read_image(path).spacing_mm == pytest.approx((1, 1, 3), abs=1e-3)


def test_a_place_that_may_be_made_up_is_doubted(tmp_path):
    image, _ = volumes()
    assert read_image(save(tmp_path / "sound.nii", image)).doubt == ""
    identity = read_image(save(tmp_path / "identity.nii", image, np.eye(4)))
    assert identity.doubt.startswith("the affine is the identity")
    unset = nibabel.Nifti1Image(image, None)
    unset.header.set_zooms((1.0, 1.0, 2.0))
    unset.set_sform(None, code=0)
    unset.set_qform(None, code=0)
    nibabel.save(unset, tmp_path / "unset.nii")
    assert read_image(tmp_path / "unset.nii").doubt.startswith("neither sform nor qform is set")


@pytest.mark.parametrize(("moved", "doubted"), [(0.0, False), (0.4, False), (1.0, True)])
def test_two_places_in_one_header_are_doubted(tmp_path, moved, doubted):
    image = nibabel.Nifti1Image(volumes()[0], None)
    image.set_qform(np.diag([2.0, 2, 2, 1]), code=1)
    sform = np.diag([2.0, 2, 2, 1])
    sform[0, 3] = 2 * moved
    image.set_sform(sform, code=2)
    nibabel.save(image, tmp_path / "a.nii")
    found = read_image(tmp_path / "a.nii")
    assert found.doubt.startswith("sform and qform place the voxels otherwise") == doubted
    assert found.affine == pytest.approx(sform)


def test_spacing_follows_the_anatomy_not_the_file(tmp_path):
    affine = np.array([[0, 0, -3.0, 0], [1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0, 1]])
    path = save(tmp_path / "a.nii.gz", volumes()[0], affine)
    assert read_spacing(path) == (3.0, 1.0, 2.0)
    assert read_spacing(path, "SAR") == (2.0, 1.0, 3.0)
    save(path, volumes()[0], np.diag([5.0, 1.0, 1.0, 1.0]))
    assert read_spacing(path) == (5.0, 1.0, 1.0)


@pytest.mark.parametrize(("unit", "mm"), [("meter", 1000), ("micron", 0.001), ("mm", 1)])
def test_metres_and_microns_become_millimetres(tmp_path, unit, mm):
    image = nibabel.Nifti1Image(volumes()[0], np.diag([2.0, 2.0, 4.0, 1.0]) / mm)
    image.affine[:3, 3] = (10 / mm, 0, 0)
    image = nibabel.Nifti1Image(image.dataobj, image.affine)
    image.header.set_xyzt_units(unit)
    nibabel.save(image, tmp_path / "a.nii")
    assert read_spacing(tmp_path / "a.nii") == pytest.approx((2, 2, 4))
    for volume in (read_image(tmp_path / "a.nii"),):
        assert volume.spacing_mm == pytest.approx((2, 2, 4))
        assert volume.affine[:3, 3] == pytest.approx((10, 0, 0))


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 347), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_header_never_ends_in_anything_but_a_data_error(tmp_path_factory, flips):
    path = tmp_path_factory.getbasetemp() / "flipped.nii"
    content = bytearray(save(path, volumes()[1]).read_bytes())
    for place, value in flips:
        content[place] = value
    path.write_bytes(content)
    for reader in (read_image, read_label_map):
        with suppress(DataError):
            assert reader(path).array.size


def test_headers_that_were_recalled_are_read_once_until_a_file_changes(tmp_path, monkeypatch):
    image, _ = volumes()
    path, broken = save(tmp_path / "a.nii.gz", image, np.diag([1, 2, 3, 1])), tmp_path / "b.nii"
    broken.write_bytes(b"no header")
    recall_grids([path, broken, tmp_path / "missing.nii"])
    monkeypatch.setattr(module, "_KNOWN", {})  # as a process that has just begun

    def refuse(_):
        raise AssertionError("opened again")

    opened = module._opened
    monkeypatch.setattr(module, "_opened", refuse)
    recall_grids([path])
    assert read_spacing(path) == (1.0, 2.0, 3.0)
    assert read_extent(path) == tuple(np.multiply(image.shape, (1.0, 2.0, 3.0)))
    monkeypatch.setattr(module, "_opened", opened)
    save(path, image, np.diag([2, 2, 3, 1]))
    recall_grids([path])
    assert read_spacing(path) == (2.0, 2.0, 3.0)
    with pytest.raises(DataError, match="file type"):
        read_spacing(broken)
