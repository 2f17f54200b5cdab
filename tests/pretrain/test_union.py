"""A source may be made of several, each with labels of its own classes, or with none."""

import dataclasses
from collections import Counter

import numpy as np
import pytest
import torch
from voxbench.api import Case
from voxbench.data.dataset import open_dataset
from voxbench.data.union import own_cases, renaming, unite
from voxbench.design.recipe import Pretraining
from voxbench.errors import SpecError
from voxbench.ledger.verdict import verdict_for
from voxbench.pretrain.engine import make_weights
from voxbench.pretrain.plan import choose_volumes, open_source, plan_pretraining
from voxbench_baselines.masked_autoencoder import MaskedAutoencoder
from voxbench_baselines.objectives.structures import structure_loss
from voxbench_baselines.supervised import Supervised

from tests.data.toy import toy, write_case

RECIPE = Pretraining(steps=2, patch=(16, 16, 16), augmentation="light")
MASKED = MaskedAutoencoder(size="tiny", cube=4, source="a+b")
SUPERVISED = Supervised(size="tiny", source="a+b")
A = {"Liver": 1, "kidney_left": 4}
B = {"spleen": 1, "left kidney": 4}


@pytest.fixture(autouse=True)
def fresh(tmp_path, monkeypatch):
    monkeypatch.setenv("VOXBENCH_CACHE", str(tmp_path / "cache"))


def source(root, name, classes, count=5, **changes):
    """A data set of as many volumes, each with a ball (1) and a box (4) of the given names."""
    cases = [write_case(root / name, f"case{i}") for i in range(count)]
    told = {"classes": classes, "tolerance_mm": dict.fromkeys(classes, 1.0), **changes}
    return toy(root / name, cases, name=name, **told)


@pytest.fixture
def pair(tmp_path):
    return source(tmp_path, "a", A), source(tmp_path, "b", B, 8)


def plan(baseline, *tasks):
    return plan_pretraining(baseline, open_source(baseline, *tasks), RECIPE)


def annotated(baseline, *tasks):
    from voxbench.pretrain.engine import _annotated

    return _annotated(plan(baseline, *tasks))


def test_classes_of_one_name_are_one_however_they_are_spelled(pair):
    union = open_source(SUPERVISED, *pair)
    assert union.card.classes == {"Liver": 1, "kidney_left": 2, "spleen": 3}
    assert renaming(union.card, pair[1].card) == {"spleen": "spleen", "left kidney": "kidney_left"}
    assert any("kidney_left (a, b)" in note for note in union.notes)


def test_a_case_is_annotated_with_the_classes_of_its_own_data_set(pair):
    cases = {case.id: case for case in annotated(SUPERVISED, *pair)}
    a, b = (next(case for name, case in cases.items() if name[0] == own) for own in "ab")
    assert (a.labelled, b.labelled) == ({"Liver", "kidney_left"}, {"spleen", "kidney_left"})
    assert set(np.unique(a.label)) == {0, 1, 2}
    assert set(np.unique(b.label)) == {0, 2, 3}
    assert a.present == a.labelled
    assert a.patient.startswith("a/")
    assert np.array_equal(a.foreground["kidney_left"], np.flatnonzero(a.label == 2))


def test_what_others_annotate_gives_no_loss_and_no_gradient():
    logits = torch.zeros(1, 3, 4, 4, 4, requires_grad=True)
    labels = torch.zeros(1, 4, 4, 4, dtype=torch.long)
    terms = structure_loss(logits, labels, torch.tensor([[True, True, False]]))
    sum(term.value for term in terms.values()).backward()
    assert logits.grad[:, :2].abs().min() > 0
    assert not logits.grad[:, 2].any(), "its background may hold the third"


def test_partly_annotated_cases_stay_so(tmp_path):
    case = write_case(tmp_path / "c", "case")
    partly = [
        dataclasses.replace(case, id=f"case{i}", patient=f"{i}", labelled=frozenset({"Liver"}))
        for i in range(4)
    ]
    told = {"classes": A, "tolerance_mm": dict.fromkeys(A, 1.0)}
    union = annotated(SUPERVISED, toy(tmp_path, partly, name="a", **told), source(tmp_path, "b", B))
    assert {case.labelled for case in union if case.id[0] == "a"} == {frozenset({"Liver"})}


