"""The conformance suites pass what conforms, and say what is wrong with what does not."""

from dataclasses import dataclass, replace

import pytest
from voxbench.api import Case
from voxbench.testing import BaselineChecks, TaskChecks, run_checks
from voxbench_baselines.masked_autoencoder import MaskedAutoencoder
from voxbench_baselines.scratch import Scratch

from tests.example_plugin.voxbench_example.cubes import Cubes
from tests.example_plugin.voxbench_example.denoising import Denoising


def results(suite, plugin) -> dict[str, tuple[str, str]]:
    suite.task = suite.baseline = plugin
    return {result.check: (result.state, result.message) for result in run_checks(suite)}


def test_the_example_task_conforms(tmp_path):
    states = {state for state, _ in results(TaskChecks(), Cubes(root=tmp_path)).values()}
    assert states == {"passed"}


@pytest.mark.parametrize("baseline", [Denoising(size="tiny"), MaskedAutoencoder(size="tiny")])
def test_baselines_that_are_pretrained_here_conform(baseline):
    found = results(BaselineChecks(), baseline)
    assert {check for check, (state, _) in found.items() if state == "skipped"} == {
        "its weights reach the encoder",
        "the encoder that runs is the one loaded",
        "its input contract beats permuted ones",
        "its weights made here beat initialisation",
        "its weights made here expect their contract",
    }
    assert "failed" not in {state for state, _ in found.values()}, found


@dataclass(frozen=True, kw_only=True)
class Careless(Cubes):
    """One patient everywhere, a missing file, a random order."""

    def cases(self):
        first, *rest = super().cases()["all"]
        shared = [replace(case, patient="same") for case in rest]
        lost = Case("lost", (self.root / "none.nii.gz",), first.label, "same")
        return {"train": shared[:3], "validation": shared[3:5], "test": [*shared[5:], lost]}


def test_a_careless_task_fails_with_the_reason(tmp_path):
    found = results(TaskChecks(), Careless(root=tmp_path))
    state, message = found["splits keep patients apart"]
    assert state == "failed"
    assert "same" in message


@dataclass(frozen=True, kw_only=True)
class Twofold(Cubes):
    """Its test cases show what its training cases do, under other names."""

    def cases(self):
        train = list(super().cases()["all"])
        again = [replace(case, id=f"{case.id}b", patient=f"{case.patient}b") for case in train]
        return {"train": train, "validation": again[:2], "test": again[2:]}


def test_a_task_that_tests_on_what_it_trains_on_fails_whatever_names_say(tmp_path):
    found = results(TaskChecks(), Twofold(root=tmp_path))
    assert found["splits keep patients apart"][0] == "passed"
    state, message = found["no scan lies in two parts"]
    assert state == "failed"
    assert "look like a case of another part" in message


@dataclass(frozen=True, kw_only=True)
class Unlike(Scratch):
    """Says that its twin is another network."""

    @property
    def twin(self):
        return "scratch", {"architecture": "segresnet", "size": "tiny"}


def test_a_twin_of_another_network_fails():
    state, message = results(BaselineChecks(), Unlike(size="tiny"))["its twin has the same network"]
    assert state == "failed"
    assert "differs" in message
