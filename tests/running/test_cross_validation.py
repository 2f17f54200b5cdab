"""A sweep with folds, from its spec to its tables."""

import pytest
from voxbench.analyses.read import groups_in
from voxbench.errors import SpecError
from voxbench.records import Store
from voxbench.running.bind import bind
from voxbench.running.options import Options
from voxbench.running.race import run_race
from voxbench.running.sweep import run_sweep
from voxbench.running.watch import Watch

from tests.running.conftest import make_sweep, planned

ARMS = [{"name": "masked-autoencoder", "size": "tiny"}]


def test_folds_are_an_axis_of_every_arm(example):
    cells = bind(make_sweep(folds=3))
    assert [cell.arm.fold for cell in cells] == [0, 0, 1, 1, 2, 2]
    assert len({cell.key for cell in cells}) == 6
    assert len({cell.trainings.dataset.identity for cell in cells}) == 1


def test_a_cell_without_folds_keeps_its_key(example):
    assert bind(make_sweep(folds=None))[0].key == bind(make_sweep())[0].key


def test_an_arm_whose_source_holds_tested_cases_is_told_of(example):
    """The folds test on cases that the weights were made from."""
    arm = {**ARMS[0], "source": "cubes"}
    cells = bind(make_sweep(baselines=[arm], folds=2, seeds=1))
    found = [cell.trainings.contamination.status for cell in cells if cell.arm.twin]
    assert {*found} == {"overlaps (by case)"}


def test_the_split_of_each_fold_is_frozen(example, tmp_path):
    planned(make_sweep(folds=2), tmp_path)
    found = {path.name for path in (tmp_path / "splits").iterdir()}
    assert found == {"example-cubes.fold-0-of-2.json", "example-cubes.fold-1-of-2.json"}


def test_every_case_is_scored_once_in_a_cross_validation(example, tmp_path):
    sweep = make_sweep(folds=2, seeds=1, recipe={"steps": 2, "patch": [16, 16, 16]})
    run_sweep(sweep, tmp_path, Options(jobs=1))
    records = list(Store(tmp_path))
    assert [record.failure for record in records] == [None, None]
    tested = [case for record in records for case in record.data.test]
    assert len(tested) == len({*tested})
    [group] = groups_in(tmp_path)
    assert {case for _, case in group.cases} == {*tested}
    assert "2-fold cross-validation" in group.notes


def test_a_race_has_no_folds(example, tmp_path):
    with pytest.raises(SpecError, match="without folds"):
        run_race(make_sweep(folds=2), tmp_path, Options(), Watch())
