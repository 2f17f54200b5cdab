import base64
import gzip
import math
from types import SimpleNamespace

import nibabel
import numpy as np
import pytest
from voxbench.analyses.means import means
from voxbench.analyses.read import read_groups
from voxbench.api import TaskCard
from voxbench.data.label_map import write_label_map
from voxbench.data.nifti import Volume
from voxbench.data.volumes import CaseVolumes
from voxbench.design.cell import Ref
from voxbench.errors import DataError
from voxbench.plugins import find_task
from voxbench.records import Store
from voxbench.records.case_scores import CaseScores
from voxbench.records.predictions import prediction_path
from voxbench.reporting.site import case as cases_of_pages
from voxbench.reporting.site import picture as pictures
from voxbench.reporting.site.case import case_rows, pictured
from voxbench.reporting.site.material import ArmResult
from voxbench.reporting.site.picture import picture
from voxbench.stats.metric import METRICS

from tests.analyses.records import cases, record, scores, stored

CARD = TaskCard(
    name="card", modality="CT", channels=("CT",), classes={"a": 1, "b": 2}, spacing_mm=None,
    tolerance_mm={"a": 1, "b": 1}, window=(-100, 300), licence="none", reference="none",
)  # fmt: skip


def volumes(shape=(20, 16, 12), affine=None) -> CaseVolumes:
    rng = np.random.default_rng(0)
    image = rng.normal(100, 200, (1, *shape)).astype(np.float32)
    label = np.zeros(shape, np.uint8)
    label[4:9, 5:9, 3:7], label[9:12, 5:9, 3:7] = 1, 2
    return CaseVolumes(image, label, np.diag([1.0, 1, 2, 1]) if affine is None else affine)


def read(text: str) -> nibabel.Nifti1Image:
    return nibabel.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(text)))


def test_a_small_case_is_shown_whole_in_its_window():
    given = volumes()
    made = picture(given, Volume(given.label, given.affine), CARD)
    image = read(made.image)
    assert (image.shape, made.stride, made.cropped) == ((20, 16, 12), (1, 1, 1), False)
    assert image.get_data_dtype() == np.uint8
    expected = np.round(255 * np.clip((given.image[0] + 100) / 400, 0, 1))
    assert np.array_equal(np.asarray(image.dataobj), expected)
    assert np.array_equal(np.asarray(read(made.reference).dataobj), given.label)
    assert np.allclose(image.affine, given.affine)


def test_what_is_no_ct_is_windowed_by_its_own_values():
    given = volumes()
    card = CARD.model_copy(update={"modality": "MR"})
    made = picture(given, Volume(given.label, given.affine), card)
    assert made.window == tuple(np.percentile(given.image, (0.5, 99.5)))


def test_a_large_case_is_cropped_and_thinned_out_and_stays_in_its_place(monkeypatch):
    monkeypatch.setattr(pictures, "LIMIT", 1500)
    monkeypatch.setattr(pictures, "CONTEXT_MM", 4.0)
    given = volumes((40, 30, 20))
    made = picture(given, Volume(given.label, given.affine), CARD)
    image, label = read(made.image), read(made.reference)
    assert made.cropped
    assert np.prod(image.shape) <= 1500
    assert np.allclose(image.affine, label.affine)
    # a kept voxel holds the class that lies at its place in the whole grid
    for index in np.argwhere(np.asarray(label.dataobj) >= 0)[::7]:
        world = label.affine @ [*index, 1]
        native = np.rint(np.linalg.inv(given.affine) @ world).astype(int)[:3]
        assert label.dataobj[tuple(index)] == given.label[tuple(native)]
    assert set(np.unique(label.dataobj)) == {0, 1, 2}


def test_turned_axes_come_out_as_ras():
    affine = np.array([[0, -1.0, 0, 30], [0, 0, 2, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
    given = volumes(affine=affine)
    made = picture(given, Volume(given.label, affine), CARD)
    label = read(made.reference)
    assert nibabel.aff2axcodes(label.affine) == ("R", "A", "S")
    world = affine @ [5, 6, 4, 1]
    there = np.rint(np.linalg.inv(label.affine) @ world).astype(int)[:3]
    assert label.dataobj[tuple(there)] == given.label[5, 6, 4] == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda label, affine: Volume(label[:-1], affine), "has the shape"),
        (lambda label, affine: Volume(label + 1, affine), "holds labels"),
        (lambda label, affine: Volume(label, affine + np.eye(4)), "elsewhere in space"),
    ],
)
def test_a_prediction_that_does_not_fit_is_told(change, words):
    given = volumes()
    with pytest.raises(DataError, match=words):
        picture(given, change(given.label, given.affine), CARD)


def test_the_same_case_gives_the_same_bytes_and_a_still_of_three_tiles():
    given = volumes()
    made = picture(given, Volume(given.label, given.affine), CARD)
    assert made == picture(given, Volume(given.label, given.affine), CARD)
    assert base64.b64decode(made.still).startswith(b"\x89PNG")
    assert made.size_mm == (60.0, 16.0)


