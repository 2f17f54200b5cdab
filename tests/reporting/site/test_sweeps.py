"""The command of a result makes its trainings again, and no others."""

import shlex
from types import SimpleNamespace

import pytest
from voxbench.design.sweep_file import read_sweep
from voxbench.design.toml import written
from voxbench.records import Store
from voxbench.reporting.site.sweeps import cell_command
from voxbench.running.bind import bind

SWEEP = {
    "name": "several",
    "tasks": ["phantom-atlas", "phantom-shifted"],
    "fractions": ["2 shots", "3 shots"],
    "seeds": 2,
    "adaptation": ["full", "frozen"],
    "recipe": {"steps": [4, 8], "patch": [16, 16, 16]},
    "pretraining": {"steps": 4, "patch": [16, 16, 16]},
    "baselines": [
        {"name": "supervised", "pretraining": {"steps": 9}},
        {"name": "supervised", "size": ["tiny", "small"], "volumes": 2},
        {"name": "masked-autoencoder", "cube": [[8, 8, 2], [8, 8, 8]]},
        {"name": "negative-control"},
        {"name": "obelisk", "weights": "somewhere/obelisk.pth"},
    ],
}
ARMS = (
    "supervised",
    "supervised[size=tiny,volumes=2]",
    "masked-autoencoder[cube=(8, 8, 2)]",
    "negative-control",
    "scratch",
    "scratch[size=tiny]",
)
AS_OBELISK = "scratch[architecture=allconv-unet,size=base] as obelisk"


def trained(path, overrides=()):
    """The cells of the sweep by the label of their arm."""
    found = {}
    for bound in bind(read_sweep(path, overrides)):
        found.setdefault(bound.arm.baseline, []).append(bound)
    return found


def rerun(tmp_path, arm, ran=(), steps=8):
    """What the command of an arm's result on one task would train, beside that result's cells."""
    path = tmp_path / "store/sweeps/several.toml"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(f"{key} = {written(value)}" for key, value in SWEEP.items()))
    own = [
        bound
        for bound in trained(path, ran)[arm]
        if (bound.arm.task, bound.arm.fraction, bound.arm.adaptation, bound.cell.recipe.steps)
        == ("phantom-shifted", "3 shots", "frozen", steps)
    ]
    records = [
        SimpleNamespace(
            cell=one.cell.to_json(), arm=one.arm, sweep="several", imported=None, smoke=False
        )
        for one in own
    ]
    material = SimpleNamespace(store=Store(tmp_path / "store"))
    command = cell_command(material, SimpleNamespace(records=records))
    words = shlex.split(command.replace("\\\n", ""))
    return trained(path, words[words.index("--set") + 1 :: 2]), {arm: own}


@pytest.mark.parametrize("arm", ARMS)
def test_the_command_of_a_result_trains_its_cells_alone(tmp_path, arm):
    again, own = rerun(tmp_path, arm)
    assert len(own[arm]) == 2
    assert {name: [one.cell for one in found] for name, found in again.items()} == {
        name: [one.cell for one in found] for name, found in own.items()
    }


def test_steps_that_the_file_does_not_tell_are_those_of_the_records(tmp_path):
    again, own = rerun(tmp_path, "scratch", ran=["recipe.steps=6"], steps=6)
    assert [one.cell for one in again["scratch"]] == [one.cell for one in own["scratch"]]


def test_a_twin_under_a_contract_is_run_with_the_arm_that_asks_for_it(tmp_path):
    again, own = rerun(tmp_path, AS_OBELISK)
    assert [one.cell for one in again[AS_OBELISK]] == [one.cell for one in own[AS_OBELISK]]
    assert [name.partition("[")[0] for name in again] == ["obelisk", "scratch"]
