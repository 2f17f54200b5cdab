"""Probability maps or members of others in, what their doubt is worth out."""

import json
import math

import nibabel as nib
import numpy as np
import pytest
from scipy.special import entr

AFFINE = np.diag([1.0, 1.0, 2.0, 1.0])
SHAPE = (6, 5, 4)
ENTROPY = ("--measure", "predictive_entropy")


def save(file, array):
    file.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(array, AFFINE), file)


def truth(case):
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:4, 1:4, 1 : 2 + case % 3] = 1
    labels[4, 1:4] = 2
    return labels


def probabilities(case, doubt):
    """Three classes, (class, d, h, w): right but where there is much doubt, and unsure then."""
    sure = 1 - doubt * np.random.default_rng(case).random(SHAPE)
    wanted = np.eye(3)[truth(case)]
    mixed = wanted * sure[..., None] + (1 - sure[..., None]) * [0.6, 0.2, 0.2]
    return np.moveaxis(mixed, -1, 0)


@pytest.fixture
def folders(tmp_path):
    """Six cases, the later the less sure; those of another distribution are the least sure."""
    for case in range(6):
        save(tmp_path / f"refs/{chr(97 + case)}.nii.gz", truth(case))
        save(
            tmp_path / f"probs/{chr(97 + case)}.nii.gz",
            np.moveaxis(probabilities(case, 0.1 + 0.15 * case), 0, -1).astype(np.float32),
        )
    for case in range(3):
        save(
            tmp_path / f"strange/{chr(110 + case)}.nii.gz",
            np.moveaxis(probabilities(case, 0.99), 0, -1).astype(np.float32),
        )
        save(tmp_path / f"val-refs/{chr(117 + case)}.nii.gz", truth(case))
        save(
            tmp_path / f"val/{chr(117 + case)}.nii.gz",
            np.moveaxis(probabilities(case, 0.5), 0, -1).astype(np.float32),
        )
    return tmp_path


@pytest.fixture
def ask(voxbench, folders, monkeypatch):
    """Ask of folders by name; gives rows of JSON."""
    monkeypatch.chdir(folders)
    monkeypatch.setattr("voxbench.uncertainty.intervals.over_patients.__defaults__", (20,))

    def call(*words):
        code, out, err = voxbench("uncertainty", *words, "--json")
        assert code == 0, err
        return json.loads(out)

    return call


def one(found, **wanted):
    [row] = [row for row in found["applications"] if all(row[k] == v for k, v in wanted.items())]
    return row


def test_cases_that_are_unsure_are_those_that_fail(ask):
    found = ask("probs", "refs", *ENTROPY)
    scores = [row["image mean"] for row in found["cases"]]
    assert [row["case"] for row in found["cases"]] == list("abcdef")
    assert scores == sorted(scores)
    aurc = one(found, figure="AURC of 1 − Dice", aggregation="image mean")
    assert aurc["low"] <= aurc["value"] <= aurc["high"]
    assert aurc["cases"] == 6
    assert one(found, figure="E-AURC of 1 − Dice", aggregation="image sum")["value"] >= 0
    assert one(found, figure="ECE", measure="mean probability")["value"] > 0
    assert one(found, figure="ACE", measure="probability of 2")["cases"] == 6


def test_one_member_has_no_pairs_and_no_threshold_without_validation(ask):
    found = ask("probs", "refs", *ENTROPY)
    assert {row["pairwise Dice"] for row in found["cases"]} == {None}
    assert {row["threshold"] for row in found["cases"]} == {None}
    assert not [row for row in found["applications"] if row["measure"] == "pairwise Dice"]


def test_each_class_has_the_doubt_of_its_own_probability(ask, folders):
    found = ask(
        "probs", "refs", "--by-class", "--class", "liver=1", "--class", "tumour=2", *ENTROPY
    )
    for name, index in (("liver", 1), ("tumour", 2)):
        p = probabilities(5, 0.85)[index]
        u = entr(p) + entr(1 - p)
        [row] = [
            row for row in found["cases"]
            if (row["case"], row["measure"]) == ("f", f"predictive_entropy of {name}")
        ]  # fmt: skip
        assert row["image mean"] == pytest.approx(u.mean(), rel=1e-5)
        predicted = probabilities(5, 0.85).argmax(0) == index
        assert row["foreground"] == pytest.approx(u[predicted].mean(), rel=1e-5)
        assert row["threshold"] is None
        asked = {"measure": f"predictive_entropy of {name}", "aggregation": "image mean"}
        assert one(found, figure="AURC of 1 − Dice", **asked)["cases"] == 6
    plain = ask("probs", "refs", *ENTROPY)
    assert {row["measure"] for row in plain["cases"]} == {"predictive_entropy"}


