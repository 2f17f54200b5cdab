"""Maps of uncertainty that were kept lie over a case, on its grid, at 8 bits."""

import base64
import gzip

import nibabel
import numpy as np
import pytest
from voxbench.api import TaskCard
from voxbench.data.doubt_map import doubt_path, keep_doubt
from voxbench.data.label_map import read_label_map
from voxbench.data.nifti import Volume
from voxbench.data.volumes import CaseVolumes
from voxbench.errors import DataError
from voxbench.records import Store
from voxbench.records.predictions import prediction_path
from voxbench.records.uncertainty import UncertaintyRecords
from voxbench.reporting.site import picture as pictures
from voxbench.reporting.site.picture import picture

from tests.analyses.records import SCRATCH
from tests.analyses.test_uncertainty import uncertain
from tests.reporting.site.demo import made, phantom_store
from tests.reporting.site.test_browser import chromium, look  # noqa: F401 (fixtures)

CARD = TaskCard(
    name="card", modality="CT", channels=("CT",), classes={"a": 1}, spacing_mm=None,
    tolerance_mm={"a": 1}, window=(-100, 300), licence="none", reference="none",
)  # fmt: skip
MEASURES = ["predictive_entropy", "mutual_information"]


def read(text: str):
    return np.asarray(
        nibabel.Nifti1Image.from_bytes(gzip.decompress(base64.b64decode(text))).dataobj
    )


@pytest.mark.parametrize(
    ("measure", "classes", "most"),
    [
        ("predictive_entropy", 4, np.log(4)),
        ("one_minus_max", 4, 0.75),
        ("mutual_information", 2, np.log(2)),
    ],
)
def test_255_is_the_most_that_a_measure_can_be(tmp_path, measure, classes, most):
    path = doubt_path(tmp_path, "key", measure, "case")
    found = np.array([0.0, 0.2 * most, most], np.float32).reshape(3, 1, 1)
    keep_doubt(path, measure, found, classes, np.diag([2.0, 1, 1, 1]))
    kept = read_label_map(path)
    assert kept.array.ravel().tolist() == [0, 51, 255]
    assert np.allclose(kept.affine, np.diag([2.0, 1, 1, 1]))


def volumes() -> CaseVolumes:
    label = np.zeros((40, 30, 20), np.uint8)
    label[4:9, 5:9, 3:7] = 1
    image = np.random.default_rng(0).normal(100, 200, (1, *label.shape)).astype(np.float32)
    return CaseVolumes(image, label, np.eye(4))


def test_a_map_is_cropped_and_thinned_out_as_the_case_is(monkeypatch):
    monkeypatch.setattr(pictures, "LIMIT", 1500)
    monkeypatch.setattr(pictures, "CONTEXT_MM", 4.0)
    given = volumes()
    doubt = Volume(200 * given.label, given.affine)
    shown = picture(given, Volume(given.label, given.affine), CARD, {"softmax": doubt})
    assert shown.cropped
    assert np.array_equal(read(shown.doubts["softmax"]), 200 * read(shown.reference))


def test_a_map_that_does_not_fit_is_told():
    given, prediction = volumes(), volumes()
    doubt = {"softmax": Volume(given.label[:-1], given.affine)}
    with pytest.raises(DataError, match="the stored map of softmax has the shape"):
        picture(given, Volume(prediction.label, given.affine), CARD, doubt)


@pytest.fixture(scope="module")
def case(tmp_path_factory, cache):
    """The page of a case that two measures doubt at its upper end."""
    root = phantom_store(tmp_path_factory.mktemp("store"))
    for record in Store(root):
        doubted = uncertain(record, lambda *_: 0.1, lambda _: 0.1)
        asked = {"measures": MEASURES, "applications": ["failure detection"]}
        UncertaintyRecords(root).write(doubted.model_copy(update={"asked": asked}))
        for found in record.cases:
            path = prediction_path(root, record.key, found.case)
            if record.arm.baseline == SCRATCH and path.is_file():
                like = read_label_map(path)
                u = np.zeros(like.array.shape, np.float32)
                u[:, :, -4:] = 1
                for measure in MEASURES:
                    keep_doubt(
                        doubt_path(root, doubted.key, measure, found.case),
                        measure,
                        u,
                        3,
                        like.affine,
                    )
    index = made(root, root / "report")
    pages = sorted((index.parent / "cases").glob("*.html"))
    return next(page for page in pages if 'name="doubt"' in page.read_text())


def test_a_case_offers_each_measure_that_was_kept(case):
    text = case.read_text()
    assert "softmax · predictive entropy" in text
    assert "softmax · mutual information" in text
    assert text.count('class="doubt"') == 2
    others = [page.read_text() for page in case.parent.glob("*.html") if page != case]
    assert any('name="doubt"' not in other for other in others)  # its maps were not kept


@pytest.mark.browser
def test_the_viewer_lays_a_map_over_the_case(case, look):  # noqa: F811 (a fixture)
    page = look(case)
    page.wait_for_selector("html[data-viewer=drawn]")
    for name in ("reference", "prediction"):
        page.locator(f"#view [name={name}]").uncheck()
    without = page.locator("#canvas").screenshot()
    page.locator("#view [name=doubt]").select_option("0")
    page.wait_for_timeout(500)
    assert page.locator("#canvas").screenshot() != without
    page.locator("#view [name=doubt]").select_option("")
    page.wait_for_timeout(500)
    assert page.locator("#canvas").screenshot() == without
