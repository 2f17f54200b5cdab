"""Label maps as they lie on disk, and on another grid."""

import gzip

import nibabel as nib
import numpy as np
import pytest
from voxbench.errors import DataError
from voxbench.score.read import read_label_map, resample_nearest, same_grid

LABELS = np.random.default_rng(0).integers(0, 5, (5, 6, 7))
AFFINE = np.diag([0.5, 0.75, 2.0, 1.0])


def save(file, labels, affine=AFFINE, kind=nib.Nifti1Image, slope=None, inter=None):
    image = kind(labels, affine, dtype=labels.dtype)
    image.header.set_slope_inter(slope, inter)
    nib.save(image, file)
    return file


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "f4", "f8", ">i2", "i8", "u4"])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_whole_numbers_are_read_whatever_their_type(tmp_path, name, dtype):
    found = read_label_map(save(tmp_path / name, LABELS.astype(dtype)))
    assert found.labels.dtype.kind in "iu"
    assert np.array_equal(found.labels, LABELS)
    assert found.spacing_mm == pytest.approx((0.5, 0.75, 2.0))
    assert np.allclose(found.affine, AFFINE)


def test_integers_are_used_where_they_lie(tmp_path):
    found = read_label_map(save(tmp_path / "a.nii.gz", LABELS.astype("u1")))
    assert found.labels.dtype == np.uint8
    assert found.labels.base is not None
    assert not found.labels.flags.owndata


def test_a_scaling_in_the_header_is_applied(tmp_path):
    file = save(tmp_path / "a.nii", (LABELS * 10).astype("i2"), slope=2.0, inter=4.0)
    stored = np.asarray(nib.load(file).dataobj)
    assert np.array_equal(read_label_map(file).labels, stored)


def test_nifti_2_trailing_axes_and_joined_gzip_members_are_read(tmp_path):
    file = save(tmp_path / "a.nii", LABELS[..., None].astype("u1"), kind=nib.Nifti2Image)
    raw = file.read_bytes()
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(raw[:700]) + gzip.compress(raw[700:]))
    assert np.array_equal(read_label_map(tmp_path / "b.nii.gz").labels, LABELS)


@pytest.mark.parametrize("spoil", [lambda raw: raw[:-40], lambda raw: b"", lambda raw: raw[:100]])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_damaged_file_is_named(tmp_path, name, spoil):
    file = save(tmp_path / name, LABELS.astype("u1"))
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(DataError, match=r"a\.nii.* can't be read as NIfTI"):
        read_label_map(file)


@pytest.mark.parametrize("values", [LABELS + 0.5, LABELS * np.nan, LABELS * 1e12])
def test_an_image_is_not_a_label_map(tmp_path, values):
    with pytest.raises(DataError, match="not whole"):
        read_label_map(save(tmp_path / "a.nii", values))


def test_grids_are_the_same_up_to_the_rounding_of_a_header(tmp_path):
    one = read_label_map(save(tmp_path / "a.nii", LABELS.astype("u1")))
    assert same_grid(one, one._replace(affine=AFFINE * (1 + 1e-7)))
    moved, turned = AFFINE.copy(), AFFINE.copy()
    moved[0, 3], turned[0, 0] = 0.5, -0.5
    assert not same_grid(one, one._replace(affine=moved))
    assert not same_grid(one, one._replace(affine=turned))
    assert not same_grid(one, one._replace(labels=one.labels[1:]))


def test_a_turned_map_comes_back_voxel_for_voxel(tmp_path):
    grid = read_label_map(save(tmp_path / "a.nii", LABELS.astype("u1")))
    turned = nib.as_closest_canonical(nib.load(tmp_path / "a.nii"))
    turned = nib.Nifti1Image(LABELS[::-1].astype("u1"), AFFINE @ np.diag([-1, 1, 1, 1]))
    turned.affine[:] = AFFINE @ [[-1, 0, 0, 4], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    nib.save(nib.Nifti1Image(turned.dataobj, turned.affine), tmp_path / "b.nii")
    moving = read_label_map(tmp_path / "b.nii")
    assert not same_grid(moving, grid)
    assert np.array_equal(resample_nearest(moving, grid), LABELS)


def test_a_coarser_map_fills_the_finer_grid_and_the_outside_is_background(tmp_path):
    coarse = read_label_map(
        save(tmp_path / "a.nii", np.ones((2, 2, 2), "u1"), np.eye(4) * [2, 2, 2, 1])
    )
    fine = read_label_map(save(tmp_path / "b.nii", np.zeros((6, 4, 4), "u1"), np.eye(4)))
    found = resample_nearest(coarse, fine)
    assert found[:3, :3, :3].all()
    assert not found[4:].any()
