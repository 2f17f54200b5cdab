"""A race runs what is not settled, stops when all is, and can be killed and run again."""

import json
from collections import Counter

import pytest
from voxbench.analyses.races.declaration import races_in
from voxbench.analyses.races.progress import raced_comparisons
from voxbench.errors import RecordError, SpecError
from voxbench.records import Store
from voxbench.running.bind import bind
from voxbench.running.jobs import CellJob, PretrainingJob
from voxbench.running.options import Options
from voxbench.running.plan import plan_cells
from voxbench.running.race import declared_race, run_race
from voxbench.running.sweep import run_sweep
from voxbench.running.watch import SILENT

from tests.running.conftest import EXAMPLE, Notes, make_sweep
from tests.running.quick import quick_cells

SEEDS = 8
ARMS = [{"name": "example-denoising", "size": "tiny", "source": "cubes", "noise": [0.1, 0.5]}]
CLEAR, HARD = 0.1, 0.5  # the noise fields by which the arms are known here


@pytest.fixture
def fake(example, monkeypatch):
    return quick_cells(monkeypatch)


def sweep(**changes):
    return make_sweep(**{"baselines": ARMS, "seeds": SEEDS, **changes})


def race(root, watch=None, jobs=1, **changes):
    planned = run_race(sweep(**changes), root, Options(jobs=jobs), watch or SILENT)
    return planned, watch


def compared(root, **changes):
    """Noise of an arm → its comparison."""
    found = declared_race(sweep(**changes), plan_cells(bind(sweep(**changes)), root))
    records = {record.key: record for record in Store(root)}
    return {
        CLEAR if "noise=0.1" in raced.comparison.arm else HARD: raced
        for raced in raced_comparisons(found, records)
    }


def order(watch):
    """Baseline and seed of the cells in the order in which they ran."""
    arms = [out.job.cell.arm for out in watch.outcomes if isinstance(out.job, CellJob)]
    return [(arm.baseline.partition("[")[0], "noise=0.1" in arm.baseline, arm.seed) for arm in arms]


def test_a_clear_arm_is_settled_and_its_other_cells_stay_missing(fake, tmp_path):
    planned, _ = race(tmp_path)
    found = compared(tmp_path)
    assert found[CLEAR].decision.verdict == "better"
    missing = [cell.arm for cell in planned if cell.state == "missing"]
    assert sum("noise=0.1" in arm.baseline for arm in missing) == SEEDS - found[CLEAR].tried > 0


def test_a_comparison_that_more_trainings_would_hardly_settle_is_given_up(fake, tmp_path):
    planned, _ = race(tmp_path)
    hard = compared(tmp_path)[HARD]
    assert (hard.decision.verdict, hard.decision.due, hard.pending) == ("undecided", 0, ())
    assert hard.tried < SEEDS
    missing = [cell.arm.baseline for cell in planned if cell.state == "missing"]
    assert missing.count(hard.comparison.arm) == SEEDS - hard.tried


def test_a_seed_of_everything_comes_first_then_a_second(fake, tmp_path):
    watch = Notes()
    race(tmp_path, watch)
    began = order(watch)
    assert {seed for *_, seed in began[:3]} == {0}
    assert len(set(began[:3])) == 3
    assert {seed for *_, seed in began[3:6]} == {1}


def test_all_that_go_on_have_their_trainings_before_the_next_analysis(fake, tmp_path):
    watch = Notes()
    race(tmp_path, watch)
    third = order(watch)[6:9]
    assert sorted(third) == [
        ("example-denoising", False, 2), ("example-denoising", True, 2), ("scratch", False, 2),
    ]  # fmt: skip


def test_once_settled_it_does_nothing(fake, tmp_path):
    easy = {"baselines": [{**ARMS[0], "noise": CLEAR}]}
    planned, _ = race(tmp_path, **easy)
    assert Counter(cell.state for cell in planned)["missing"] > 0
    watch = Notes()
    race(tmp_path, watch, **easy)
    assert (watch.todo, watch.outcomes) == ([], [])


def test_a_plain_run_completes_it_and_the_verdict_stays(fake, tmp_path):
    race(tmp_path)
    before = compared(tmp_path)[CLEAR].decision
    planned = run_sweep(sweep(), tmp_path, Options(jobs=1))
    assert {cell.state for cell in planned} == {"cached"}
    after = compared(tmp_path)[CLEAR].decision
    assert (after.verdict, after.interim) == (before.verdict, before.interim)


