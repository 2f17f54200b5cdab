"""Finished cells predict again by the models of `[uncertainty]`, from their kept weights."""

import math

import numpy as np
import pytest
from voxbench.analyses.read import records_in
from voxbench.analyses.uncertainty.doubts import doubts_in
from voxbench.design.sweep_file import parse_sweep, read_sweep, written_sweep
from voxbench.design.toml import parse_toml
from voxbench.design.uncertainty import Aggregation, Measure
from voxbench.errors import DataError, PluginError, SpecError
from voxbench.predict.models import Augmented
from voxbench.records import Store
from voxbench.records.external import external_store
from voxbench.records.failures import still_failed
from voxbench.records.kept import weights_path
from voxbench.records.uncertainty import UncertaintyRecords
from voxbench.running.bind import bind
from voxbench.running.options import Options
from voxbench.running.sweep import run_sweep
from voxbench.running.uncertainty import UncertaintyPlan
from voxbench.score.uncertainty.judged import AGGREGATIONS
from voxbench.uncertainty.calibration import Reliability
from voxbench.uncertainty.measures import Measures

from tests.running.conftest import Notes, make_sweep
from tests.running.test_external import write_other

INLINE = Options(jobs=1)
SHORT = {"steps": 2, "patch": [16, 16, 16], "augmentation": "none"}


def asked(models, **changes):
    return make_sweep(seeds=2, recipe=SHORT, uncertainty={"models": models}, **changes)


@pytest.fixture
def finished(example, tmp_path):
    notes = Notes()
    planned = run_sweep(asked(["softmax", "ensemble"]), tmp_path, INLINE, notes)
    assert [str(outcome.job) for outcome in notes.outcomes if outcome.failure] == []
    return planned, tmp_path


def test_cells_and_their_seeds_together_predict_once_the_weights_are_there(finished):
    planned, root = finished
    records = {(r.model[0], tuple(r.seeds)): r for r in UncertaintyRecords(root)}
    assert set(records) == {("softmax", (0,)), ("softmax", (1,)), ("ensemble", (0, 1))}
    together = records["ensemble", (0, 1)]
    assert together.cells == [one.key for one in planned]
    assert (together.passes, records["softmax", (0,)].passes) == (2, 1)

    alone, cell = records["softmax", (0,)], Store(root).read(planned[0].key)
    assert [case.scored for case in alone.test] == cell.cases
    assert {case.scored.case for case in alone.validation} == {*cell.data.validation}

    case = together.test[0]
    assert set(case.scores) == set(Measures._fields)
    assert all(set(own) == set(AGGREGATIONS) for own in case.scores.values())
    assert case.scores["mutual_information"]["image sum"] > 0
    assert math.isfinite(case.scores["predictive_entropy"]["threshold"])
    learnt_from = [one.scores["predictive_entropy"]["threshold"] for one in together.validation]
    assert learnt_from
    assert all(map(math.isnan, learnt_from))
    assert 0 <= case.agreement <= 1
    assert math.isnan(alone.test[0].agreement)
    assert {"ACE", "ECE"} == set(case.errors["mean probability"])
    bins = Reliability(*map(np.array, case.reliability))
    assert bins.ace == pytest.approx(case.errors["mean probability"]["ACE"])


def test_a_model_that_is_added_later_takes_the_kept_weights_and_trains_nothing(finished):
    planned, root = finished
    stamps = [weights_path(root, one.key).stat().st_mtime_ns for one in planned]
    same = Notes()
    run_sweep(asked(["softmax", "ensemble"]), root, INLINE, same)
    assert same.todo == []
    notes = Notes()
    table = {"models": ["softmax", {"name": "tta", "noise": 0.2}], "measures": ["one_minus_max"]}
    run_sweep(make_sweep(seeds=2, recipe=SHORT, uncertainty=table), root, INLINE, notes)
    assert sorted(str(job).rsplit(" · ")[-1] for job in notes.todo) == [
        "softmax", "softmax", "tta", "tta",
    ]  # fmt: skip
    assert [weights_path(root, one.key).stat().st_mtime_ns for one in planned] == stamps
    (model,) = {str(r.model) for r in UncertaintyRecords(root) if r.model[0] == "tta"}
    assert "0.2" in model


