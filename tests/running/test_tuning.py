"""Every arm and its twin are tuned alike, by validation cases alone, and may be killed anywhere."""

import signal
import subprocess
import sys
import time

import pytest
from voxbench.data.cell_data import load_cell_data
from voxbench.errors import DataError, FitError
from voxbench.fit.loop import FitResult
from voxbench.records import Store
from voxbench.records.case_scores import CaseScores, ClassScores
from voxbench.records.trials import Trials, best_of
from voxbench.running import trial as trial_module
from voxbench.running.bind import bind_sweep
from voxbench.running.jobs import CellJob, PretrainingJob, TrialJob
from voxbench.running.perform import perform
from voxbench.running.plan import plan_studies
from voxbench.running.studies import studies_of, trials_in
from voxbench.running.sweep import Options, run_sweep
from voxbench.running.tuner import Tuner, bind_all
from voxbench.running.worker import Worker

from tests.conftest import REPOSITORY
from tests.running.conftest import EXAMPLE, Notes, make_sweep

RATE = "recipe.learning_rate"
SPACE = {RATE: {"low": 1e-4, "high": 1e-1, "log": True}}
ARM = {"name": "example-denoising", "size": "tiny", "source": "cubes"}
QUICK = {"steps": 2, "patch": [32, 32, 32], "augmentation": "none", "validations": 2}


def tuned_sweep(tuning=None, **changes):
    table = {"trials": 3, "sampler": "random", "space": SPACE, **(tuning or {})}
    return make_sweep(
        **{"baselines": [ARM], "seeds": 1, "recipe": QUICK, "tuning": table, **changes}
    )


@pytest.fixture
def quick(example, monkeypatch):
    """Trials without training: all patients score as the learning rate says."""
    rates = {"diverging": (), "looks": ()}

    def fit(network, cell, data, device, checkpoint, *, hopeless):
        rate = cell.recipe.learning_rate
        if rate in rates["diverging"]:
            raise FitError("the loss is nan")
        rates["now"] = rate
        for look, score in enumerate(rates["looks"], start=1):
            if hopeless(look, score * rate):
                return FitResult({}, {}, {}, 1.0, 1)
        return FitResult({}, {}, {}, 1.0, 2)

    def scored(network, cases, data, recipe, device):
        told = {
            "nsd": 0.0,
            "hd95_mm": 0.0,
            "volume_mm3_prediction": 1.0,
            "volume_mm3_reference": 1.0,
        }
        score = ClassScores(dice=rates["now"], **told)
        return [CaseScores(case=c.id, patient=c.patient, classes={"cube": score}) for c in cases]

    monkeypatch.setattr(trial_module, "fit_network", fit)
    monkeypatch.setattr(trial_module, "score_cases", scored)
    monkeypatch.setattr("voxbench.running.network.make_weights", None)
    monkeypatch.setattr(trial_module, "load_network", lambda bound, worker: (_Nothing(), None))
    return rates


class _Nothing:
    def parameters(self):
        return ()


def study_jobs(sweep, root):
    return Tuner(sweep, bind_sweep(sweep)[0], root).jobs()


def run_trials(sweep, root):
    for job in study_jobs(sweep, root):
        outcome = perform(job, Worker(root, sweep.name))
        assert outcome.failure is None
    return trials_in(root)


@pytest.mark.parametrize("sampler", ["random", "tpe", "grid"])
def test_an_arm_and_its_twin_have_the_same_chance(quick, tmp_path, sampler):
    space = (
        {RATE: [0.1, 0.01, 0.001], "adaptation": ["full", "frozen"]} if sampler == "grid" else SPACE
    )
    sweep = tuned_sweep({"sampler": sampler, "space": space, "trials": 4})
    one, twin = run_trials(sweep, tmp_path).values()
    assert [trial.number for trial in one] == [trial.number for trial in twin] == [0, 1, 2, 3]
    assert {twin[0].arm.twin, one[0].arm.twin} == {None, "scratch[size=tiny]"}
    assert len({trial.validation for trial in (*one, *twin)}) == 1
    assert one[0].tuning == twin[0].tuning
    assert [trial.values for trial in one] == [trial.values for trial in twin]