def test_the_worst_case_page_stays_light():
    rng = np.random.default_rng(0)
    shape = (100, 100, 100)
    noise = rng.normal(100, 200, (1, *shape)).astype(np.float32)
    label = np.zeros(shape, np.uint8)
    label[20:80, 20:80, 20:80] = 1
    given = CaseVolumes(noise, label, np.eye(4))
    made = picture(given, Volume(label, np.eye(4)), CARD)
    assert sum(map(len, made[:4])) < 2e6


def result_of(*records):
    """The result of one arm, as a page gets it."""
    [group] = read_groups(records)
    return ArmResult(group, means([group])[0], list(records), None, "", None)


def test_worst_median_and_best_are_marked():
    found = cases(lambda i, c: (0.5, 0.9, 0.1, 0.7, math.nan)[i], 5)
    result = result_of(record(found))
    rows = case_rows(result, METRICS["dice"])
    assert [row.mark for row in rows] == ["", "best", "worst", "median", ""]
    rows = case_rows(result, METRICS["hd95_mm"])
    assert [row.mark for row in rows] == ["", "best", "worst", "median", ""]  # the shortest is best


def test_a_single_case_is_the_worst():
    [row] = case_rows(result_of(record(cases(lambda i, c: 0.5, 1))), METRICS["dice"])
    assert row.mark == "worst"


def test_flags_say_in_how_many_runs():
    def run(seed, flag):
        case = CaseScores(case="c", patient="p", classes={"a": scores(0.0, flag=flag)})
        return record([case], seed=seed)

    result = result_of(run(0, "prediction_empty"), run(1, ""))
    [row] = case_rows(result, METRICS["dice"])
    assert row.notes == "a: prediction empty in 1 of 2 runs"


def reason(root, public=False, tasks_here=None) -> str:
    """Why the only case of a store has no picture."""
    store = Store(root)
    result = result_of(*store)
    material = SimpleNamespace(store=store, public=public, tasks_here=tasks_here or {}, doubted={})
    [(row, page)] = pictured(material, result, case_rows(result, METRICS["dice"]))
    assert page is None
    assert row.page == ""
    return row.reason


PHANTOM = ["phantom-shifted", {"patients": 1, "seed": 0}]
FIRST = "phantom-shifted-test-0000-arterial"


def one_case(root, case=FIRST, task=PHANTOM, stored_shape=None):
    found = [CaseScores(case=case, patient="p", classes={"vertebrae": scores(0.5)})]
    stored(root, record(found, key="k", cell={"task": task}))
    if stored_shape:
        write_label_map(prediction_path(root, "k", case), np.zeros(stored_shape), np.eye(4))
    return root


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "no prediction stored"),
        ({"task": ["msd-heart", {}], "stored_shape": (2, 2, 2)}, "Task02_Heart"),
        ({"stored_shape": (2, 2, 2)}, "the stored prediction has the shape (2, 2, 2)"),
        ({"case": "../x", "stored_shape": (2, 2, 2)}, "no case of this name"),
        ({"task": ["nothing", {}], "stored_shape": (2, 2, 2)}, "unknown task 'nothing'"),
        ({"task": "odd", "stored_shape": (2, 2, 2)}, "do not say which task"),
    ],
)
def test_why_there_is_no_picture_is_said(tmp_path, given, words):
    assert words in reason(one_case(tmp_path, **given))


def test_a_damaged_prediction_is_told(tmp_path):
    one_case(tmp_path, stored_shape=(2, 2, 2))
    prediction_path(tmp_path, "k", FIRST).write_bytes(b"no volume")
    assert "can't be read" in reason(tmp_path)


def test_a_record_can_not_point_the_page_at_other_folders(tmp_path):
    ref = cases_of_pages.ref_of(record(None, cell={"task": ["masks-folder", {"root": "/etc"}]}))
    assert ref.values == {}


def test_pages_to_give_away_have_no_pictures_of_data_that_may_not_be(tmp_path, monkeypatch):
    root = one_case(tmp_path, task=["msd-heart", {}], stored_shape=(2, 2, 2))
    monkeypatch.setattr(cases_of_pages, "is_open", lambda licence: False)
    assert "have no pictures of data under «CC-BY-SA 4.0»" in reason(root, public=True)
    assert "no pictures of data" not in reason(root)


@pytest.mark.parametrize(
    ("licence", "may"),
    [
        ("CC-BY-SA 4.0", True), ("CC BY 4.0", True), ("CC0", True), ("Apache-2.0 (x)", True),
        ("CC BY-NC-SA 4.0", False), ("CC-BY-NC 4.0", False), ("CC BY-ND", False),
        ("on request, by agreement", False), ("unknown", False), ("licence not told", False),
        ("CC BY 4.0, non-commercial use", False),
    ],
)  # fmt: skip
def test_only_an_open_licence_lets_volumes_be_shown(licence, may):
    assert cases_of_pages.is_open(licence) is may


def test_a_sweep_says_where_the_cases_lie(tmp_path):
    root = one_case(tmp_path, task=["nnunet-folder", {}], stored_shape=(2, 2, 2))
    assert "needs `root`" in reason(root)
    task = find_task(Ref.of(*PHANTOM))
    assert "needs `root`" not in reason(root, tasks_here={"openkbp": task})