def test_validation_cases_are_left_out_where_nothing_is_learnt_from_them(finished):
    _, root = finished
    table = {"aggregations": ["image mean"], "applications": ["failure detection"]}
    sweep = make_sweep(seeds=2, recipe=SHORT, uncertainty={"models": ["softmax"], **table})
    run_sweep(sweep, root, INLINE)
    records = UncertaintyRecords(root)
    own = [records.read(job.id) for job in UncertaintyPlan.of(sweep, bind(sweep), root).all]
    assert [one.validation for one in own] == [[], []]
    assert all(one.test for one in own)


def test_a_cell_finished_without_weights_is_trained_again_to_the_same_record(example, tmp_path):
    planned = run_sweep(make_sweep(seeds=2, recipe=SHORT), tmp_path, INLINE)
    before = [Store(tmp_path).read(one.key).cases for one in planned]
    sweep = asked(["softmax"])
    plan = UncertaintyPlan.of(sweep, bind(sweep), tmp_path)
    assert [plan.state(job) for job in plan.all] == ["trained again first"] * 2
    assert plan.untrained == {one.key for one in planned}
    run_sweep(sweep, tmp_path, INLINE)
    assert [plan.state(job) for job in plan.all] == ["predicted"] * 2
    assert plan.untrained == set()
    assert [Store(tmp_path).read(one.key).cases for one in planned] == before


def test_cases_of_an_external_set_are_predicted_too_where_somebody_asks(example, tmp_path):
    data = {"name": "nnunet-folder", "root": str(write_other(tmp_path / "there", {"CUBE": 2}))}
    tests = [{"task": "example-cubes", "name": "elsewhere", "data": data}]
    run_sweep(asked(["softmax"], tests=tests), tmp_path / "out", INLINE)
    records = list(UncertaintyRecords(tmp_path / "out"))
    external = external_store(tmp_path / "out")
    for one in records:
        [found] = [r for r in external if r.external.training == one.cells[0]]
        cases = one.external["elsewhere"]
        assert [case.scored for case in cases] == found.cases
        assert all(case.scores["predictive_entropy"]["image mean"] > 0 for case in cases)
        assert all(case.errors == {} for case in cases)

    alone = {"models": ["softmax"], "applications": ["calibration"]}
    sweep = make_sweep(seeds=1, recipe=SHORT, uncertainty=alone, tests=tests)
    [job] = UncertaintyPlan.of(sweep, bind(sweep), tmp_path).all
    assert job.tests == ()
    without = asked(["softmax"])
    ids = {job.id for job in UncertaintyPlan.of(without, bind(without), tmp_path).all}
    assert ids.isdisjoint(one.key for one in records)


def test_measures_of_each_class_are_kept_where_they_are_asked_for(finished):
    _, root = finished
    table = {
        "models": ["ensemble"], "measures": ["mutual_information"], "by_class": True,
        "applications": ["failure detection"],
    }  # fmt: skip
    sweep = make_sweep(seeds=2, recipe=SHORT, uncertainty=table)
    run_sweep(sweep, root, INLINE)
    [job] = UncertaintyPlan.of(sweep, bind(sweep), root).all
    [cube] = job.cells[0].trainings.dataset.card.classes
    case = UncertaintyRecords(root).read(job.id).test[0]
    together, own = case.scores["mutual_information"], case.scores[f"mutual_information of {cube}"]
    assert set(together) == set(own)
    assert own["image mean"] == pytest.approx(together["image mean"], rel=1e-3)  # of two classes
    assert math.isnan(own["threshold"])
    measures = {what.measure for one in doubts_in(root, records_in(root)) for what in one.values}
    assert f"mutual_information of {cube}" in measures
    before = UncertaintyPlan.of(asked(["ensemble"]), bind(sweep), root)
    assert job.id not in {one.id for one in before.all}


