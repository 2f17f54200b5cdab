"""Folders in BIDS as tasks: sessions are cases, subjects patients, endings channels and labels."""

from pathlib import Path

import numpy as np
import pytest
from voxbench.data.prepare import prepare_cases
from voxbench.data.split import split_cases
from voxbench.errors import DataError
from voxbench.plugins import TASKS
from voxbench.registry import Registration
from voxbench.running.draft import survey
from voxbench_tasks.bids_folder import BidsFolder

from tests.data.toy import save, volumes

SESSIONS = [(f"sub-{subject:02d}", ses) for subject in (1, 2, 3) for ses in ("ses-1", "ses-2")]


def image(root: Path, subject: str, session: str, ending: str) -> None:
    place = root / subject / session / "anat"
    save(place / f"{subject}_{session}_{ending}.nii.gz", volumes(hash_of(subject, session))[0])


def hash_of(*words: str) -> int:
    return sum("".join(words).encode())


def label(root: Path, subject: str, session: str, ending: str, value=1) -> None:
    place = root / "derivatives" / "manual" / subject / session / "anat"
    save(place / f"{subject}_{session}_{ending}.nii.gz", (volumes()[1] == value).astype(np.uint8))


@pytest.fixture
def masks(tmp_path):
    """Two channels; masks of two structures, one of which a session lacks; one has none."""
    for subject, session in SESSIONS:
        for ending in ("T1w", "FLAIR"):
            image(tmp_path, subject, session, ending)
    for subject, session in SESSIONS[:-1]:
        label(tmp_path, subject, session, "label-lesion_mask")
    for subject, session in SESSIONS[1:-1]:
        label(tmp_path, subject, session, "label-core_mask", 4)
    (tmp_path / "sourcedata" / "sub-01").mkdir(parents=True)
    (tmp_path / "sourcedata" / "sub-01" / "sub-01_T1w.nii.gz").write_bytes(b"raw")
    described = '{"Name": "A study", "BIDSVersion": "1.8.0", "License": "CC0"}'
    (tmp_path / "dataset_description.json").write_text(described)
    return tmp_path


def test_sessions_are_cases_and_subjects_patients(masks):
    task = BidsFolder(root=masks)
    assert task.card.channels == ("FLAIR", "T1w")
    assert task.card.classes == {"core": 1, "lesion": 2}
    assert (task.card.modality, task.card.licence, task.card.reference) == ("MR", "CC0", "A study")
    [first, second, *others] = task.cases()["all"]
    assert (first.id, first.patient) == ("sub-01_ses-1", "sub-01")
    assert first.labelled == {"lesion"}
    assert second.labelled is None
    assert len(others) == 3
    assert [case.id for case in task.cases()["unlabelled"]] == ["sub-03_ses-2"]
    assert task.notes[0] == "patients: 3 subjects by the files' names"


def test_channels_and_labels_may_be_chosen(masks):
    task = BidsFolder(root=masks, channels=("T1w",), labels=("label-lesion_mask",))
    assert task.card.channels == ("T1w",)
    assert task.card.classes == {"lesion": 1}
    [case, *_] = task.cases()["all"]
    found = prepare_cases(task.card, [case], task.card.preprocessing)[case.id]
    assert found.present == {"lesion"}


def test_a_label_map_is_told_by_its_table(tmp_path):
    for subject, session in SESSIONS:
        image(tmp_path, subject, session, "T2w")
        place = tmp_path / "derivatives" / "manual" / subject / session / "anat"
        save(place / f"{subject}_{session}_space-T2w_dseg.nii.gz", volumes()[1])
    with pytest.raises(DataError, match=r"what the values of space-T2w_dseg mean; give classes"):
        _ = BidsFolder(root=tmp_path).card
    said = BidsFolder(root=tmp_path, classes=("ball=1", "box=4"))
    table = tmp_path / "derivatives" / "manual" / "dseg.tsv"
    table.write_text("index\tname\n0\tbackground\n1\tball\n4\tbox\n")
    task = BidsFolder(root=tmp_path)
    assert task.card.classes == said.card.classes == {"ball": 1, "box": 4}
    split = split_cases(task)
    assert {c.patient for c in split.train}.isdisjoint(c.patient for c in split.test)


def test_masks_may_lie_beside_the_images_and_name_their_image(tmp_path):
    for subject in ("sub-r001s001", "sub-r001s002", "sub-r009s001"):
        place = tmp_path / "Training" / "R001" / subject / "ses-1" / "anat"
        stem = f"{subject}_ses-1_space-MNI152NLin2009aSym"
        save(place / f"{stem}_T1w.nii.gz", volumes()[0])
        lesion = (volumes()[1] == 1).astype(np.uint8)
        save(place / f"{stem}_label-L_desc-T1lesion_mask.nii.gz", lesion)
    task = BidsFolder(root=tmp_path)
    assert task.card.channels == ("space-MNI152NLin2009aSym_T1w",)
    assert [*task.card.classes] == ["L"]
    assert len({case.patient for case in task.cases()["all"]}) == 3


