"""A key holds the version of what its weights were trained for, and of nothing else's."""

import pytest
from voxbench.design import versions
from voxbench.pretrain.plan import objective_version, plan_pretraining
from voxbench.running.bind import bind
from voxbench_baselines.masked_autoencoder import MaskedAutoencoder
from voxbench_baselines.supervised import Supervised

from tests.running.conftest import make_sweep

ARMS = [
    {"name": "supervised", "size": "tiny", "source": "phantom-atlas"},
    {"name": "negative-control", "size": "tiny", "source": "phantom-atlas"},
    {"name": "masked-autoencoder", "size": "tiny", "source": "phantom-atlas"},
]


@pytest.mark.parametrize(
    ("arm", "version"),
    [
        ({"name": "scratch"}, {}),
        ({"name": "example-denoising"}, {}),
        ({"name": "supervised"}, {"objective": "2"}),
        ({"name": "negative-control"}, {"objective": "1.2"}),
        ({"name": "negative-control", "of": "models-genesis"}, {"objective": "1.2"}),
        ({"name": "negative-control", "of": "example-denoising"}, {}),
    ],
)
def test_a_first_version_says_nothing_and_a_control_has_its_donor_s(example, arm, version):
    first = bind(make_sweep(baselines=[{**arm, "size": "tiny"}], twins=False))[0]
    assert objective_version(first.trainings.baseline) == version


def test_a_changed_objective_moves_its_arms_and_those_made_from_it(example, monkeypatch):
    def found():
        cells = bind(make_sweep(baselines=ARMS, twins=False))
        arms = [cell.arm.baseline.partition("[")[0] for cell in cells]
        keys = {arm: cell.key for arm, cell in zip(arms, cells, strict=True)}
        made = {arm: cell.trainings.needs for arm, cell in zip(arms, cells, strict=True)}
        return keys, made

    before = found()
    monkeypatch.setattr(Supervised, "version", Supervised.version + 1)
    for old, new in zip(before, found(), strict=True):
        assert {arm for arm in old if old[arm] != new[arm]} == {"supervised", "negative-control"}


def test_a_published_recipe_is_another_arm_with_a_schedule_of_its_own(example):
    arm = {**ARMS[2], "recipe": ["small", "published"]}
    cells = [cell for cell in bind(make_sweep(baselines=[arm])) if cell.trainings.weights]
    assert {cell.arm.baseline for cell in cells} == {
        "masked-autoencoder[size=tiny]",
        "masked-autoencoder[recipe=published,size=tiny]",
    }
    published = next(cell for cell in cells if "published" in cell.arm.baseline)
    assert published.cell.pretraining.gradient_clip == 12
    assert published.cell.pretraining.augmentation == "spatial"
    assert (published.trainings.baseline.ratio, published.trainings.baseline.cube) == (0.75, 16)
    assert isinstance(published.trainings.baseline, MaskedAutoencoder)
    again = plan_pretraining(
        published.trainings.baseline, published.trainings.weights.source, published.cell.pretraining
    )
    assert again.identity == published.trainings.weights.identity


def test_how_a_stochastic_network_is_trained_moves_its_cells_alone(example, monkeypatch):
    def found():
        recipes = [{"steps": 4, "stochastic": kind} for kind in (None, "dropout", "ssn")]
        return [bind(make_sweep(seeds=1, recipe=recipe))[0].key for recipe in recipes]

    before = found()
    monkeypatch.setattr(versions, "STOCHASTIC_VERSION", 3)
    moved = [old != new for old, new in zip(before, found(), strict=True)]
    assert moved == [False, False, True]