def test_what_failed_is_remembered_until_it_is_made(finished, monkeypatch):
    _, root = finished
    sweep = asked([{"name": "tta", "noise": 0.2}])
    with monkeypatch.context() as broken:
        broken.setattr(Augmented, "passes", _broken)
        run_sweep(sweep, root, INLINE)
    jobs = UncertaintyPlan.of(sweep, bind(sweep), root).all
    assert {(one.key, one.work) for one in still_failed(root)} == {
        (job.id, str(job)) for job in jobs
    }
    assert all("no scanner at all" in one.failure for one in still_failed(root))

    notes = Notes()
    run_sweep(sweep, root, INLINE, notes)
    assert {job.id for job in notes.todo} == {job.id for job in jobs}
    assert still_failed(root) == []


def _broken(*_):
    raise DataError("no scanner at all")


def test_the_table_changes_no_key_of_a_cell(example):
    assert [c.key for c in bind(make_sweep(seeds=2, recipe=SHORT))] == [
        c.key for c in bind(asked(["softmax"]))
    ]


def test_the_table_is_written_to_a_file_for_others(example, tmp_path):
    sweep = asked([{"name": "tta", "noise": 0.2}, "softmax"])
    path = tmp_path / "sweep.toml"
    path.write_text(written_sweep(sweep))
    assert read_sweep(path) == sweep


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"models": []}, "uncertainty.models: needs at least one value"),
        ({"models": ["softmax", "softmax"]}, "uncertainty.models: named twice: softmax"),
        (
            {"models": ["softmax"], "measure": ["x"]},
            "'measure'. Did you mean 'measures'.*at uncertainty.measure",
        ),
        ({"models": ["softmax"], "measures": ["entropy"]}, r"uncertainty.measures.0: .*entropy"),
        ({"models": ["softmax"], "applications": ["ood"]}, r"uncertainty.applications.0: .*'ood'"),
    ],
)
def test_a_faulty_table_is_told_on_one_line_with_its_key(example, table, said):
    with pytest.raises(SpecError, match=said) as told:
        make_sweep(uncertainty=table)
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("models", "changes", "said"),
    [
        (["softmx"], {}, "uncertainty.models: .*'softmx'.*softmax"),
        ([{"name": "tta", "nois": 1.0}], {}, "uncertainty.models: .*nois.*noise"),
        ([{"name": "tta", "noise": -1.0}], {}, "uncertainty.models: .*noise must be 0 or more"),
        (["dropout"], {}, 'uncertainty.models: dropout needs recipe.stochastic = "dropout"'),
    ],
)
def test_a_model_that_cannot_predict_is_told_before_anything_runs(
    example, tmp_path, models, changes, said
):
    with pytest.raises((SpecError, PluginError), match=said):
        run_sweep(asked(models, **changes), tmp_path, INLINE)
    assert list(tmp_path.glob("records/*")) == []


def test_an_ensemble_of_one_seed_is_refused(example, tmp_path):
    sweep = make_sweep(seeds=1, uncertainty={"models": ["ensemble"]})
    with pytest.raises(SpecError, match="ensemble needs seeds, at least 2"):
        run_sweep(sweep, tmp_path, INLINE)


def test_names_are_those_of_the_measures_and_aggregations_that_there_are():
    from typing import get_args

    assert get_args(Measure) == Measures._fields
    assert get_args(Aggregation) == (*AGGREGATIONS, "pairwise Dice")
    table = parse_toml('[uncertainty]\nmodels = ["softmax"]\n', "x")
    sweep = parse_sweep({"name": "x", "tasks": ["t"], "baselines": ["b"], **table})
    assert sweep.uncertainty.measures == Measures._fields
