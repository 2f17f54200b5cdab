"""The strategies that are trained here, with the engine around them."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from numpy.typing import ArrayLike
from voxbench.api import Case
from voxbench.data import batches
from voxbench.design.cell import Ref
from voxbench.design.recipe import Pretraining
from voxbench.errors import SpecError
from voxbench.plugins import find_task
from voxbench_baselines.masked_autoencoder import MaskedAutoencoder
from voxbench_baselines.moco import MoCo
from voxbench_baselines.models_genesis import ModelsGenesis
from voxbench_baselines.negative_control import NegativeControl
from voxbench_baselines.random_appearance import RandomAppearance
from voxbench_baselines.simclr import SimCLR
from voxbench_baselines.spark import SparK
from voxbench_baselines.supervised import Supervised
from voxbench_baselines.swin_unetr_ssl import SwinUnetrSSL
from voxbench_baselines.volume_contrast import VolumeContrast
from voxbench_baselines.volume_fusion import VolumeFusion

from tests.data.toy import ball, toy, write_case
from tests.pretrain.making import make, plan

SELF_SUPERVISED = (
    *(MaskedAutoencoder, ModelsGenesis, SwinUnetrSSL, VolumeContrast),
    *(MoCo, SimCLR, SparK, VolumeFusion),
)
STRATEGIES = (*SELF_SUPERVISED, RandomAppearance, Supervised)
SMALL = Pretraining(steps=2, patch=(16, 16, 16))
QUICK = Pretraining(steps=40, patch=(16, 16, 16), batch=4, warmup=0, learning_rate=3e-3)


@pytest.fixture
def slopes(tmp_path, monkeypatch):
    """Volumes that become brighter along their last axis, on whose sides nothing else depends."""
    monkeypatch.setenv("VOXBENCH_CACHE", str(tmp_path / "cache"))
    return toy(tmp_path, [_slope(tmp_path, number) for number in range(10)])


@pytest.fixture
def grains(tmp_path, monkeypatch):
    """Volumes of noise, which is weaker where two are mixed."""
    monkeypatch.setenv("VOXBENCH_CACHE", str(tmp_path / "cache"))
    return toy(tmp_path, [_case(tmp_path, number, 0) for number in range(10)])


@pytest.fixture
def stripes(tmp_path, monkeypatch):
    """Volumes with stripes of another width in each."""
    monkeypatch.setenv("VOXBENCH_CACHE", str(tmp_path / "cache"))
    waves = [3 * np.sin((0.3 + 0.25 * number) * np.arange(24)) for number in range(10)]
    return toy(tmp_path, [_case(tmp_path, number, wave) for number, wave in enumerate(waves)])


def _slope(folder: Path, number: int) -> Case:
    return _case(folder, number, np.arange(24.0))


def _case(folder: Path, number: int, structure: ArrayLike) -> Case:
    random = np.random.default_rng(number)
    image = structure + random.normal(0, 1, (24, 24, 24))
    label = ball((24, 24, 24), 5).astype(np.uint8)
    paths = [folder / f"{number}-{kind}.nii.gz" for kind in ("image", "label")]
    for path, array in zip(paths, (image.astype(np.float32), label), strict=True):
        nibabel.save(nibabel.Nifti1Image(array, np.diag([2.0, 2, 2, 1])), path)
    return Case(f"case{number}", (paths[0],), paths[1], f"case{number}")


def test_a_turn_is_learnt_under_full_augmentation_whose_mirrors_would_hide_it(slopes):
    assert QUICK.augmentation == "full"
    told = make(SwinUnetrSSL(size="tiny"), slopes, QUICK).cost.last_terms
    assert told["rotation, accuracy"] > 0.9 > told["rotation, accuracy of chance"] == 0.25
    assert told["rotation"] < 0.5 < told["rotation, chance"]


def test_shares_of_two_patches_are_told_by_the_strength_of_their_noise(grains):
    schedule = QUICK.model_copy(update={"augmentation": "none", "steps": 60})
    told = make(VolumeFusion(size="tiny", coefficients=2), grains, schedule).cost.last_terms
    assert told["dice"] < 0.95 * told["dice, share"], told
    assert told["entropy"] < 0.95 * told["entropy, share"], told


def test_what_convolutions_never_saw_is_filled_in(slopes):
    schedule = QUICK.model_copy(update={"patch": (24, 24, 24), "batch": 2, "learning_rate": 1e-2})
    told = make(SparK(size="tiny"), slopes, schedule).cost.last_terms
    assert told["reconstruction"] < 0.7 * told["reconstruction, mean of the visible"], told


def test_views_are_told_apart_by_what_lasts_in_them(stripes):
    told = make(SimCLR(size="tiny"), stripes, QUICK).cost.last_terms
    assert told["contrast"] < 0.8 * told["contrast, chance"], told
    assert told["contrast, accuracy"] > 2 * told["contrast, accuracy of chance"], told


def test_a_slow_teacher_s_vectors_are_told_apart_by_more_than_their_age(stripes):
    changes = {"steps": 400, "learning_rate": 1e-3, "augmentation": "none"}  # views bring theirs
    schedule = QUICK.model_copy(update=changes)
    told = make(MoCo(size="tiny"), stripes, schedule).cost.terms
    accuracy = [told["contrast, accuracy"][step] for step in sorted(told["contrast"])[-25:]]
    assert sum(accuracy) / len(accuracy) > 0.5 == 2 * told["contrast, accuracy of chance"][400]
    assert told["contrast"][400] < 0.9 * told["contrast, chance"][400]


@pytest.mark.parametrize(
    ("baseline", "forbidden"),
    [
        (MaskedAutoencoder(size="tiny", cube=4), {"intensity"}),
        (ModelsGenesis(size="tiny"), {"intensity", "mirror"}),
        (SwinUnetrSSL(size="tiny"), {"intensity", "mirror", "rotation"}),
        (VolumeContrast(size="tiny", bases=2), {"intensity", "mirror"}),
        (SimCLR(size="tiny"), {"intensity", "mirror"}),
        (SparK(size="tiny"), {"intensity"}),
        (MoCo(size="tiny"), {"intensity", "mirror"}),
        (RandomAppearance(size="tiny"), {"intensity"}),
        (VolumeFusion(size="tiny"), set()),
        (Supervised(size="tiny"), set()),
        (
            Supervised(size="tiny", recipe="published"),
            {"intensity", "mirror", "rotation", "scaling"},
        ),
    ],
    ids=lambda given: getattr(getattr(given, "card", None), "name", ""),
)
def test_the_engine_leaves_out_what_spoils_a_target(slopes, monkeypatch, baseline, forbidden):
    seen, augment = [], batches.augment

    def noting(batch, level, seed, step, mirrors, forbidden, *rest):
        seen.append(set(forbidden))
        return augment(batch, level, seed, step, mirrors, forbidden, *rest)

    monkeypatch.setattr(batches, "augment", noting)
    make(baseline, slopes, SMALL)
    assert seen == [forbidden, forbidden]


def test_a_contrast_with_a_single_patch_is_refused(slopes):
    single = SMALL.model_copy(update={"batch": 1})
    with pytest.raises(
        SpecError, match=r"swin-unetr-ssl: .*batch = 1.*set pretraining\.batch to 2"
    ):
        plan(SwinUnetrSSL(), slopes, single)
    plan(SwinUnetrSSL(contrast=0.0), slopes, single)


def test_a_mask_that_hides_all_is_refused(slopes):
    with pytest.raises(SpecError, match=r"masked-autoencoder: .*nothing is left to predict from"):
        plan(MaskedAutoencoder(cube=16), slopes, SMALL)


def test_bases_that_the_network_cannot_be_trained_on_are_refused(slopes):
    with pytest.raises(SpecError, match="4 by 4 crops"):
        make(VolumeContrast(size="tiny"), slopes, SMALL)


@pytest.mark.parametrize("kind", STRATEGIES, ids=lambda kind: kind.card.name)
def test_the_published_recipe_makes_a_schedule_and_says_what_differs(kind):
    published = kind(recipe="published")
    schedule = Pretraining(**published.schedule)
    assert published.unfit_schedule(schedule) is None
    assert not kind().schedule
    assert "ifferent here" in kind.card.note or "; here" in kind.card.note


def test_the_control_has_its_donor_s_recipe():
    control = NegativeControl(recipe="published")
    assert control.schedule == Supervised(recipe="published").schedule
    assert control.donor[1]["recipe"] == "published"


def check_learnt(told: dict[str, float]) -> None:
    """Every term is better than what takes no learning."""
    trivial = {name: value for name, value in told.items() if ", " in name and "acc" not in name}
    assert trivial
    for name, value in trivial.items():
        assert told[name.partition(", ")[0]] < value, f"{name}: {told}"


@pytest.mark.parametrize("kind", [RandomAppearance, Supervised], ids=lambda kind: kind.card.name)
def test_supervision_beats_what_takes_no_learning(kind, tmp_path, monkeypatch):
    monkeypatch.setenv("VOXBENCH_CACHE", str(tmp_path / "cache"))
    source = toy(tmp_path, [write_case(tmp_path, f"case{i}") for i in range(8)])
    schedule = Pretraining(steps=150, patch=(16, 16, 16), learning_rate=1e-2, warmup=0)
    check_learnt(make(kind(size="tiny"), source, schedule).cost.last_terms)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SELF_SUPERVISED, ids=lambda kind: kind.card.name)
def test_self_supervision_beats_what_takes_no_learning(kind, tmp_path, monkeypatch):
    monkeypatch.setenv("VOXBENCH_CACHE", str(tmp_path / "cache"))
    source = find_task(Ref.of("phantom-atlas", {"patients": 12}))
    schedule = Pretraining(steps=300, patch=(32, 32, 32), learning_rate=3e-3)
    check_learnt(make(kind(size="tiny"), source, schedule).cost.last_terms)
