"""Which value of a label map means what: our cards against what two others say of each data set."""

import hashlib
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from voxbench.api import PublicTask
from voxbench.design.structures import canonical
from voxbench_tasks.releases.flare22 import Flare22
from voxbench_tasks.releases.word import Word

HERE = Path(__file__)
LISTS = tomllib.loads(HERE.with_name("label_lists.toml").read_text(encoding="utf-8"))
ONE = {
    "atlas-2": "one value, a lesion",
    "chaos-ct": "one value, the white of a picture of one bit",
    "ms-cmrseg-lge": "the labels of its other sequence",
    "ms-cmrseg-t2": "the labels of its other sequence",
    "qubiq21-pancreas": "one value, and one page that tells of it",
    "qubiq21-pancreatic-lesion": "one value, and one page that tells of it",
    "totalsegmentator-v2": "the makers' own; OML's page leaves structures out",
}
"""Tasks whose labels two sources do not name, and why."""


def public_tasks():
    project = tomllib.loads((HERE.parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    for name, place in project["project"]["entry-points"]["voxbench.tasks"].items():
        module, _, attribute = place.partition(":")
        kind = getattr(import_module(module), attribute)
        if issubclass(kind, PublicTask):
            yield name, kind


TASKS = dict(public_tasks())
ENTRIES = [(task, entry) for task in LISTS for entry in LISTS[task]]


def told(value):
    return frozenset(value if isinstance(value, list | tuple) else [value])


def test_the_labels_of_every_public_task_are_those_of_two_others_or_it_is_said_why_not():
    assert {name for name in TASKS if len(LISTS.get(name, ())) < 2} == ONE.keys()
    assert LISTS.keys() <= TASKS.keys()
    assert all(len({e["source"] for e in LISTS[name]}) == len(LISTS[name]) for name in LISTS)


@pytest.mark.parametrize(("task", "entry"), ENTRIES, ids=[f"{t}-{e['source']}" for t, e in ENTRIES])
def test_labels_are_what_a_source_says(task, entry):
    classes = TASKS[task](root=Path()).card.classes
    if "sha256" in entry:
        assert list(classes.values()) == list(range(1, len(classes) + 1))
        assert hashlib.sha256("\n".join(classes).encode()).hexdigest() == entry["sha256"]
        return
    if "values" in entry:
        assert set(classes.values()) == set(entry["values"])
        return
    ordered = enumerate(entry.get("ordered", "").split(), start=1)
    labels = entry.get("labels") or {name: value for value, name in ordered}
    ours = {canonical(name): told(value) for name, value in classes.items()}
    known = entry.get("ours", {})
    theirs = {canonical(known.get(name, name)): told(value) for name, value in labels.items()}
    assert len(theirs) == len(labels)
    assert theirs.items() <= ours.items()
    assert entry.get("part") or theirs == ours


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (
            Flare22,
            "liver esophagus stomach duodenum left_kidney right_kidney spleen pancreas aorta",
        ),
        (Word, "liver colon intestine adrenal rectum bladder head_of_femur_L head_of_femur_R"),
    ],
)
def test_lists_of_evas_that_differ_are_ours_with_the_values_sorted_as_texts(kind, names):
    """`src/eva/vision/data/datasets/segmentation` of https://github.com/kaiko-ai/eva."""
    by_text = sorted(kind.card.classes, key=lambda name: str(kind.card.classes[name]))
    theirs = [canonical(name) for name in names.split()]
    assert [canonical(name) for name in by_text][: len(theirs)] == theirs
    assert [canonical(name) for name in kind.card.classes][: len(theirs)] != theirs
