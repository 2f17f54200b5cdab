"""Weights are made once, from training cases alone, and survive whatever stops their making."""

import dataclasses
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from voxbench.data import batches
from voxbench.data.split import split_cases
from voxbench.design.recipe import Pretraining
from voxbench.errors import DataError, SpecError
from voxbench.fit import callbacks
from voxbench.model.weights import read_weights, sha256
from voxbench.pretrain import engine
from voxbench.pretrain.plan import choose_volumes
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

from tests.data.toy import named, toy, write_case
from tests.pretrain.making import make, plan

RECIPE = Pretraining(steps=4, patch=(16, 16, 16), augmentation="light")
MASKED = MaskedAutoencoder(size="tiny", cube=4)
SUPERVISED = Supervised(size="tiny")
CONTRAST = VolumeContrast(size="tiny", bases=2)
OBJECTIVES = (
    MASKED,
    ModelsGenesis(size="tiny"),
    SwinUnetrSSL(size="tiny"),
    CONTRAST,
    VolumeFusion(size="tiny"),
    SimCLR(size="tiny"),
    SparK(size="tiny"),
    MoCo(size="tiny"),
    RandomAppearance(size="tiny"),
    dataclasses.replace(SUPERVISED, label_noise=0.5),
)
CONTROL = NegativeControl(size="tiny")


