"""Files of weights that were made here prove themselves on the loss of their own objective."""

from dataclasses import dataclass
from typing import ClassVar

import nibabel as nib
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from voxbench.api import Case, Preprocessing, Task, TaskCard
from voxbench.design.recipe import Pretraining
from voxbench.model.weights import read_weights
from voxbench.pretrain.card import KEY, read_card
from voxbench.pretrain.checkpoint import write_checkpoint
from voxbench.testing import BaselineChecks, Skip
from voxbench_baselines.checkpoint_file import CheckpointFile
from voxbench_baselines.masked_autoencoder import MaskedAutoencoder
from voxbench_baselines.negative_control import NegativeControl
from voxbench_baselines.supervised import Supervised
from voxbench_tasks.masks_folder import MasksFolder

from tests.data.toy import toy, write_case
from tests.pretrain.making import plan

RECIPE = Pretraining(steps=60, patch=(16, 16, 16), augmentation="none")


@dataclass(frozen=True, kw_only=True)
class Rims(Task):
    """Two blocks whose dim rim lies on opposite sides: mirrored, each looks like the other."""

    card: ClassVar = TaskCard(
        name="rims", modality="MR", channels=("t1",), classes={"one": 1, "other": 2},
        spacing_mm=None, tolerance_mm={"one": 1.0, "other": 1.0}, licence="x", reference="y",
    )  # fmt: skip

    def cases(self):
        cases = []
        for i in range(8):
            image, label = np.zeros((16, 16, 16), np.float32), np.zeros((16, 16, 16), np.uint8)
            for value, x, rim in ((1, 3, -1), (2, 10, 3)):
                inner = np.s_[x : x + 3, 4 + i % 3 : 12, 3 : 11 + i % 4]
                label[inner] = value
                image[(slice(x + rim, x + rim + 1), *inner[1:])] = 1.0
                image[inner] = 2.0
            image += 0.05 * np.random.default_rng(i).standard_normal(image.shape)
            paths = [self.root / f"{i}-{kind}.nii.gz" for kind in ("image", "label")]
            for path, array in zip(paths, (image, label), strict=True):
                nib.save(nib.Nifti1Image(array, np.eye(4)), path)
            cases.append(Case(str(i), (paths[0],), paths[1], str(i)))
        return {"all": cases}


@pytest.fixture(scope="module")
def rims(tmp_path_factory):
    return Rims(root=tmp_path_factory.mktemp("rims"))


def written(baseline, source, folder, recipe=RECIPE):
    path = folder / "mine.safetensors"
    write_checkpoint(path, plan(baseline, source, recipe))
    return path


def suite(path, task):
    made = BaselineChecks()
    made.baseline, made.task = CheckpointFile(weights=str(path)), task
    return made


def check_trained(path, task):
    suite(path, task).test_its_weights_made_here_beat_initialisation()


def check_contract(path, task):
    suite(path, task).test_its_weights_made_here_expect_their_contract()


def rewritten(path, folder, change=lambda tensors: tensors, **card):
    """The file with other tensors or another card."""
    told = read_card(path).model_copy(update=card)
    file = folder / "changed.safetensors"
    tensors = change(dict(read_weights(path)))
    save_file(tensors, file, {KEY: told.model_dump_json()})
    return file


@pytest.fixture(scope="module")
def supervised(rims, tmp_path_factory):
    return written(Supervised(size="tiny"), rims, tmp_path_factory.mktemp("supervised"))


def test_supervised_weights_beat_initialisation_and_turned_images(supervised, rims):
    check_trained(supervised, rims)
    check_contract(supervised, rims)


def test_a_card_with_mirrored_axes_is_found_out(supervised, rims, tmp_path):
    contract = read_card(supervised).preprocessing
    assert contract.axes == "RAS"
    mirrored = Preprocessing(**contract.model_dump() | {"axes": "LAS"})
    with pytest.raises(AssertionError, match=r"axes RAS.* beats? the declared contract"):
        check_contract(rewritten(supervised, tmp_path, preprocessing=mirrored), rims)


def test_weights_that_learnt_nothing_are_found_out(supervised, rims, tmp_path):
    def shuffled(tensors):
        random = torch.Generator().manual_seed(0)
        return {
            name: t.flatten()[torch.randperm(t.numel(), generator=random)].view(t.shape)
            for name, t in tensors.items()
        }

    with pytest.raises(AssertionError, match="no better than initialisation: "):
        check_trained(rewritten(supervised, tmp_path, shuffled), rims)


def test_a_loss_without_sides_beats_initialisation_and_tells_no_contract_apart(tmp_path):
    source = toy(tmp_path, [write_case(tmp_path, f"case{i}") for i in range(8)])
    path = written(MaskedAutoencoder(size="tiny", cube=4), source, tmp_path)
    check_trained(path, source)
    with pytest.raises(Skip, match="the probe tells no contract apart: declared"):
        check_contract(path, source)


def test_labels_are_those_of_the_source(supervised, tmp_path):
    other = toy(tmp_path, [write_case(tmp_path, f"case{i}") for i in range(8)])
    for task in (None, other):
        with pytest.raises(Skip, match=r"give its source to probe it on: .* -t rims"):
            check_trained(supervised, task)


def test_files_without_a_head_say_why_they_are_not_probed(supervised, rims, tmp_path):
    def headless(tensors):
        return {n: t for n, t in tensors.items() if not n.startswith("objective.")}

    with pytest.raises(Skip, match="keeps no head of its objective"):
        check_trained(rewritten(supervised, tmp_path, headless), rims)
    control = NegativeControl(size="tiny")
    with pytest.raises(Skip, match=r"\(a negative control\)"):
        check_trained(written(control, rims, tmp_path), rims)


@pytest.mark.realdata
@pytest.mark.slow
def test_weights_made_on_real_scans_know_up_from_down(real_data, tmp_path):
    source = MasksFolder(root=real_data / "MALF_subcortical", modality="MR")
    recipe = Pretraining(steps=300, patch=(32, 32, 32), learning_rate=0.005)
    path = written(Supervised(size="tiny"), source, tmp_path, recipe)
    check_trained(path, source)
    check_contract(path, source)
    contract = read_card(path).preprocessing
    upended = Preprocessing(**contract.model_dump() | {"axes": "RAI"})
    with pytest.raises(AssertionError, match=r"axes RAS.* beats? the declared contract"):
        check_contract(rewritten(path, tmp_path, preprocessing=upended), source)
