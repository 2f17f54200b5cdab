"""Label maps on one grid, and on another's voxels."""

import nibabel as nib
import numpy as np
from voxbench.data.label_map import read_label_map
from voxbench.score.grid import labels_on_grid, same_grid

LABELS = np.random.default_rng(0).integers(0, 5, (5, 6, 7))
AFFINE = np.diag([0.5, 0.75, 2.0, 1.0])


def save(file, labels, affine=AFFINE):
    nib.save(nib.Nifti1Image(labels, affine, dtype=labels.dtype), file)
    return file


def test_grids_are_the_same_up_to_the_rounding_of_a_header(tmp_path):
    one = read_label_map(save(tmp_path / "a.nii", LABELS.astype("u1")))
    assert same_grid(one, one._replace(affine=AFFINE * (1 + 1e-7)))
    moved, turned = AFFINE.copy(), AFFINE.copy()
    moved[0, 3], turned[0, 0] = 0.5, -0.5
    assert not same_grid(one, one._replace(affine=moved))
    assert not same_grid(one, one._replace(affine=turned))
    assert not same_grid(one, one._replace(array=one.array[1:]))


def test_a_turned_map_comes_back_voxel_for_voxel(tmp_path):
    grid = read_label_map(save(tmp_path / "a.nii", LABELS.astype("u1")))
    turned = nib.as_closest_canonical(nib.load(tmp_path / "a.nii"))
    turned = nib.Nifti1Image(LABELS[::-1].astype("u1"), AFFINE @ np.diag([-1, 1, 1, 1]))
    turned.affine[:] = AFFINE @ [[-1, 0, 0, 4], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    nib.save(nib.Nifti1Image(turned.dataobj, turned.affine), tmp_path / "b.nii")
    moving = read_label_map(tmp_path / "b.nii")
    assert not same_grid(moving, grid)
    assert np.array_equal(labels_on_grid(moving, grid), LABELS)


def test_a_coarser_map_fills_the_finer_grid_and_the_outside_is_background(tmp_path):
    coarse = read_label_map(
        save(tmp_path / "a.nii", np.ones((2, 2, 2), "u1"), np.eye(4) * [2, 2, 2, 1])
    )
    fine = read_label_map(save(tmp_path / "b.nii", np.zeros((6, 4, 4), "u1"), np.eye(4)))
    found = labels_on_grid(coarse, fine)
    assert found[:3, :3, :3].all()
    assert not found[4:].any()
