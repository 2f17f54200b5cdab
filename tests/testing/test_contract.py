"""The probe of the input contract finds a wrong one, and says when it can tell nothing."""

from dataclasses import dataclass
from typing import ClassVar

import nibabel as nib
import numpy as np
import pytest
import torch
from voxbench.api import (
    BaselineCard,
    Case,
    Preprocessing,
    Published,
    Task,
    TaskCard,
    Window,
    ZScore,
)
from voxbench.model.backbones.backbone import Backbone
from voxbench.plugins import find_architecture
from voxbench.testing import BaselineChecks, Skip, run_checks
from voxbench.testing.contract import (
    Turn,
    contract_losses,
    judge_contracts,
    norm_loss,
    other_axes,
    other_windows,
    turned_losses,
)

from tests.testing.test_probe import First, Norm

CONTRACT = Preprocessing(axes="RAS", intensity=Window(low=-200, high=200), crop="none")
BOX = (32, 32, 32)


@dataclass(frozen=True, kw_only=True)
class Pairs(Task):
    """CT with a left and a right organ, told apart by their side alone, and a test case of air."""

    card: ClassVar = TaskCard(
        name="pairs", modality="CT", channels=("CT",), classes={"left": 1, "right": 2},
        spacing_mm=None, tolerance_mm={"left": 1.0, "right": 1.0}, licence="x", reference="y",
    )  # fmt: skip

    def cases(self):
        names = ["a", "b", "c", "test"]
        for i, name in enumerate(names):
            label = np.zeros((24, 20, 16), np.uint8)
            label[4:9, 8:12, 5 + i : 11] = 1
            label[15:20, 8:12, 5 + i : 11] = 2
            image = np.where(label > 0, 150.0, -150.0) if name != "test" else np.zeros(label.shape)
            for kind, array in (("image", image.astype(np.float32)), ("label", label)):
                nib.save(nib.Nifti1Image(array, np.eye(4)), self._path(name, kind))
        cases = [Case(n, (self._path(n, "image"),), self._path(n, "label"), n) for n in names]
        return {"train": cases[:2], "validation": cases[2:3], "test": cases[3:]}

    def _path(self, name, kind):
        return self.root / f"{name}-{kind}.nii.gz"


@pytest.fixture
def pairs(tmp_path):
    return Pairs(root=tmp_path)


def permuted(contract):
    return {**other_axes(contract), **other_windows(contract)}


def side_loss(cubes) -> float:
    """Errors of a rule that knows intensity and side: bright, and right from the middle on."""
    wrong = []
    for cube in cubes:
        assert bool(cube.labelled.all())
        half = torch.arange(cube.label.shape[1]) >= cube.label.shape[1] // 2
        rule = (cube.image[:, 0] > 0.5) * (1 + half.long()[:, None, None])
        wrong.append((rule != cube.label).double().mean())
    return float(torch.stack(wrong).mean())


def test_contracts_are_permuted_in_one_respect_and_stay_valid():
    found = permuted(CONTRACT)
    assert len(found) == 7 + 5 + 2
    assert len({one.model_dump_json() for one in found.values()} | {CONTRACT}) == 15
    for one in found.values():
        assert Preprocessing.model_validate(one.model_dump()) == one
    assert found["window up"].intensity == Window(low=200, high=600)
    assert len(permuted(Preprocessing(intensity=ZScore()))) == 12


def test_a_wrong_side_a_swap_and_a_shifted_window_cost(pairs):
    found = contract_losses(pairs, CONTRACT, permuted(CONTRACT), side_loss, BOX)
    assert found["declared"] == 0
    tied = {name for name, loss in found.items() if loss == 0}
    assert tied == {"declared", "axes RPS", "axes RAI", "axes RPI", "axes RSA"}
    judge_contracts(found)


def test_a_wrong_contract_fails_with_the_better_ones(pairs):
    wrong = CONTRACT.model_copy(update={"axes": "LAS"})
    with pytest.raises(AssertionError, match=r"axes RAS.* beats the declared contract: declared 0"):
        judge_contracts(contract_losses(pairs, wrong, permuted(wrong), side_loss, BOX))


def test_a_probe_that_tells_nothing_apart_is_skipped(pairs):
    with pytest.raises(Skip, match="tells no contract apart"):
        judge_contracts(
            contract_losses(pairs, CONTRACT, permuted(CONTRACT), lambda cubes: 1.0, BOX)
        )


