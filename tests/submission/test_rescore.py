"""Label maps are scored again as they were scored first: by each rater, in the task's own way."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from voxbench.data.dataset import open_dataset
from voxbench.data.volumes import read_reference
from voxbench.predict.case import score_prediction
from voxbench.submission.labelmap import SubmittedMap
from voxbench.submission.rescore import rescore

from tests.data.toy import save, toy, write_case


@pytest.fixture(params=[None, "suprem"])
def dataset(request, tmp_path):
    """Of cases with two raters, the second of whom calls an edge of the ball background."""
    cases = []
    for number in range(6):
        case = write_case(tmp_path, f"c{number}")
        label = np.asarray(read_reference(case, toy(tmp_path, []).card).array).copy()
        label[:9] = 0
        half = save(tmp_path / f"c{number}_half.nii", (label == 1).astype(np.uint8))
        cases.append(replace(case, raters={"a": case.label, "b": half, "c": None}))
    return open_dataset(replace(toy(tmp_path, cases), scoring=request.param))


def rescored(dataset, change=lambda told: told):
    """What is found of an honest label map of a case, whose scores are then changed."""
    case = dataset.split.test[0]
    reference = read_reference(case, dataset.card)
    labels = np.where(reference.array == 2, 0, reference.array).astype(np.uint8)
    told = score_prediction(lambda: labels, case, dataset.card, dataset.card.classes)
    record = SimpleNamespace(key="k", arm=SimpleNamespace(task="toy"), cases=[change(told)])
    bundle = SimpleNamespace(
        maps={"k": ["map"]},
        records={"k": record},
        has_map=lambda key, name: True,
        read_map=lambda key, name: SubmittedMap(labels, reference.affine, False),
    )
    cell = SimpleNamespace(task="toy", fold=None)
    return rescore(bundle, {"k": cell}, SimpleNamespace(find=lambda ref, name, fold: dataset))


def test_what_was_scored_honestly_is_confirmed(dataset):
    found = rescored(dataset)
    assert found.diagnostics == []
    assert found.confirmed == {"k"}


def test_another_dice_with_a_rater_is_found(dataset):
    found = rescored(
        dataset,
        lambda told: told.model_copy(
            update={"raters": told.raters | {"b": {**told.raters["b"], "ball": 0.99}}}
        ),
    )
    assert ["ball by rater b: dice 0.99" in str(one) for one in found.diagnostics] == [True]
    assert found.confirmed == set()


def test_another_rater_is_found(dataset):
    found = rescored(
        dataset,
        lambda told: told.model_copy(update={"raters": {**told.raters, "c": told.raters["a"]}}),
    )
    assert ["a, b, c told, a, b here" in str(one) for one in found.diagnostics] == [True]