def test_pretrainings_come_first_then_trials_one_of_every_study_then_cells(example, tmp_path):
    sweep = tuned_sweep()
    watch = Notes()
    with pytest.raises(_Stopped):
        run_sweep(sweep, tmp_path, Options(jobs=1), _Stopping(watch))
    kinds = [type(job) for job in watch.todo]
    assert kinds == [PretrainingJob, *[TrialJob] * 6, *[CellJob] * 2]
    assert [job.number for job in watch.todo[1:7]] == [0, 0, 1, 1, 2, 2]


class _Stopped(BaseException):
    pass


class _Stopping(Notes):
    def __init__(self, notes):
        self.notes = notes

    def planned(self, cells, todo):
        self.notes.planned(cells, todo)
        raise _Stopped


def test_the_best_by_validation_is_chosen_and_stands_on_the_record_with_its_cost(quick, tmp_path):
    sweep = tuned_sweep(seeds=2)
    found = run_trials(sweep, tmp_path)
    cells, _ = bind_all(sweep, tmp_path)
    tuned = [cell for cell in cells if cell.cell.tuned]
    assert len(cells) == 8
    assert len(tuned) == 4
    for cell in tuned:
        own = found[cell.cell.tuned.study]
        best = max(trial.values[RATE] for trial in own)
        assert cell.cell.recipe.learning_rate == best
        assert dict(cell.cell.tuned.values) == {RATE: best}
        assert cell.arm.adaptation == "full, tuned"
        cost = cell.trainings.tuning
        assert (cost.trials, cost.pruned, cost.score) == (3, 0, pytest.approx(best))
        assert cost.cpu_hours == pytest.approx(sum(trial.cost.cpu_hours for trial in own))
    assert len({cell.key for cell in cells}) == 8


def test_the_cells_of_a_study_are_given_once_whoever_ran_its_last_trial(quick, tmp_path):
    sweep = tuned_sweep(twins=False)
    tuner = Tuner(sweep, bind_sweep(sweep)[0], tmp_path)
    jobs = tuner.jobs()
    assert tuner.after(jobs[0]) == []
    run_trials(sweep, tmp_path)
    assert [len(tuner.after(job)) for job in jobs] == [1, 0, 0]
    assert Tuner(sweep, bind_sweep(sweep)[0], tmp_path).jobs() == []


def test_a_larger_budget_goes_on_where_the_smaller_ended(quick, tmp_path):
    run_trials(tuned_sweep(), tmp_path)
    before = {cell.key for cell in bind_all(tuned_sweep(), tmp_path)[0]}
    more = tuned_sweep({"trials": 5})
    assert {job.number for job in study_jobs(more, tmp_path)} == {3, 4}
    run_trials(more, tmp_path)
    assert {cell.key for cell in bind_all(tuned_sweep(), tmp_path)[0]} == before


def test_the_recipes_own_value_of_what_is_tuned_decides_nothing(example):
    def keys(**recipe):
        sweep = tuned_sweep(recipe={**QUICK, **recipe})
        return [study.key for study in studies_of(sweep, sweep.tuning, bind_sweep(sweep)[0])]

    assert keys(learning_rate=0.1) == keys(learning_rate=0.2)
    assert keys(weight_decay=0.1) != keys(weight_decay=0.2)


def test_a_study_a_task_is_made_at_the_smallest_fraction_and_serves_all(quick, tmp_path):
    sweep = tuned_sweep({"scope": "task"}, fractions=[1.0, "2 shots"], twins=False)
    [study] = studies_of(sweep, sweep.tuning, bind_sweep(sweep)[0])
    assert study.arm.fraction == "2 shots"
    run_trials(sweep, tmp_path)
    tuned = [cell for cell in bind_all(sweep, tmp_path)[0] if cell.cell.tuned]
    assert {cell.arm.fraction for cell in tuned} == {"100%", "2 shots"}


