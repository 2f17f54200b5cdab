"""NRRD, MetaImage and NPZ give what the same volume gives as NIfTI."""

import numpy as np
import pytest
from voxbench.data.image import read_extent, read_image, read_spacing
from voxbench.data.label_map import read_label_map
from voxbench.errors import DataError

from tests.data.toy import save, volumes

AFFINE = np.array([[0, -1.5, 0, 10], [2, 0, 0, -20], [0, 0, 3, 30], [0, 0, 0, 1.0]])


def by_itk(path, array):
    """The volume as SimpleITK writes it: LPS, with the last axis first."""
    sitk = pytest.importorskip("SimpleITK")
    image = sitk.GetImageFromArray(np.ascontiguousarray(array.T))
    lps = np.diag([-1, -1, 1, 1]) @ AFFINE
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    sitk.WriteImage(image, str(path))
    return path


@pytest.mark.parametrize("ending", [".nrrd", ".mha", ".NRRD"])
def test_itk_s_formats_are_the_same_volume(tmp_path, ending):
    image, label = volumes()
    plain = save(tmp_path / "a.nii.gz", image, AFFINE)
    other = by_itk(tmp_path / f"b{ending}", image)
    one, two = read_image(plain), read_image(other)
    assert np.array_equal(one.array, two.array)
    assert one.affine == pytest.approx(two.affine)
    assert read_spacing(other) == pytest.approx(read_spacing(plain))
    assert read_extent(other, "SAR") == pytest.approx(read_extent(plain, "SAR"))
    found = read_label_map(by_itk(tmp_path / f"l{ending}", label))
    assert np.array_equal(found.array, label)
    assert found.array.dtype == np.uint8


def test_an_npz_says_where_its_voxels_lie(tmp_path):
    image, label = volumes()
    np.savez(tmp_path / "a.npz", imgs=image, gts=label, affine=AFFINE)
    assert np.array_equal(read_image(tmp_path / "a.npz").array, image)
    assert np.array_equal(read_label_map(tmp_path / "a.npz").array, label)
    assert read_spacing(tmp_path / "a.npz") == pytest.approx((1.5, 2, 3))
    np.savez(tmp_path / "s.npz", anything=image, spacing=[1, 2, 3])
    found = read_image(tmp_path / "s.npz")
    assert found.spacing_mm == (1, 2, 3)
    assert found.doubt.startswith("no affine")


def test_a_mask_of_truth_values_is_a_label_map(tmp_path):
    np.savez(tmp_path / "a.npz", mask=volumes()[1] > 0, affine=AFFINE)
    assert set(np.unique(read_label_map(tmp_path / "a.npz").array)) == {0, 1}


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ({"image": volumes()[0]}, "says not where its voxels lie; add an array `affine`"),
        ({"a": volumes()[0], "b": volumes()[0], "affine": AFFINE}, "expected one array called"),
        ({"image": np.zeros(3), "affine": AFFINE}, "a volume has 3 axes"),
        ({"image": volumes()[0].astype(complex), "affine": AFFINE}, "not intensities"),
        ({"image": np.array([None]), "affine": AFFINE}, "can't be read"),
        ({"image": volumes()[0], "affine": AFFINE * 0}, "no inverse"),
    ],
)
def test_an_npz_that_can_t_be_used_is_one_clear_line(tmp_path, stored, message):
    np.savez(tmp_path / "a.npz", **stored)
    with pytest.raises(DataError, match=message):
        read_image(tmp_path / "a.npz")


@pytest.mark.parametrize("ending", [".nrrd", ".mha", ".npz"])
def test_damaged_and_missing_files_are_named(tmp_path, ending):
    if ending != ".npz":
        pytest.importorskip("SimpleITK")
    path = tmp_path / f"a{ending}"
    for reader in (read_image, read_label_map):
        with pytest.raises(DataError, match="no such file"):
            reader(tmp_path / f"nowhere{ending}")
    for content in (b"", b"nothing of the kind", b"NRRD0004\ntype: float\n\n"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"can't be read \("):
            read_image(path)


def test_voxels_in_another_file_are_refused_as_their_content_would_not_be_hashed(tmp_path):
    pytest.importorskip("SimpleITK")
    path = tmp_path / "a.nrrd"
    path.write_bytes(b"NRRD0004\ntype: float\ndimension: 3\nsizes: 2 2 2\ndata file: b.raw\n\n")
    with pytest.raises(DataError, match="its voxels lie in another file"):
        read_image(path)
    for header in ("a.nhdr", "a.mhd", "A.HDR"):
        (tmp_path / header).write_bytes(path.read_bytes())
        for reader in (read_image, read_label_map):
            with pytest.raises(DataError, match=r"lie in another file; write both as one, \.nii"):
                reader(tmp_path / header)
    meta = tmp_path / "a.mha"
    meta.write_bytes(b"ObjectType = Image\nNDims = 3\nElementDataFile = b.raw\n")
    with pytest.raises(DataError, match="its voxels lie in another file"):
        read_image(meta)


def test_without_simpleitk_it_is_said_how_to_come_by_it(tmp_path, monkeypatch):
    path = tmp_path / "a.mha"
    path.write_bytes(b"anything")
    monkeypatch.setitem(__import__("sys").modules, "SimpleITK", None)
    with pytest.raises(DataError, match=r"pip install 'voxbench\[itk\]'"):
        read_image(path)
