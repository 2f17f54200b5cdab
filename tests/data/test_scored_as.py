"""A task may be scored in an official way: it says so, and names other results."""

from dataclasses import replace

import numpy as np
import pytest
from voxbench.api import Case
from voxbench.data.dataset import open_dataset, open_images
from voxbench.errors import SpecError
from voxbench.fields import identifying

from tests.data.toy import save, toy, volumes

ORGANS = {"liver": 1, "IVC": 4}


def abdomen(root, scoring=None, **changes):
    cases = []
    for number in range(5):
        image, label = volumes(number)
        files = root / f"{number}.nii.gz", root / f"{number}_label.nii.gz"
        save(files[0], image)
        save(files[1], label.astype(np.uint8))
        cases.append(Case(str(number), files[:1], files[1], str(number)))
    described = {"classes": ORGANS, "tolerance_mm": dict.fromkeys(ORGANS, 1.0)} | changes
    return replace(toy(root, cases, **described), scoring=scoring)


def test_its_card_has_the_makers_tolerances_and_its_notes_their_source(tmp_path):
    found = open_dataset(abdomen(tmp_path, "flare22"))
    assert found.card.tolerance_mm == {"liver": 5.0, "IVC": 2.0}
    assert found.card.scoring == "flare22"
    assert any("FLARE22_DSC_NSD_Eval.py" in note for note in found.notes)


def test_where_the_makers_name_no_tolerance_the_task_s_own_stays(tmp_path):
    found = open_dataset(abdomen(tmp_path, "amos"))
    assert found.card.tolerance_mm == {"liver": 1.0, "IVC": 1.0}


def test_it_names_other_results_and_nothing_where_it_is_not_said(tmp_path):
    plain, official = abdomen(tmp_path), abdomen(tmp_path, "flare22")
    assert open_dataset(plain).identity != open_dataset(official).identity
    assert open_images(plain).identity == open_images(official).identity
    assert "scoring" not in identifying(plain, vars(plain))
    assert identifying(official, vars(official))["scoring"] == "flare22"


@pytest.mark.parametrize(
    ("scoring", "says"),
    [("flare222", "task 'toy': scoring: .*'flare22'"), ("kits23", "'toy'.*scoring 'liver'.*mass")],
)
def test_a_scoring_that_does_not_fit_names_the_task(tmp_path, scoring, says):
    with pytest.raises(SpecError, match=says):
        open_dataset(abdomen(tmp_path, scoring))