def test_adaptation_as_a_parameter_is_tuned_once_for_the_whole_axis(example):
    space = {"adaptation": ["full", "frozen"]}
    sweep = tuned_sweep({"space": space}, adaptation=["full", "warmup"])
    assert [
        study.arm.adaptation for study in studies_of(sweep, sweep.tuning, bind_sweep(sweep)[0])
    ] == ["tuned"] * 2
    apart = tuned_sweep(adaptation=["full", "warmup"], twins=False)
    told = [study.arm.adaptation for study in studies_of(apart, apart.tuning, bind_sweep(apart)[0])]
    assert told == ["full, tuned", "warmup, tuned"]


def test_a_trial_that_diverges_counts_and_scores_nothing(quick, tmp_path):
    sweep = tuned_sweep(twins=False)
    [first] = [job for job in study_jobs(sweep, tmp_path) if job.number == 0]
    perform(first, Worker(tmp_path, "x"))
    [done] = Trials(tmp_path)
    quick["diverging"] = [
        value for value in _rates(sweep, tmp_path / "other") if value != done.values[RATE]
    ]
    run_trials(sweep, tmp_path)
    trials = [*Trials(tmp_path)]
    assert [trial.state for trial in trials] == ["complete", "failed", "failed"]
    assert [trial.score for trial in trials[1:]] == [0.0, 0.0]
    assert best_of(trials).number == 0


def test_a_trial_that_another_process_has_made_meanwhile_is_not_made_again(quick, tmp_path):
    sweep = tuned_sweep(twins=False)
    first = study_jobs(sweep, tmp_path)[0]
    run_trials(sweep, tmp_path)
    before = [path.stat().st_mtime_ns for path in (tmp_path / "trials").iterdir()]
    assert perform(first, Worker(tmp_path, "x")).failure is None
    assert before == [path.stat().st_mtime_ns for path in (tmp_path / "trials").iterdir()]


def _rates(sweep, root):
    """What a study tries."""
    run_trials(sweep, root)
    return [trial.values[RATE] for trial in Trials(root)]


def test_where_every_trial_diverges_the_cells_are_skipped_with_the_reason(quick, tmp_path):
    sweep = tuned_sweep(twins=False)
    quick["diverging"] = _rates(sweep, tmp_path / "other")
    run_trials(sweep, tmp_path)
    [cell] = [cell for cell in bind_all(sweep, tmp_path)[0] if cell.trainings.reason]
    assert cell.trainings.reason == "no trial of its tuning is complete: the loss is nan"


def test_a_pruned_trial_costs_what_it_used_and_is_not_chosen(quick, tmp_path):
    quick["looks"] = (1.0, 1.0)
    sweep = tuned_sweep({"trials": 12, "pruner": "median"}, twins=False)
    [trials] = run_trials(sweep, tmp_path).values()
    pruned = [trial for trial in trials if trial.state == "pruned"]
    assert pruned
    for trial in pruned:
        assert trial.cost.steps == 1 < 2
        assert trial.scores == {}
        assert trial.score == trial.curve[1]
    assert best_of(trials).values[RATE] == max(trial.values[RATE] for trial in trials)


def test_a_machines_fault_leaves_no_trial_and_it_is_run_again(quick, tmp_path, monkeypatch):
    def broken(*_, **__):
        raise MemoryError

    sweep = tuned_sweep(twins=False)
    job = study_jobs(sweep, tmp_path)[0]
    with monkeypatch.context() as broken_machine:
        broken_machine.setattr(trial_module, "fit_network", broken)
        assert perform(job, Worker(tmp_path, "x")).kind == "machine"
    assert [*Trials(tmp_path)] == []
    assert _rates(sweep, tmp_path) == _rates(sweep, tmp_path / "other")