def test_what_is_not_clear_is_asked_for(masks):
    label(masks, "sub-01", "ses-1", "dseg")
    label(masks, "sub-01", "ses-1", "desc-old_dseg")
    with pytest.raises(DataError, match="label maps desc-old_dseg, dseg: say which in `labels`"):
        _ = BidsFolder(root=masks).card
    with pytest.raises(DataError, match="unknown channel 'T2w'"):
        _ = BidsFolder(root=masks, labels=("label-lesion_mask",), channels=("T2w",)).card
    with pytest.raises(DataError, match="labels: unknown ending 'nothing'"):
        _ = BidsFolder(root=masks, labels=("nothing",)).card
    other = masks / "derivatives" / "automatic" / "sub-01" / "ses-1" / "anat"
    save(other / "sub-01_ses-1_label-lesion_mask.nii.gz", volumes()[1])
    with pytest.raises(DataError, match="are one file; say which `pipeline`"):
        BidsFolder(root=masks, labels=("label-lesion_mask",)).cases()
    task = BidsFolder(root=masks, labels=("label-lesion_mask",), pipeline="manual")
    assert len(task.cases()["all"]) == 5
    with pytest.raises(DataError, match=r"no file like sub-01/anat/sub-01_T1w\.nii\.gz"):
        BidsFolder(root=masks / "sourcedata" / "nothing").cases()


def test_a_label_beside_the_images_that_is_not_asked_for_is_no_channel(tmp_path):
    for subject, session in SESSIONS:
        for ending in ("T1w", "label-L_mask", "label-R_mask"):
            image(tmp_path, subject, session, ending)
    assert BidsFolder(root=tmp_path, labels=("label-L_mask",)).card.channels == ("T1w",)
    for subject, session in SESSIONS:
        image(tmp_path, subject, session, "dseg")
    assert BidsFolder(root=tmp_path, classes=("ball=1",)).card.channels == ("T1w",)
    named = BidsFolder(root=tmp_path, classes=("ball=1",), channels=("T1w", "label-R_mask"))
    assert named.card.channels == ("T1w", "label-R_mask")


def test_the_table_of_the_label_maps_is_that_of_their_pipeline(tmp_path):
    for subject, session in SESSIONS:
        image(tmp_path, subject, session, "T2w")
    for pipeline, names in (("auto", "box\n4\tball"), ("manual", "ball\n4\tbox")):
        place = tmp_path / "derivatives" / pipeline / "sub-01" / "ses-1" / "anat"
        save(place / "sub-01_ses-1_dseg.nii.gz", volumes()[1])
        table = tmp_path / "derivatives" / pipeline / "dseg.tsv"
        table.write_text(f"index\tname\n0\tbackground\n1\t{names}\n")
    with pytest.raises(DataError, match="name other values; say which `pipeline`"):
        _ = BidsFolder(root=tmp_path).card
    assert BidsFolder(root=tmp_path, pipeline="manual").card.classes == {"ball": 1, "box": 4}
    (tmp_path / "derivatives" / "manual" / "dseg.tsv").rename(tmp_path / "dseg.tsv")
    assert BidsFolder(root=tmp_path, pipeline="manual").card.classes == {"ball": 1, "box": 4}


def test_labels_of_another_pipeline_decide_nothing(masks):
    place = masks / "derivatives" / "auto" / "sub-01" / "ses-1" / "anat"
    save(place / "sub-01_ses-1_dseg.nii.gz", volumes()[1])
    task = BidsFolder(root=masks, pipeline="manual")
    assert task.card.classes == {"core": 1, "lesion": 2}
    assert len(task.cases()["all"]) == 5
    with pytest.raises(DataError, match=r"unknown pipeline 'manul'.*manual"):
        BidsFolder(root=masks, pipeline="manul").cases()


def test_a_channel_that_a_session_lacks_is_missed_where_it_would_lie(masks):
    gone = masks / "sub-02" / "ses-1" / "anat" / "sub-02_ses-1_T1w.nii.gz"
    gone.unlink()
    found = {case.id: case for case in BidsFolder(root=masks).cases()["all"]}
    assert found["sub-02_ses-1"].images[1] == gone


def test_a_split_of_the_subjects_is_that_of_their_sessions(masks):
    table = "participant_id\tsplit\nsub-01\ttrain\nsub-02\ttest\nsub-03\ttrain\n"
    (masks / "participants.tsv").write_text(table)
    parts = BidsFolder(root=masks).cases()
    assert [case.id for case in parts["test"]] == ["sub-02_ses-1", "sub-02_ses-2"]
    assert {case.patient for case in parts["train"]} == {"sub-01", "sub-03"}


def test_a_sweep_is_drafted_for_it(masks, monkeypatch):
    mine = {"mine": Registration("mine", "the tests", BidsFolder)}
    monkeypatch.setattr(TASKS, "loose", mine)
    monkeypatch.setattr("voxbench.running.draft._tasks", lambda: [("mine", BidsFolder)])
    assert BidsFolder.recognises(masks)
    assert survey(masks).patients == 3