def test_a_race_that_was_killed_goes_on_where_it_was(fake, tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    race(whole)

    class Impatient(Notes):
        def finished(self, outcome):
            super().finished(outcome)
            if len(self.outcomes) % 5 == 0:
                raise KeyboardInterrupt

    for _ in range(20):
        try:
            race(cut, Impatient())
        except KeyboardInterrupt:
            continue
        break
    assert {record.key for record in Store(cut)} == {record.key for record in Store(whole)}


def test_weights_are_made_once(fake, tmp_path):
    watch = Notes()
    race(tmp_path, watch)
    assert sum(isinstance(outcome.job, PretrainingJob) for outcome in watch.outcomes) == 2


def test_a_failed_cell_counts_as_run(fake, tmp_path):
    fake["failing"] = {("scratch[size=tiny]", 0), ("scratch[size=tiny]", 1)}
    race(tmp_path)
    found = compared(tmp_path)
    assert found[HARD].failed == 2
    assert found[HARD].tried > 3
    assert found[CLEAR].decision.verdict == "better"
    assert found[CLEAR].decision.interim.runs > 3


def test_where_all_trainings_failed_the_comparison_ends_unsettled(fake, tmp_path):
    fake["failing"] = {("scratch[size=tiny]", seed) for seed in range(SEEDS)}
    planned, _ = race(tmp_path)
    found = compared(tmp_path)
    assert {raced.decision.verdict for raced in found.values()} == {"undecided"}
    assert {raced.failed for raced in found.values()} == {SEEDS}
    assert "missing" not in {cell.state for cell in planned if cell.arm.twin is None}


def test_few_patients_settle_nothing_and_are_given_up_at_the_first_analysis(fake, tmp_path):
    fake["patients"] = 5
    race(tmp_path)
    assert {(raced.settled, raced.tried) for raced in compared(tmp_path).values()} == {(False, 3)}


def test_trainings_after_one_that_is_missing_do_not_count(fake, tmp_path):
    run_sweep(sweep(), tmp_path, Options(jobs=1))
    gone = next(iter(compared(tmp_path).values())).comparison.runs[3]
    Store(tmp_path).path(gone.arm).unlink()
    found = [raced for raced in compared(tmp_path).values() if raced.comparison.runs[3] == gone]
    assert [raced.tried for raced in found] == [3]


def test_draws_are_trainings_too(fake, tmp_path):
    race(tmp_path, seeds=2, draws=2)
    comparison = compared(tmp_path, seeds=2, draws=2)[CLEAR].comparison
    assert [(run.draw, run.seed) for run in comparison.runs] == [(0, 0), (1, 0), (0, 1), (1, 1)]


def test_the_declaration_holds_the_shares_before_the_first_cell(fake, tmp_path):
    class Stop(Notes):
        def started(self, job):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        race(tmp_path, Stop())
    [declared] = races_in(tmp_path)
    assert (declared.metric, declared.margin, declared.alpha) == ("dice", 0.01, 0.05)
    assert sum(declared.shares) == pytest.approx(1)
    assert len(declared.shares) == SEEDS - 1
    assert len(declared.comparisons) == 2


def test_another_number_of_trainings_is_refused_after_the_first(fake, tmp_path):
    race(tmp_path, seeds=3)
    with pytest.raises(SpecError, match=r"tiny\.json: a race with other comparisons"):
        race(tmp_path, seeds=4)


def test_a_smoke_race_has_a_declaration_of_its_own(fake, tmp_path):
    run_race(sweep(seeds=2), tmp_path, Options(jobs=1, limit=1))
    race(tmp_path, seeds=3)
    assert {declared.limit for declared in races_in(tmp_path)} == {None, 1}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seeds": 1}, "needs 2 trainings or more"),
        ({"baselines": [{"name": "scratch", "size": "tiny"}]}, "no arm with a twin"),
    ],
)
def test_what_can_not_be_raced_is_refused(fake, tmp_path, changes, said):
    with pytest.raises(SpecError, match=said):
        race(tmp_path, **changes)


def test_failed_cells_are_not_tried_again_within_a_race(fake, tmp_path):
    with pytest.raises(SpecError, match="--retry-failed in a run of its own"):
        run_race(sweep(), tmp_path, Options(jobs=1, retry_failed=True))


def test_a_damaged_declaration_is_named(fake, tmp_path):
    (tmp_path / "races").mkdir()
    (tmp_path / "races" / "tiny.json").write_text(json.dumps({"sweep": "tiny"}))
    with pytest.raises(RecordError, match=r"tiny\.json: not a race"):
        race(tmp_path)


@pytest.mark.slow
def test_a_pool_decides_after_each_batch(example, tmp_path):
    small = make_sweep(baselines=[{**ARMS[0], "noise": CLEAR}], seeds=4)
    watch = Notes()
    planned = run_race(small, tmp_path, Options(jobs=2, include=[EXAMPLE]), watch)
    states = Counter(cell.state for cell in planned)
    assert states == {"cached": 4, "missing": 4}  # 2 test patients settle nothing
    assert sum(isinstance(outcome.job, PretrainingJob) for outcome in watch.outcomes) == 1
    assert len(watch.outcomes) == 5