def test_the_plan_counts_trials_and_the_cells_that_wait(quick, tmp_path):
    sweep = tuned_sweep(seeds=2)
    studies = plan_studies(Tuner(sweep, bind_sweep(sweep)[0], tmp_path))
    assert [(one.states["missing"], one.cells) for one in studies] == [(3, 2), (3, 2)]
    assert all(one.seconds > 0 for one in studies)
    run_trials(sweep, tmp_path)
    studies = plan_studies(Tuner(sweep, bind_sweep(sweep)[0], tmp_path))
    assert [(dict(one.states), one.cells) for one in studies] == [
        ({"complete": 3, "missing": 0}, 0)
    ] * 2


def test_a_trial_that_is_killed_goes_on_with_its_values_behind_the_folds_that_are_done(
    quick, tmp_path, monkeypatch
):
    class Killed(BaseException):
        pass

    trained = []
    fit = trial_module.fit_network

    def dying(network, cell, data, *rest, **named):
        trained.append(([case.id for case in data.validation], cell.recipe.learning_rate))
        if len(trained) == 2:
            raise Killed
        return fit(network, cell, data, *rest, **named)

    sweep = tuned_sweep({"trials": 1}, twins=False)
    monkeypatch.setattr(trial_module, "fit_network", dying)
    [job] = study_jobs(sweep, tmp_path)
    with pytest.raises(Killed):
        perform(job, Worker(tmp_path, "x"))
    assert [*Trials(tmp_path)] == []
    run_trials(sweep, tmp_path)
    first, killed, again = trained
    assert again == killed != first
    [trial] = Trials(tmp_path)
    assert trial.folds == len(trial.scores) == 2
    assert not [*(tmp_path / "tuning").rglob("*.ckpt")]


@pytest.mark.slow
def test_a_sweep_killed_in_its_trials_ends_as_one_that_was_not(example, tmp_path):
    """Two workers, `kill -9` thrice: the trials of random search are those of one process."""
    sweep = tuned_sweep({"trials": 4})
    run_sweep(sweep, tmp_path / "whole", Options(jobs=1))
    for trials in (1, 3, 6):
        _killed_after(trials, tmp_path / "killed")
    run_sweep(sweep, tmp_path / "killed", Options(jobs=1))
    facts = {"study", "number", "state", "values", "score", "scores", "curve", "validation"}
    whole, killed = (
        [trial.model_dump_json(include=facts) for trial in Trials(tmp_path / name)]
        for name in ("whole", "killed")
    )
    assert whole == killed
    scores = [
        {record.key: record.model_dump_json(include={"cases"}) for record in Store(tmp_path / name)}
        for name in ("whole", "killed")
    ]
    assert scores[0] == scores[1]


RUN = """
import sys
from pathlib import Path
from voxbench import plugins
from voxbench.running.sweep import Options, run_sweep
from tests.running.test_tuning import tuned_sweep
plugins.include(Path(sys.argv[2]))
options = Options(jobs=2, include=[Path(sys.argv[2])])
run_sweep(tuned_sweep({"trials": 4}), Path(sys.argv[1]), options)
"""


def _killed_after(trials, root):
    words = [sys.executable, "-c", RUN, str(root), str(EXAMPLE)]
    process = subprocess.Popen(words, cwd=REPOSITORY, start_new_session=True)
    while process.poll() is None and len([*(root / "trials").glob("*.json")]) < trials:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_no_trial_reads_a_test_case(example, tmp_path):
    """Their files are gone after planning: trials don't notice, cells do."""
    sweep = tuned_sweep(
        {"trials": 2},
        tasks=[{"name": "cubes", "root": str(tmp_path / "cubes")}],
        baselines=[{"name": "scratch", "size": "tiny"}],
    )
    jobs = study_jobs(sweep, tmp_path)
    [cell] = [cell for cell in bind_all(sweep, tmp_path)[0] if not cell.cell.tuned]
    for case in cell.trainings.dataset.split.test:
        for path in case.files:
            path.write_bytes(b"no volume")
    outcomes = [perform(job, Worker(tmp_path, "x")) for job in jobs]
    assert [outcome.failure for outcome in outcomes] == [None, None]
    assert len([*Trials(tmp_path)]) == 2
    with pytest.raises(DataError):
        load_cell_data(cell.cell, cell.trainings.dataset, cell.trainings.preprocessing)