def test_other_distributions_are_told_apart(ask):
    found = ask("probs", "refs", "--ood", "strange", *ENTROPY)
    assert one(found, figure="AUROC", aggregation="image mean")["value"] == 1
    assert one(found, figure="FPR at 95%", aggregation="image mean")["value"] == 0
    strange = [row for row in found["cases"] if row["part"] == "OoD"]
    assert [row["1 − Dice"] for row in strange] == [None] * 3


def test_validation_gives_a_threshold_and_a_calibration(ask):
    found = ask("probs", "refs", "--validation", "val", "val-refs", *ENTROPY)
    assert all(row["threshold"] is not None for row in found["cases"])
    assert one(found, figure="ACE", measure="predictive_entropy")["cases"] == 6


def test_three_validation_cases_can_promise_nothing_but_every_voxel_and_twelve_can(ask, folders):
    few = ask("probs", "refs", "--validation", "val", "val-refs", *ENTROPY)
    missed = {"application": "risk control", "measure": "probability of 1"}
    assert one(few, **missed)["value"] == 0
    for case in range(12):
        for folder, array in (("v", probabilities(case, 0.5)), ("v-refs", truth(case)[None])):
            file = folders / f"{folder}/{chr(108 + case)}.nii.gz"
            save(file, np.moveaxis(array, 0, -1).astype(np.float32).squeeze())
    many = ask("probs", "refs", "--validation", "v", "v-refs", *ENTROPY)
    assert one(many, **missed)["value"] > 0


def test_nsd_is_a_second_risk(ask):
    found = ask("probs", "refs", "--tolerance-mm", "1", *ENTROPY)
    assert one(found, figure="AUGRC of 1 − NSD", aggregation="image mean")["undefined"] == 0


def test_members_in_folders_of_cases_or_of_members_or_in_one_file_are_the_same(ask, folders):
    for case in range(6):
        name = chr(97 + case)
        right = np.moveaxis(np.eye(3, dtype=np.float32)[truth(case)], -1, 0)
        members = [probabilities(case, 0.99).astype(np.float32), right]
        for m, own in enumerate(members):
            for file in (f"by-case/{name}/m{m}.nii.gz", f"by-member/m{m}/{name}.nii.gz"):
                save(folders / file, np.moveaxis(own, 0, -1))
        (folders / "one").mkdir(exist_ok=True)
        np.savez(folders / f"one/{name}.npz", members=np.stack(members))
        (folders / "nnunet").mkdir(exist_ok=True)
        np.savez(folders / f"nnunet/{name}.npz", probabilities=np.swapaxes(right, 1, 3))
    by_case, by_member, together = (
        ask(name, "refs", "--measure", "mutual_information")
        for name in ("by-case", "by-member", "one")
    )
    assert by_case == by_member == together
    assert all(0 < row["pairwise Dice"] < 1 for row in by_case["cases"])
    assert {row["1 − Dice"] for row in ask("nnunet", "refs", *ENTROPY)["cases"]} == {0}


def test_label_maps_are_members_too_and_several_raters_make_ambiguity(ask, folders):
    for case in range(6):
        name = chr(97 + case)
        other = np.roll(truth(case), case % 2, axis=0)
        save(folders / f"refs2/{name}.nii.gz", other)
        save(folders / f"maps/m0/{name}.nii.gz", truth(case))
        save(folders / f"maps/m1/{name}.nii.gz", other)
    classes = ("--class", "core=1", "--class", "rim=2")
    found = ask("maps", "refs", "refs2", *classes, "--measure", "mutual_information")
    correlation = one(found, figure="NCC")
    assert correlation["value"] > 0.9
    assert (correlation["cases"], correlation["undefined"]) == (3, 3)
    assert one(found, figure="GED²")["value"] == pytest.approx(0, abs=1e-9)
    assert one(found, figure="ACE", measure="probability of rim")["cases"] == 6


