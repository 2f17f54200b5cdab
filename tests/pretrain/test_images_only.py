"""Baselines that need no labels are pre-trained on images alone, however those lie."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from voxbench.data import batches
from voxbench.data.dataset import open_dataset, open_images
from voxbench.data.split import split_cases
from voxbench.design.recipe import Pretraining
from voxbench.errors import SpecError
from voxbench.pretrain.plan import open_source
from voxbench_baselines.masked_autoencoder import MaskedAutoencoder
from voxbench_baselines.negative_control import NegativeControl
from voxbench_baselines.supervised import Supervised
from voxbench_tasks.images_folder import ImagesFolder
from voxbench_tasks.masks_folder import MasksFolder
from voxbench_tasks.nnunet_folder import NnunetFolder

from tests.data.toy import save, toy, volumes, write_case
from tests.pretrain.making import make, plan

RECIPE = Pretraining(steps=2, patch=(16, 16, 16), augmentation="light")
MASKED = MaskedAutoencoder(size="tiny", cube=4)
SIDES = {"background": 0, "kidney_left": 1, "kidney_right": 4}


def nnunet(root, count=8, *, labels=True, images="imagesTr", names="case"):
    """A raw folder of as many cases, whose classes are two sides."""
    for index in range(count):
        image, label = volumes(seed=index)
        save(root / images / f"{names}{index}_0000.nii.gz", image)
        if labels:
            save(root / "labelsTr" / f"{names}{index}.nii.gz", label)
    described = {"channel_names": {"0": "MR"}, "labels": SIDES, "file_ending": ".nii.gz"}
    (root / "dataset.json").write_text(json.dumps(described))
    return NnunetFolder(root=root, title="toy", patients="case")


@pytest.fixture(autouse=True)
def fresh(tmp_path, monkeypatch):
    monkeypatch.setenv("VOXBENCH_CACHE", str(tmp_path / "cache"))


def test_the_same_volumes_give_the_same_weights_with_labels_and_without(tmp_path):
    with_labels, without = nnunet(tmp_path / "a"), nnunet(tmp_path / "b", labels=False)
    assert open_dataset(with_labels).mirroring.axes == "AS"
    assert open_images(with_labels).mirroring.axes == "RAS"
    assert open_images(with_labels).identity == open_images(without).identity
    assert plan(MASKED, with_labels, RECIPE).identity == plan(MASKED, without, RECIPE).identity
    first = make(MASKED, with_labels, RECIPE)
    first.path.unlink()
    assert make(MASKED, without, RECIPE).sha256 == first.sha256


def test_labels_are_not_even_opened(tmp_path):
    task = nnunet(tmp_path)
    before = plan(MASKED, task, RECIPE).identity
    for path in (tmp_path / "labelsTr").iterdir():
        path.write_text("no label")
    assert plan(MASKED, task, RECIPE).identity == before
    assert make(MASKED, task, RECIPE).cost.masks == 0


def test_an_arm_without_labels_is_mirrored_as_its_task_says(tmp_path):
    assert open_images(dataclasses.replace(nnunet(tmp_path), mirror="S")).mirroring.axes == "S"


@pytest.mark.parametrize("folder", ["imagesUn", "unlabeledTr", "unlabelled_images"])
def test_further_images_pretrain_and_change_nothing_else(tmp_path, folder):
    task = nnunet(tmp_path)
    labelled = open_dataset(task)
    nnunet(tmp_path, 3, labels=False, images=folder, names="more")
    more = dataclasses.replace(task)
    assert open_dataset(more) == labelled
    ids = {case.id for case in open_images(more).split.train}
    assert ids == {case.id for case in labelled.split.train} | {"more0", "more1", "more2"}
    assert {case.id for case in open_source(Supervised(), more).split.train} < ids
    assert any("images without a label: 3" in note for note in more.notes)


def test_a_further_image_of_a_tested_patient_is_left_out(tmp_path):
    cases = [write_case(tmp_path / "data", f"case{i}") for i in range(8)]
    split = split_cases(toy(tmp_path, cases))
    scans = [
        dataclasses.replace(case, id=f"again-{case.id}", label=None)
        for case in (split.train[0], split.validation[0], split.test[0])
    ]
    task = dataclasses.replace(toy(tmp_path, ()), parts={"all": cases, "unlabelled": scans})
    assert [case.id for case in split_cases(task).unlabelled] == [f"again-{split.train[0].id}"]
    beside = toy(tmp_path, [*cases, *scans])
    assert split_cases(beside) == split_cases(task), "a case without a label is unlabelled anywhere"


def test_test_images_without_labels_never_pretrain(tmp_path):
    cases = [write_case(tmp_path / "data", f"case{i}") for i in range(8)]
    parts = {"train": cases[:6], "test": [cases[6], cases[7].unlabelled]}
    task = dataclasses.replace(toy(tmp_path, ()), parts=parts)
    assert not split_cases(task).unlabelled


def test_folders_without_masks_are_unlabelled_cases(tmp_path):
    for index in range(6):
        image, label = volumes(seed=index)
        save(tmp_path / f"case{index}" / "t1.nii.gz", image)
        if index < 4:
            mask = (label == 1).astype(np.uint8)
            save(tmp_path / f"case{index}" / "segmentations" / "ball.nii.gz", mask)
    task = MasksFolder(root=tmp_path, patients="case")
    assert [case.id for case in split_cases(task).unlabelled] == ["case4", "case5"]
    for index in range(4):
        (tmp_path / f"case{index}" / "segmentations" / "ball.nii.gz").unlink()
        (tmp_path / f"case{index}" / "segmentations").rmdir()
    bare = MasksFolder(root=tmp_path, patients="case")
    assert bare.card.classes == {}
    assert make(MASKED, bare, RECIPE).cost.volumes == len(split_cases(bare).train) == 4


def flat(root):
    for name in ("a", "b"):
        save(root / f"{name}.nii.gz", volumes()[0])


def numbered(root):
    for name in ("a_0000", "a_0001", "b_0000", "b_0001"):
        save(root / f"{name}.nii.gz", volumes()[0])


def nested(root):
    for name in ("a", "b"):
        save(root / name / "flair.nii.gz", volumes()[0])
        save(root / name / "t1.nii.gz", volumes()[0])


@pytest.mark.parametrize(
    ("write", "channels", "modality"),
    [
        (flat, ("image",), "other"),
        (numbered, ("channel 0", "channel 1"), "other"),
        (nested, ("flair", "t1"), "MR"),
    ],
)
def test_a_folder_of_images_is_a_source_in_each_layout(tmp_path, write, channels, modality):
    write(tmp_path)
    task = ImagesFolder(root=tmp_path)
    assert ImagesFolder.recognises(tmp_path)
    assert (task.card.channels, task.card.modality) == (channels, modality)
    split = open_images(task).split
    assert [(case.id, len(case.images)) for case in split.train] == [
        ("a", len(channels)),
        ("b", len(channels)),
    ]
    assert make(MASKED, task, RECIPE).cost.volumes == 2


def test_unlabelled_cases_are_ignored_everywhere(tmp_path, monkeypatch):
    seen = []
    augment = batches.augment
    monkeypatch.setattr(batches, "augment", lambda *a: seen.append(augment(*a)) or seen[-1])
    make(MASKED, nnunet(tmp_path, labels=False), RECIPE)
    assert {value for batch in seen for value in batch.labels.ravel()} <= {0, 255}
    assert {batch.labelled.shape for batch in seen} == {(2, 0)}
    assert torch.from_numpy(seen[0].labelled).dtype == torch.bool


@pytest.mark.parametrize("baseline", [Supervised(size="tiny"), NegativeControl(size="tiny")])
def test_a_supervised_arm_refuses_a_source_without_labels(tmp_path, baseline):
    with pytest.raises(SpecError, match=r"is trained on labels, and its source .* has none"):
        plan(baseline, nnunet(tmp_path, labels=False), RECIPE)


def test_a_control_of_an_arm_without_labels_needs_none(tmp_path):
    control = NegativeControl(size="tiny", of="masked-autoencoder")
    assert make(control, nnunet(tmp_path, labels=False), RECIPE).cost.masks == 0
