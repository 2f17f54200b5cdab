from dataclasses import dataclass
from typing import ClassVar

import pytest
from voxbench.api import BaselineCard, Case, Pretrained
from voxbench.data.dataset import open_dataset
from voxbench.ledger.corpora import Corpora, Corpus
from voxbench.ledger.verdict import by_case, by_corpus, verdict_for
from voxbench.plugins import find_baseline
from voxbench.records.provenance import Contamination

from tests.data.toy import save, toy
from tests.ledger.phantom import person


def corpus(name, *parents, kind="CT", **fields):
    return Corpus(name=name, kind=(kind,), source="x", parents=parents, **fields)


KNOWN = Corpora(
    [
        corpus("LiTS"),
        corpus("BTCV"),
        corpus("MSD-Liver", "LiTS"),
        corpus("Atlas", "LiTS", "BTCV"),
        corpus("Rumour", perhaps=("BTCV",)),
        corpus("Crawl", complete=False),
        corpus("Brains", kind="MR"),
        corpus("Photos", kind="photograph"),
    ]
)


@pytest.mark.parametrize(
    ("seen", "tested", "status", "shared"),
    [
        (["Photos"], ["LiTS"], "clean", ()),
        (["Atlas"], ["BTCV"], "overlaps (by corpus)", ("BTCV",)),
        (["BTCV"], ["Atlas"], "overlaps (by corpus)", ("BTCV",)),
        (["Atlas"], ["msd-liver"], "overlaps (by corpus)", ("LiTS",)),
        (["Atlas"], ["Brains"], "clean", ()),
        (["Rumour"], ["BTCV"], "unknown", ()),
        (["Crawl"], ["BTCV"], "unknown", ()),
        (["Crawl"], ["Brains"], "clean", ()),
        (["BTCV"], ["Crawl"], "unknown", ()),
        ([], ["BTCV"], "unknown", ()),
        (["BTCV"], [], "unknown", ()),
        (["Nowhere"], ["BTCV"], "unknown", ()),
        (["mine"], ["mine"], "overlaps (by corpus)", ("mine",)),
        (["Nowhere", "Atlas"], ["BTCV"], "overlaps (by corpus)", ("BTCV",)),
    ],
)
def test_the_names_decide(seen, tested, status, shared):
    found = by_corpus(seen, tested, KNOWN)
    assert (found.status, found.shared) == (status, list(shared))


def test_an_unknown_says_why():
    assert "weights' corpora are not named" in by_corpus([], ["BTCV"], KNOWN).reason
    assert "Did you mean 'Atlas'" in by_corpus(["Atlaz"], ["BTCV"], KNOWN).reason
    assert "may share BTCV" in by_corpus(["Rumour"], ["BTCV"], KNOWN).reason
    assert "not all origins of Crawl" in by_corpus(["Crawl"], ["BTCV"], KNOWN).reason


@dataclass(frozen=True, kw_only=True)
class Made(Pretrained):
    card: ClassVar[BaselineCard] = BaselineCard(
        name="made", strategy="self-supervised", licence="none", reference="none"
    )
    needs_labels: ClassVar[bool] = False

    def objective(self, backbone, source):
        raise NotImplementedError


def cohort(root, people, scan=0, **card):
    cases = []
    for number in people:
        image, label = root / f"{number}.nii.gz", root / f"{number}_label.nii.gz"
        array = person(number, scan)
        save(image, array)
        save(label, (array > 60).astype("uint8"))
        cases.append(Case(f"case{number}", (image,), label, patient=f"p{number}"))
    return toy(root, cases, **card)


def whole(dataset) -> list[Case]:
    return [*dataset.split.train, *dataset.split.validation, *dataset.split.test]


def test_scratch_is_clean_whatever_the_task_holds(tmp_path):
    dataset = open_dataset(cohort(tmp_path, range(4)))
    assert verdict_for(find_baseline("scratch"), dataset).status == "clean"


def test_the_training_split_of_the_very_task_is_no_contamination(tmp_path):
    own = open_dataset(cohort(tmp_path, range(8), corpora=("own",)))
    assert verdict_for(Made(), own, [(own, own.split.train)]) == Contamination(status="clean")


def test_a_test_patient_among_the_seen_cases_is_named(tmp_path):
    own = open_dataset(cohort(tmp_path, range(8), corpora=("own",)))
    split = own.split
    found = verdict_for(Made(), own, [(own, (*split.train, split.test[0]))])
    assert (found.status, found.shared) == ("overlaps (by case)", [split.test[0].id])


def test_the_same_file_in_another_task_is_found_by_its_content(tmp_path):
    one = open_dataset(cohort(tmp_path / "a", range(8), name="a"))
    other = open_dataset(cohort(tmp_path / "b", range(8), name="b"))
    test = {case.id for case in one.split.test}
    seen = whole(other)
    assert by_case(seen, one.split.test, one_task=False) == test
    found = verdict_for(Made(), one, [(other, seen)])
    assert (found.status, found.shared) == ("overlaps (by case)", sorted(test))


def test_patients_of_different_tasks_are_different_people(tmp_path):
    one = open_dataset(cohort(tmp_path / "a", range(8), name="a", corpora=("BTCV",)))
    other = open_dataset(cohort(tmp_path / "b", range(8), scan=50, name="b", corpora=("OpenMind",)))
    assert verdict_for(Made(), one, [(other, whole(other))]).status == "clean"