def test_voxels_that_nobody_annotated_count_nothing(ask, folders):
    before = ask("probs", "refs", *ENTROPY)
    labels = {"background": 0, "1": 1, "2": 2, "ignore": 7}
    (folders / "refs/dataset.json").write_text(json.dumps({"labels": labels}))
    changed = truth(5)
    changed[0] = 7
    save(folders / "refs/f.nii.gz", changed)
    after = ask("probs", "refs", *ENTROPY)
    assert after["cases"] == before["cases"]
    assert one(after, figure="ACE", measure="mean probability") != one(
        before, figure="ACE", measure="mean probability"
    )


def test_tables_are_printed_and_written(voxbench, folders, ask):
    code, out, _ = voxbench("uncertainty", "probs", "refs", *ENTROPY, "-o", "out")
    assert code == 0
    assert "failure detection" in out
    assert "Applications" in out
    names = {path.name for path in (folders / "out").iterdir()}
    assert {"uncertainty.csv", "uncertainty.md", "uncertainty-cases.csv"} <= names


def test_predictions_without_a_reference_are_told(voxbench, folders, ask):
    (folders / "refs/f.nii.gz").unlink()
    _, _, err = voxbench("uncertainty", "probs", "refs", *ENTROPY)
    assert "1 predictions of probs have no reference, not judged: f" in err


def broken(folders, what):
    if what == "logits":
        save(folders / "probs/a.nii.gz", np.full((*SHAPE, 3), 4.0, np.float32))
    elif what == "no background":
        save(folders / "probs/a.nii.gz", np.full((*SHAPE, 3), 0.1, np.float32))
    elif what == "shape":
        save(folders / "probs/a.nii.gz", np.full((*SHAPE[::-1], 3), 1 / 3, np.float32))
    elif what == "moved":
        image = np.full((*SHAPE, 3), 1 / 3, np.float32)
        nib.save(nib.Nifti1Image(image, np.diag([1.0, 1, 1, 1])), folders / "probs/a.nii.gz")
    elif what == "label":
        save(folders / "refs/a.nii.gz", np.full(SHAPE, 9, np.uint8))
    elif what == "missing":
        (folders / "probs/a.nii.gz").unlink()
    elif what == "damaged":
        (folders / "probs/a.nii.gz").write_bytes(b"no")
    elif what == "arrays":
        np.savez(folders / "probs/a.npz", one=np.zeros(SHAPE), two=np.zeros(SHAPE))


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("logits", "are these logits"),
        ("no background", "sum to 0.3, not 1"),
        ("shape", "resample it, or turn its axes"),
        ("moved", "turned or moved"),
        ("label", "holds 9, the predictions have 3 classes"),
        ("missing", "1 references have no prediction in probs: a"),
        ("damaged", "a.nii.gz: can't be read"),
        ("arrays", "have no prediction in probs"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_file(voxbench, folders, ask, what, told):
    broken(folders, what)
    code, out, err = voxbench("uncertainty", "probs", "refs", *ENTROPY)
    assert (code, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nowhere", "refs"), "nowhere is not a folder"),
        (("strange", "refs"), "no case of the references is in strange"),
        (("probs", "refs", "--measure", "entropy"), "unknown measure 'entropy'"),
        (("probs", "refs", "--class", "a=7"), "class 'a' is 7, the predictions have 3 classes"),
        (("probs", "refs", "--class", "a=1+2"), "is a region of [1, 2]"),
        (("probs", "refs", "--validation", "probs", "refs"), "validate on other cases"),
        (("probs", "refs", "val-refs"), "lacks the case a"),
        (("refs", "refs"), "no classes are known"),
        (("probs", "refs", "--ood", "nowhere"), "nowhere is not a folder"),
        (("probs", "refs", "--patients", "who.csv"), "no such file"),
    ],
)
def test_a_mistake_in_the_call_is_one_line(voxbench, ask, words, told):
    code, _, err = voxbench("uncertainty", *words)
    assert code == 2
    assert told in err
    assert err.count("\n") == 1


def test_the_unit_is_the_patient(ask, folders):
    rows = ["case,patient", *(f"{case},{'xy'[case > 'c']}" for case in "abcdef")]
    (folders / "refs/patients.csv").write_text("\n".join(rows))
    found = ask("probs", "refs", *ENTROPY)
    assert [row["patient"] for row in found["cases"]] == list("xxxyyy")
    (folders / "refs/patients.csv").write_text(
        "\n".join(["case,patient", *(f"{case},x" for case in "abcdef")])
    )
    aurc = one(ask("probs", "refs", *ENTROPY), figure="AURC of 1 − Dice", aggregation="image sum")
    assert not math.isnan(aurc["value"])
    assert aurc["low"] is None
