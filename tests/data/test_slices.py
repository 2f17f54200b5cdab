"""Folders of slices: DICOM lies where its headers say, pictures where their slices do."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation
from voxbench.api import Case
from voxbench.data import image
from voxbench.data.content_hash import case_hashes, file_hashes
from voxbench.data.image import read_extent, read_image, read_spacing
from voxbench.data.label_map import read_label_map
from voxbench.data.prepare import inspect_cases, prepare_cases, size_before_cropping
from voxbench.data.volume_files import volume_files
from voxbench.data.volumes import read_reference
from voxbench.errors import DataError
from voxbench_tasks.images_folder import ImagesFolder

from tests.data.dicom_files import write_series, write_slice
from tests.data.toy import card, save

pytest.importorskip("SimpleITK")

RAS = np.array([[-0.7, 0, 0, 80], [0, -0.8, 0, 90], [0, 0, 3.0, -100], [0, 0, 0, 1]])
SHAPE = (12, 10, 6)


def oblique(affine=RAS):
    turned = np.eye(4)
    turned[:3, :3] = Rotation.from_euler("xyz", [20, -35, 50], degrees=True).as_matrix()
    return turned @ affine


def stored(seed=0):
    return np.random.default_rng(seed).integers(-900, 900, SHAPE).astype(np.int16)


@pytest.mark.parametrize("affine", [RAS, oblique(), RAS @ np.diag([1, 1, -1, 1])])
def test_a_series_lies_where_its_headers_say(tmp_path, affine):
    values = stored()
    write_series(tmp_path, values, affine, slope=2, intercept=-1024)
    found = read_image(tmp_path)
    world = {tuple(np.round(affine @ (*at, 1), 3)): v for at, v in np.ndenumerate(values)}
    for at, value in np.ndenumerate(found.array):
        assert value == 2 * world[tuple(np.round(found.affine @ (*at, 1), 3))] - 1024
    assert sorted(read_spacing(tmp_path)) == pytest.approx([0.7, 0.8, 3])
    assert sorted(read_extent(tmp_path)) == pytest.approx([8, 8.4, 18])


def test_names_and_their_order_change_nothing(tmp_path):
    values = stored()
    write_series(tmp_path / "plain", values, RAS)
    back = [f"i{9 - at:04d},0000b.dcm" for at in range(SHAPE[2])]
    write_series(tmp_path / "back", values, RAS, back)
    dotted = [f"1.2.840.{at * 7 % 6}" for at in range(SHAPE[2])]
    write_series(tmp_path / "dotted", values, RAS, dotted)
    (tmp_path / "dotted" / "DICOMDIR").write_bytes(b"an index")
    (tmp_path / "dotted" / "notes.txt").write_text("nothing of the kind")
    plain = read_image(tmp_path / "plain")
    for name in ("back", "dotted"):
        other = read_image(tmp_path / name)
        assert np.array_equal(other.array, plain.array)
        assert other.affine == pytest.approx(plain.affine)


def test_each_slice_has_its_own_rescaling(tmp_path):
    values = stored()
    for at in range(SHAPE[2]):
        write_slice(tmp_path / f"{at}.dcm", values[:, :, at], RAS, at, slope=at + 1, intercept=-at)
    expected = values * (np.arange(6) + 1.0) - np.arange(6)
    assert np.array_equal(read_image(tmp_path).array, expected.astype(np.float32))


def test_pydicom_reads_the_same(tmp_path):
    pydicom = pytest.importorskip("pydicom")
    files = write_series(tmp_path, stored(), oblique(), slope=1, intercept=-1000)
    found = read_image(tmp_path)
    for path in files.values():
        told = pydicom.dcmread(path)
        pixels = told.pixel_array * float(told.RescaleSlope) + float(told.RescaleIntercept)
        place = np.array([*np.array(told.ImagePositionPatient) * (-1, -1, 1), 1])
        at = round(float((np.linalg.inv(found.affine) @ place)[2]))
        assert np.array_equal(found.array[:, :, at], pixels.T)


def broken(folder, how):
    values = stored()
    files = write_series(folder, values, RAS)
    if how == "missing":
        files[2].unlink()
    if how == "twice":
        write_slice(folder / "again.dcm", values[:, :, 3], RAS, 3)
    if how == "shifted":
        write_slice(files[3], values[:, :, 3], RAS @ [[1, 0, 0, 5], *np.eye(4)[1:]], 3)
    if how == "turned":
        write_slice(files[3], values[:, :, 3], oblique(), 3)
    if how == "other size":
        write_slice(files[3], values[1:, :, 3], RAS, 3)
    if how == "two series":
        write_series(folder, values, RAS, [f"b{n}.dcm" for n in range(6)], series="1.2.9")
    if how == "alone":
        for path in [*files.values()][1:]:
            path.unlink()
    if how == "no place":
        write_slice(files[3], values[:, :, 3], RAS, 3, without=["0020,0032"])
    if how == "half a place":
        write_slice(files[3], values[:, :, 3], RAS, 3, t00200032="1\\2")
    if how == "damaged":
        files[3].write_bytes(files[3].read_bytes()[:300])
    if how == "no DICOM":
        files[3].write_bytes(b"nothing of the kind")
    if how == "tilted":
        for at, path in files.items():
            place = f"-80\\{-90 + at}\\{-100 + 3 * at}"
            write_slice(path, values[:, :, at], RAS, at, t00200032=place)
    if how == "empty":
        for path in files.values():
            path.unlink()


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("missing", r"00002\.dcm and .*00004\.dcm lie 6 mm apart, most slices 3 mm: is one miss"),
        ("twice", r"lie at the same place: twice the same slice, or two volumes"),
        ("shifted", r"00004\.dcm lies 3\.5 mm beside the line of the others"),
        ("turned", r"00004\.dcm has other axes, pixels or size than"),
        ("other size", r"00004\.dcm has other axes, pixels or size than"),
        ("two series", r"holds 2 series: 1\.2\.3\.4 \(6 files\), 1\.2\.9 \(6 files\)\. Give each"),
        ("alone", r"a volume has several slices, IMG-0001-00001\.dcm is alone"),
        ("no place", r"00004\.dcm: tag \(0020,0032\): expected 3 numbers .*got ''"),
        ("half a place", r"tag \(0020,0032\): expected 3 numbers"),
        ("damaged", r"00004\.dcm: can't be read \("),
        ("no DICOM", r"00004\.dcm: can't be read \("),
        ("tilted", r"its axes are sheared"),
        ("empty", r"no slices in it, neither DICOM nor PNG"),
    ],
)
def test_what_is_no_whole_series_is_one_clear_line(tmp_path, how, message):
    broken(tmp_path / "series", how)
    for reader in (read_image, read_label_map):
        with pytest.raises(DataError, match=message):
            reader(tmp_path / "series")


def test_numbers_that_anonymisers_made_up_for_each_file_say_nothing(tmp_path):
    values = stored()
    for at in range(SHAPE[2]):
        write_slice(tmp_path / f"{at}.dcm", values[:, :, at], RAS, at, series=f"1.2.{at}")
    assert np.array_equal(read_image(tmp_path).array, values)


def test_without_simpleitk_it_is_said_how_to_come_by_it(tmp_path, monkeypatch):
    write_series(tmp_path, stored(), RAS)
    monkeypatch.setitem(__import__("sys").modules, "SimpleITK", None)
    with pytest.raises(DataError, match=r"pip install 'voxbench\[itk\]'"):
        read_image(tmp_path)


def draw(folder, label, names, dtype=np.uint8, mode=None):
    folder.mkdir()
    for at, name in enumerate(names):
        picture = Image.fromarray(np.ascontiguousarray(label[:, :, at].T.astype(dtype)))
        (picture if mode is None else picture.convert(mode)).save(folder / name)


def drawing(values=(63, 126, 189, 252)):
    label = np.zeros(SHAPE, np.uint16)
    for at, value in enumerate(values):
        label[at + 2, 1 : at + 3, at : at + 2] = value
    return label


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("affine", [RAS, RAS @ np.diag([1, 1, -1, 1]), oblique()])
def test_pictures_lie_on_the_slices_of_their_names(tmp_path, dtype, affine):
    label = drawing()
    write_series(tmp_path / "image", stored(), affine)
    draw(tmp_path / "Ground", label, [f"IMG-0001-{at + 1:05d}.png" for at in range(6)], dtype)
    found = read_label_map(tmp_path / "Ground", beside=tmp_path / "image")
    image = read_image(tmp_path / "image")
    assert np.array_equal(found.affine, image.affine)
    turned = image.array[0, 0, 0] != stored()[0, 0, 0]
    assert np.array_equal(found.array, label[:, :, ::-1] if turned else label)


def test_pictures_of_other_names_follow_the_order_of_both_names(tmp_path):
    """As CHAOS numbers its CT: slices from i0000, masks from liver_GT_000, from head to feet."""
    label = drawing()
    write_series(tmp_path / "image", stored(), RAS, [f"i{at:04d},0000b.dcm" for at in range(6)])
    draw(tmp_path / "Ground", label, [f"liver_GT_{8 + at}.png" for at in range(6)])
    found = read_label_map(tmp_path / "Ground", beside=tmp_path / "image")
    assert np.array_equal(found.array, label)


def test_the_white_of_one_bit_is_255(tmp_path):
    label = drawing((255,))
    write_series(tmp_path / "image", stored(), RAS)
    draw(tmp_path / "Ground", label, [f"{at}.png" for at in range(6)], mode="1")
    found = read_label_map(tmp_path / "Ground", beside=tmp_path / "image")
    assert np.array_equal(found.array, label)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("fewer", r"5 pictures of 6 slices"),
        ("other name", r"IMG-0001-00003, IMG-0001-00007: a picture or a slice without the other"),
        ("colours", r"00003\.png: a picture of labels is grey, this one is RGB"),
        ("size", r"00003\.png: \(11, 10\) pixels, its slice has \(12, 10\)"),
        ("damaged", r"00003\.png: can't be read \("),
    ],
)
def test_pictures_that_don_t_fit_are_one_clear_line(tmp_path, how, message):
    write_series(tmp_path / "image", stored(), RAS)
    names = [f"IMG-0001-{at + 1:05d}.png" for at in range(6)]
    draw(tmp_path / "Ground", drawing(), names)
    third = tmp_path / "Ground" / names[2]
    if how == "fewer":
        third.unlink()
    if how == "other name":
        third.rename(third.with_name("IMG-0001-00007.png"))
    if how == "colours":
        Image.open(third).convert("RGB").save(third)
    if how == "size":
        Image.open(third).crop((0, 0, 11, 10)).save(third)
    if how == "damaged":
        third.write_bytes(third.read_bytes()[:40])
    with pytest.raises(DataError, match=message):
        read_label_map(tmp_path / "Ground", beside=tmp_path / "image")


def test_pictures_alone_have_no_place(tmp_path):
    draw(tmp_path / "Ground", drawing(), [f"{at}.png" for at in range(6)])
    with pytest.raises(DataError, match="pictures of slices need the DICOM series"):
        read_label_map(tmp_path / "Ground")
    with pytest.raises(DataError, match="its pictures say not where its voxels lie"):
        read_image(tmp_path / "Ground")


@pytest.fixture
def case(tmp_path):
    """A series with pictures of two classes."""
    write_series(tmp_path / "a" / "image", stored(), RAS)
    draw(tmp_path / "a" / "Ground", drawing((1, 4)), [f"{at}.png" for at in range(6)])
    return Case("a", (tmp_path / "a" / "image",), tmp_path / "a" / "Ground", "a")


def test_a_case_of_slices_is_prepared_as_the_same_case_in_two_files(case, tmp_path):
    image, label = read_image(case.images[0]), read_reference(case, card())
    files = save(tmp_path / "i.nii", image.array, image.affine), tmp_path / "l.nii"
    table = np.array([0, 1, 4], np.uint8)
    save(files[1], table[label.array], image.affine)
    plain = Case("b", (files[0],), files[1], "b")
    rule = card().preprocessing
    found = prepare_cases(card(), [case, plain], rule)
    assert np.allclose(found["a"].image, found["b"].image, atol=1e-5)
    assert np.array_equal(found["a"].label, found["b"].label)


def test_a_case_is_named_by_what_its_slices_hold(case, tmp_path):
    before = case_hashes([case])
    [first, *_] = sorted(case.images[0].iterdir())
    content = first.read_bytes()
    first.write_bytes(content[:-1] + b"\x05")
    assert case_hashes([case]) != before
    first.write_bytes(content)
    assert case_hashes([case]) == before
    (case.images[0] / ".DS_Store").write_bytes(b"nothing of the case")
    assert case_hashes([case]) == before
    assert file_hashes([tmp_path / "nowhere", tmp_path]) == {}


def test_what_is_wrong_with_slices_is_a_problem_of_the_case(case):
    next(case.label.iterdir()).unlink()
    [problem] = inspect_cases(card(), [case], card().preprocessing)
    assert (problem.file, problem.kind) == ("Ground", "corrupt file")
    assert problem.detail == "5 pictures of 6 slices."


def test_a_folder_of_dicom_is_a_volume_of_the_folder_that_it_lies_in(tmp_path):
    write_series(tmp_path / "one", stored(), RAS)
    write_series(tmp_path / "1.2.840.7", stored(), RAS, [f"{at}" for at in range(6)])
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "README").write_text("nothing of the kind")
    save(tmp_path / "two.nii.gz", stored())
    assert [*volume_files(tmp_path)] == ["1.2.840.7", "one", "two"]


def test_a_folder_of_dicom_series_is_images_to_pre_train_on(tmp_path):
    for name in ("a", "b", "c"):
        write_series(tmp_path / name, stored(), RAS)
    task = ImagesFolder(root=tmp_path)
    assert ImagesFolder.recognises(tmp_path)
    assert [case.id for case in task.cases()["unlabelled"]] == ["a", "b", "c"]
    assert task.card.spacing_mm == (0.7, 0.8, 3.0)


def test_planning_opens_a_series_once_for_all_processes(tmp_path, monkeypatch):
    write_series(tmp_path / "a", stored(), RAS)
    found = read_spacing(tmp_path / "a")
    image._KNOWN.clear()  # as another process has it
    monkeypatch.setattr(image, "find_series", pytest.fail)
    assert read_spacing(tmp_path / "a") == found
    monkeypatch.undo()
    write_series(tmp_path / "a", stored(), RAS @ np.diag([2, 1, 1, 1]))
    assert read_spacing(tmp_path / "a")[0] == pytest.approx(1.4)


def test_the_size_is_told_before_a_case_is_opened_whole(case, tmp_path):
    rule = card().preprocessing
    told = size_before_cropping([case, replace(case, images=(tmp_path / "nowhere",))], rule)
    assert told == 5 * 4 * 9 * (4 + 1)  # 8.4, 8 and 18 mm in steps of 2
    made = prepare_cases(card(), [case], rule)["a"]
    assert made.image.nbytes + made.label.nbytes <= told