@pytest.fixture
def fresh(tmp_path, monkeypatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("VOXBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def source(fresh):
    return toy(fresh, [write_case(fresh / "data", f"case{i}") for i in range(8)])


def people(count: int, scans: int):
    """A source without files: so many people, each scanned so often."""
    return toy(
        Path(), [named(f"p{p:02}s{s}", f"p{p:02}") for p in range(count) for s in range(scans)]
    )


@given(scans=st.integers(1, 3), seed=st.integers(0, 20))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_fewer_volumes_are_a_subset_of_more_and_patients_stay_together(scans, seed):
    task = people(12, scans)
    train = split_cases(task).train
    before: set[str] = set()
    for count in range(1, len(train) + 1):
        chosen = choose_volumes(dataclasses.replace(MASKED, volumes=count), "toy", train, seed)
        ids = {case.id for case in chosen}
        assert len(ids) == count
        assert before < ids
        assert ids <= {case.id for case in train}
        assert len({case.patient for case in chosen}) == -(-count // scans)
        before = ids


def test_the_seed_draws_other_volumes():
    train, four = split_cases(people(20, 1)).train, dataclasses.replace(MASKED, volumes=4)
    chosen = [choose_volumes(four, "toy", train, seed) for seed in (0, 1)]
    assert chosen[0] != chosen[1]


@pytest.mark.parametrize("count", [0, -1, 9])
def test_volumes_that_do_not_exist_are_refused_with_the_count(count):
    task = people(11, 1)
    baseline = dataclasses.replace(MASKED, volumes=count)
    with pytest.raises(DataError, match=f"volumes = {count}, but source 'toy' has 8 training"):
        choose_volumes(baseline, "toy", split_cases(task).train, 0)


@pytest.mark.parametrize("baseline", [MASKED, SUPERVISED], ids=["masked", "supervised"])
def test_micro_batches_make_the_same_weights_under_the_same_name(source, baseline, monkeypatch):
    recipe = RECIPE.model_copy(update={"optimiser": "sgd", "gradient_clip": 1.0})
    whole = make(baseline, source, recipe)
    monkeypatch.setenv("VOXBENCH_CACHE", f"{source.root}/other")
    parts = make(baseline, source, recipe.model_copy(update={"micro_batch": 1}))
    assert parts.path.parent.name == whole.path.parent.name
    assert parts.path != whole.path
    assert list(parts.cost.losses.values()) == pytest.approx(
        list(whole.cost.losses.values()), abs=1e-5
    )
    other = read_weights(parts.path)
    for name, tensor in read_weights(whole.path).items():
        torch.testing.assert_close(other[name], tensor, atol=1e-5, rtol=0)


def test_an_objective_that_looks_at_the_whole_batch_refuses_to_divide_it(source):
    with pytest.raises(SpecError, match="simclr: its loss looks at the whole batch"):
        plan(SimCLR(size="tiny"), source, RECIPE.model_copy(update={"devices": 2}))


def test_the_weights_hold_the_whole_backbone_and_what_they_cost(source):
    made = make(MASKED, source, RECIPE, threads=2)
    state = MASKED.backbone(1).state_dict()
    tensors = read_weights(made.path, made.sha256)
    assert {name: t.shape for name, t in tensors.items()} == {n: t.shape for n, t in state.items()}
    assert made.cost.volumes == len(split_cases(source).train)
    assert made.cost.gpu_hours == 0
    assert made.cost.cpu_hours == pytest.approx(2 * made.cost.seconds / 3600)
    assert set(made.cost.losses) == {1, 2, 3, 4}


def test_masks_are_counted_where_they_are_used(source):
    supervised = Supervised(size="tiny", volumes=3)
    assert make(supervised, source, RECIPE).cost.masks == 3 * 2
    assert make(dataclasses.replace(MASKED, volumes=3), source, RECIPE).cost.masks == 0


def test_masks_that_are_not_used_are_not_counted(source):
    one = dataclasses.replace(SUPERVISED, volumes=3, structures=1)
    assert make(one, source, RECIPE).cost.masks == 3


def test_more_structures_than_there_are_is_refused(source):
    with pytest.raises(SpecError, match="structures = 3, but source 'toy' has 2"):
        make(dataclasses.replace(SUPERVISED, structures=3), source, RECIPE)


def test_volume_contrast_leaves_the_decoder_to_the_task(source):
    tensors = read_weights(make(CONTRAST, source, RECIPE).path)
    expected = CONTRAST.backbone(1).encoder.state_dict()
    assert tensors.keys() == {f"encoder.{name}" for name in expected}


def test_the_control_is_its_donor_permuted_at_the_cost_of_the_donor(source, monkeypatch):
    trained = make(SUPERVISED, source, RECIPE)
    monkeypatch.setattr(engine, "train", lambda *_, **__: pytest.fail("trained again"))
    control = make(dataclasses.replace(CONTROL, scale="trained"), source, RECIPE)
    own = {"path": trained.path, "sha256": trained.sha256, "head": trained.head}
    assert control._replace(**own) == trained
    assert control.head is None, "the donor's head does not fit permuted weights"
    before, after = read_weights(trained.path), read_weights(control.path)
    assert before.keys() == after.keys()
    for name, tensor in before.items():
        assert torch.equal(after[name].flatten().sort().values, tensor.flatten().sort().values)
    assert not any(torch.equal(before[name], after[name]) for name in before)


def test_the_control_has_the_kernels_of_its_donor_at_the_scale_of_initialisation(source):
    recipe = RECIPE.model_copy(update={"learning_rate": 0.1})  # the scales grow apart
    trained = read_weights(make(SUPERVISED, source, recipe).path)
    shuffled = read_weights(
        make(dataclasses.replace(CONTROL, scale="trained"), source, recipe).path
    )
    control = read_weights(make(CONTROL, source, recipe).path)
    torch.manual_seed(recipe.seed)
    initial = CONTROL.backbone(1).state_dict()
    for name, tensor in control.items():
        if tensor.ndim < 2:
            assert torch.equal(tensor, shuffled[name])
            continue
        assert trained[name].norm() > 1.1 * initial[name].norm()
        torch.testing.assert_close(tensor.norm(), initial[name].norm())
        same = shuffled[name] / shuffled[name].norm()
        torch.testing.assert_close(tensor / tensor.norm(), same)


def test_the_control_makes_a_donor_that_is_not_there_and_leaves_it_for_others(source, monkeypatch):
    control = make(dataclasses.replace(CONTROL, of="masked-autoencoder"), source, RECIPE)
    assert control.cost.masks == 0
    monkeypatch.setattr(engine, "train", lambda *_, **__: pytest.fail("trained again"))
    assert make(MaskedAutoencoder(size="tiny"), source, RECIPE).cost.seconds == control.cost.seconds


def test_a_donor_that_is_not_made_here_is_refused(source):
    with pytest.raises(SpecError, match="its donor 'scratch' is not pre-trained here"):
        make(dataclasses.replace(CONTROL, of="scratch"), source, RECIPE)


def test_weights_are_made_once(source, monkeypatch):
    first = make(MASKED, source, RECIPE)
    monkeypatch.setattr(engine, "train", lambda *_, **__: pytest.fail("trained again"))
    assert make(MASKED, source, RECIPE) == first


def test_the_same_work_gives_the_same_bytes(source, monkeypatch):
    first = make(MASKED, source, RECIPE)
    monkeypatch.setenv("VOXBENCH_CACHE", str(source.root / "elsewhere"))
    second = make(MASKED, source, RECIPE)
    assert second.path != first.path
    assert second.sha256 == first.sha256


def test_damaged_weights_are_made_again(source):
    first = make(MASKED, source, RECIPE)
    first.path.write_bytes(first.path.read_bytes()[:-1])
    again = make(MASKED, source, RECIPE)
    assert again.sha256 == first.sha256 == sha256(again.path)


def test_held_out_cases_are_never_read(source):
    split = split_cases(source)
    for case in (*split.validation, *split.test):
        for file in case.files:
            file.unlink()
    assert make(MASKED, source, RECIPE).cost.volumes == len(split.train)


def test_the_identity_names_all_that_decides_the_weights(source):
    def name(baseline=MASKED, recipe=RECIPE, task=source):
        return plan(baseline, task, recipe).identity

    changed = [
        name(dataclasses.replace(MASKED, ratio=0.5)),
        name(dataclasses.replace(MASKED, size="small")),
        name(dataclasses.replace(MASKED, volumes=2)),
        name(SUPERVISED),
        name(dataclasses.replace(SUPERVISED, structures=1)),
        name(dataclasses.replace(SUPERVISED, label_noise=0.3)),
        name(CONTROL),
        name(dataclasses.replace(CONTROL, of="masked-autoencoder")),
        name(dataclasses.replace(CONTROL, scale="trained")),
        name(recipe=RECIPE.model_copy(update={"steps": 5})),
        name(recipe=RECIPE.model_copy(update={"seed": 1})),
    ]
    assert len({name(), *changed}) == len(changed) + 1


def test_the_identity_does_not_know_how_the_source_is_called_or_where_it_lies(source, tmp_path):
    again = toy(tmp_path, [write_case(tmp_path / "moved", f"case{i}") for i in range(8)])
    everything = len(split_cases(source).train)
    assert (
        plan(MASKED, source, RECIPE).identity
        == plan(dataclasses.replace(MASKED, source="other"), again, RECIPE).identity
        == plan(dataclasses.replace(MASKED, volumes=everything), source, RECIPE).identity
    )


def test_changed_images_get_another_identity(source):
    before = plan(MASKED, source, RECIPE).identity
    case = split_cases(source).train[0]
    write_case(source.root / "data", case.id, image=torch.rand(20, 24, 16).numpy())
    assert plan(MASKED, source, RECIPE).identity != before


def test_a_patch_that_the_network_cannot_take_is_refused(source):
    with pytest.raises(SpecError, match="multiples of 8"):
        make(MASKED, source, RECIPE.model_copy(update={"patch": (12, 16, 16)}))


class Stopped(BaseException):
    """Stands for a kill."""


@pytest.mark.parametrize("baseline", OBJECTIVES, ids=lambda baseline: baseline.card.name)
def test_a_stopped_training_goes_on_to_the_same_bytes(baseline, source, monkeypatch):
    whole = make(baseline, source, RECIPE)
    assert set(whole.cost.losses) == {1, 2, 3, 4}
    assert whole.cost.volumes == len(split_cases(source).train)
    assert (whole.cost.masks > 0) == baseline.needs_labels
    monkeypatch.setenv("VOXBENCH_CACHE", str(source.root / "elsewhere"))
    monkeypatch.setattr(callbacks, "CHECKPOINT_SECONDS", 0)
    calls, fetch = [], batches.augment

    def stopping(batch, level, seed, step, *rest):
        if step == 3 and not calls:
            calls.append(step)
            raise Stopped
        return fetch(batch, level, seed, step, *rest)

    monkeypatch.setattr(batches, "augment", stopping)
    with pytest.raises(Stopped):
        make(baseline, source, RECIPE)
    assert list((source.root / "elsewhere" / "weights").glob("*/checkpoint.ckpt"))
    resumed = make(baseline, source, RECIPE)
    assert resumed.sha256 == whole.sha256
    assert resumed.cost.losses == pytest.approx(whole.cost.losses)
    assert resumed.cost.terms.keys() == whole.cost.terms.keys() != set()
    for name, steps in whole.cost.terms.items():
        assert resumed.cost.terms[name] == pytest.approx(steps), name
    assert not (resumed.path.parent / "checkpoint.ckpt").exists()


def test_kernels_follow_the_voxels_of_the_source_where_they_are_asked_to(tmp_path):
    cases = [write_case(tmp_path, f"case{index}") for index in range(8)]
    source = toy(tmp_path, cases, spacing_mm=(2.0, 2.0, 8.0))
    recipe = Pretraining(
        steps=1, patch=(16, 16, 8), augmentation="full", dummy_2d=True, anisotropic=True
    )
    arm = MaskedAutoencoder(size="tiny", cube=2)
    assert plan(arm, source, recipe).kernel_spacing == (2.0, 2.0, 8.0)
    tensors = read_weights(make(arm, source, recipe).path)
    assert tensors["encoder.levels.0.0.0.weight"].shape[2:] == (3, 3, 1)