def test_voxels_are_turned_as_the_code_of_their_axes_says():
    array = torch.arange(24).view(1, 2, 3, 4)
    turn = Turn((2, 0, 1), mirrored=(0,))
    assert turn.axes("RAS") == "IRA"
    assert turn.turned(array).shape == (1, 4, 2, 3)
    assert turn.turned(array)[0, 0, 1, 2] == array[0, 1, 2, 3]


def test_a_loss_of_restoring_is_taken_of_the_same_voxels_in_patches_of_one_shape(pairs):
    thin = CONTRACT.model_copy(update={"spacing_mm": (1.0, 1.0, 4.0)})

    def seen(cubes):
        assert {tuple(cube.image.shape[2:]) for cube in cubes} == {(16, 16, 4)}
        return sum(float(cube.image.double().square().sum()) for cube in cubes)

    found = turned_losses(pairs, thin, seen, (16, 16, 4))
    assert set(found) == {"declared", *other_axes(thin)} - {
        "axes RSA", "axes SRA", "axes SAR", "axes ASR",
    }  # fmt: skip
    assert len({*found.values()}) == 1


def test_norms_that_remember_images_prefer_their_window(pairs):
    kept = []
    contract_losses(pairs, CONTRACT, {}, lambda cubes: kept.extend(cubes) or 0.0, BOX)
    images = torch.cat([cube.image for cube in kept])
    backbone = Backbone(Norm(float(images.mean()), float(images.var())), First())
    found = contract_losses(pairs, CONTRACT, other_windows(CONTRACT), norm_loss(backbone), BOX)
    assert found["declared"] < 0.01
    assert min(found["window up"], found["window down"]) > 1
    judge_contracts(found)


@dataclass(frozen=True, kw_only=True)
class Known(Published):
    """A U-Net's weights whose head is sure of nothing."""

    size: str = "tiny"
    card: ClassVar[BaselineCard] = BaselineCard(
        name="known", strategy="supervised", licence="x", reference="y",
        contract=CONTRACT, channels=1, outputs=("background", "left", "right"),
    )  # fmt: skip

    def translate(self, published, backbone):
        return published

    def head(self, published, backbone):
        class Even(torch.nn.Module):
            def forward(self, features, maps):
                return features[:, :3] * 0

        return Even()


class Uncontracted(Known):
    card: ClassVar[BaselineCard] = Known.card.model_copy(update={"contract": None})


class Headless(Known):
    card: ClassVar[BaselineCard] = Known.card.model_copy(update={"outputs": ()})


class Deaf(Known):
    """Ignores what its deepest level computes."""

    def backbone(self, in_channels):
        found = super().backbone(in_channels)
        found.encoder.levels[2].register_forward_hook(lambda module, given, out: out * 0)
        return found


@pytest.fixture
def file(tmp_path):
    torch.manual_seed(4)
    torch.save(find_architecture("unet").build("tiny", 1).state_dict(), tmp_path / "w.pt")
    return str(tmp_path / "w.pt")


def checked(baseline, task=None):
    suite = BaselineChecks()
    suite.baseline, suite.task = baseline, task
    return {result.check: result for result in run_checks(suite)}


@pytest.mark.parametrize(
    ("kind", "probed", "reason"),
    [
        (Uncontracted, True, "declares no contract"),
        (Known, False, "give a task"),
        (Known, True, "tells no contract apart"),
        (Headless, True, "no head with a class of the task, no batch norm"),
    ],
)
def test_what_cannot_be_probed_is_skipped_with_a_reason(
    pairs, file, monkeypatch, kind, probed, reason
):
    monkeypatch.setattr("voxbench.testing.contract.PROBED_SIDE", 32)
    suite = BaselineChecks()
    suite.baseline, suite.task = kind(weights=file), pairs if probed else None
    with pytest.raises(Skip, match=reason):
        suite.test_its_input_contract_beats_permuted_ones()


def test_weights_that_reach_what_runs_pass(file):
    found = checked(Known(weights=file))
    assert found["the encoder that runs is the one loaded"].state == "passed"
    assert found["its weights reach the encoder"].state == "passed"


def test_loaded_weights_on_which_nothing_depends_fail(file):
    suite = BaselineChecks()
    suite.baseline = Deaf(weights=file)
    with pytest.raises(AssertionError, match=r"nothing depends on: .*encoder\.levels\.2"):
        suite.test_the_encoder_that_runs_is_the_one_loaded()