@pytest.mark.parametrize("baseline", [MASKED, SUPERVISED], ids=["images", "labels"])
def test_the_order_of_its_data_sets_changes_nothing(baseline, pair):
    one, other = (plan(baseline, *tasks) for tasks in (pair, pair[::-1]))
    assert one.identity == other.identity
    assert one.source.identity == other.source.identity
    made = make_weights(one)
    assert made.cost.volumes == len(one.cases) == 4 + 5 - 1
    assert made.cost.masks == (2 * 8 if baseline.needs_labels else 0)


def test_a_union_of_images_needs_no_labels(tmp_path, pair):
    bare = [dataclasses.replace(case, label=None) for case in pair[1].cases()["all"]]
    images = toy(tmp_path, bare, name="b", classes={}, tolerance_mm={})
    assert plan(MASKED, pair[0], images).identity == plan(MASKED, *pair).identity
    with pytest.raises(SpecError, match=r"its source 'a\+b' \(b\) has none"):
        plan(SUPERVISED, pair[0], images)


def people(name, count):
    return [
        Case(f"{name}/p{i:02}-{scan}", (), None, f"{name}/p{i:02}")
        for i in range(count)
        for scan in "xy"
    ]


def test_fewer_volumes_take_the_same_share_of_every_data_set_and_are_a_subset_of_more():
    train = [*people("big", 30), *people("small", 10)]
    before: set[str] = set()
    for count in (2, 8, 16, 40, 80):
        some = dataclasses.replace(MASKED, volumes=count)
        ids = {case.id for case in choose_volumes(some, "u", train, 0, union=True)}
        parts = Counter(name.partition("/")[0] for name in ids)
        assert before < ids
        assert abs(parts["small"] - count / 4) <= 2, "a patient has two scans"
        before = ids


def test_all_corpora_of_a_union_are_looked_at(tmp_path):
    brains, bellies = (
        source(tmp_path, name, A, corpora=(corpus,))
        for name, corpus in (("a", "OASIS"), ("b", "LiTS"))
    )
    target = open_dataset(source(tmp_path, "t", A, corpora=("LiTS",)))
    for tasks, status in (((brains, bellies), "overlaps (by corpus)"), ((bellies,), None)):
        found = plan(MASKED, *tasks)
        verdict = verdict_for(MASKED, target, found.members)
        assert verdict.status == (status or verdict.status)
        assert verdict.shared
    assert {*found.source.card.corpora} == {"LiTS"}
    assert {*plan(MASKED, brains, bellies).source.card.corpora} == {"OASIS", "LiTS"}


def test_a_test_case_in_one_of_its_data_sets_is_found(pair):
    target = open_dataset(pair[1])
    seen = open_source(MASKED, *pair)
    own = {case.id for case in target.split.test}
    case = next(case for case in pair[1].cases()["all"] if case.id in own)
    leaked = toy(pair[1].root, [case, *pair[1].cases()["all"][:3]], name="c")
    leaky = dataclasses.replace(
        leaked, parts={"train": [case], "validation": [], "test": [], "unlabelled": [case]}
    )
    found = verdict_for(MASKED, target, list(own_cases(seen, seen.split.train)))
    assert found.status != "overlaps (by case)"
    union = unite([open_dataset(pair[0]), *_images(leaky)], "u")
    verdict = verdict_for(MASKED, target, list(own_cases(union, union.split.train)))
    assert (verdict.status, verdict.shared) == ("overlaps (by case)", [case.id])


def _images(task):
    from voxbench.data.dataset import open_images

    return [open_images(dataclasses.replace(task, parts={"unlabelled": task.parts["train"]}))]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "a"}, "a is in it twice"),
        ({"channels": ("t1", "t2")}, "differ in their channels: a 1, b 2"),
    ],
)
def test_what_can_not_be_united_is_one_error(tmp_path, changes, message):
    first, second = source(tmp_path, "a", A), source(tmp_path, "b", B)
    card = second.card.model_copy(update=changes)
    with pytest.raises(SpecError, match=message):
        open_source(SUPERVISED, first, dataclasses.replace(second, described=card))


def test_the_axes_that_any_data_set_keeps_are_not_mirrored(tmp_path):
    sided, plain = source(tmp_path, "a", A), source(tmp_path, "b", {"spleen": 1, "box": 4})
    assert "R" not in open_source(SUPERVISED, sided, plain).mirroring.axes
    assert open_source(MASKED, sided, plain).mirroring.axes == "RAS"
