"""A sweep runs what is missing, survives what fails, and repeats itself."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from nibabel.affines import voxel_sizes
from voxbench.data.label_map import read_label_map
from voxbench.data.volumes import read_reference
from voxbench.design.cell import Ref
from voxbench.metrics import evaluate
from voxbench.plugins import find_task
from voxbench.records import Store
from voxbench.records.predictions import prediction_path
from voxbench.records.provenance import Contamination
from voxbench.running import fitting, queue
from voxbench.running.engines.inline import run_inline
from voxbench.running.jobs import PretrainingJob, jobs_for
from voxbench.running.options import Options
from voxbench.running.queue import Queue
from voxbench.running.sweep import run_sweep
from voxbench.running.watch import SILENT
from voxbench.running.worker import Worker

from tests.running.conftest import EXAMPLE, Notes, make_sweep, planned

BROKEN = """
from dataclasses import dataclass
from typing import ClassVar
from voxbench.api import BaselineCard, Pretrained

@dataclass(frozen=True, kw_only=True)
class {name}(Pretrained):
    needs_labels: ClassVar[bool] = False
    card: ClassVar = BaselineCard(
        name="{label}", strategy="self-supervised", licence="x", reference="y"
    )

    def objective(self, backbone, source):
        {body}
"""


def scores(root: Path) -> dict[str, object]:
    return {record.key: record.model_dump_json(include={"cases"}) for record in Store(root)}


def test_a_second_run_does_nothing(sweep, tmp_path):
    run_sweep(sweep, tmp_path, Options(jobs=1))
    stamps = {path: path.stat().st_mtime_ns for path in Store(tmp_path).files()}
    watch = Notes()
    run_sweep(sweep, tmp_path, Options(jobs=1), watch)
    assert watch.todo == []
    assert stamps == {path: path.stat().st_mtime_ns for path in Store(tmp_path).files()}


def test_deep_supervision_changes_the_training_and_leaves_no_heads(example, tmp_path):
    plain = {"steps": 4, "patch": [16, 16, 16], "augmentation": "none"}
    found = []
    for recipe in (plain, plain | {"deep_supervision": True}):
        root = tmp_path / str(len(found))
        run_sweep(make_sweep(seeds=1, recipe=recipe), root, Options(jobs=1))
        found += Store(root)
    (one, deep) = found
    assert (one.status, deep.status) == ("ok", "ok")
    assert one.key != deep.key
    assert one.training != deep.training
    assert one.cost.parameters == deep.cost.parameters


def test_dropout_a_normal_over_logits_and_mirrors_at_test_time_are_cells_of_their_own(
    example, tmp_path
):
    plain = {"steps": 4, "patch": [16, 16, 16], "augmentation": "none"}
    options = ({}, {"stochastic": "dropout"}, {"stochastic": "ssn"}, {"test_time_mirroring": True})
    found = []
    for option in options:
        root = tmp_path / str(len(found))
        run_sweep(make_sweep(seeds=1, recipe=plain | option), root, Options(jobs=1))
        found += Store(root)
    assert [record.status for record in found] == ["ok"] * 4
    assert len({record.key for record in found}) == 4
    normal, dropout, ssn, mirrored = found
    assert dropout.training != normal.training != ssn.training
    assert mirrored.training == normal.training
    assert dropout.cost.parameters == normal.cost.parameters < ssn.cost.parameters


def test_the_record_tells_the_whole_story(example, tmp_path):
    arms = [{"name": "masked-autoencoder", "size": "tiny", "source": "cubes", "volumes": 3}]
    run_sweep(make_sweep(baselines=arms, seeds=1), tmp_path, Options(jobs=1))
    by_arm = {record.arm.strategy: record for record in Store(tmp_path)}
    record, twin = by_arm["self-supervised"], by_arm["scratch"]
    assert record.status == "ok", record.failure
    assert not record.smoke
    assert record.data.train_patients == 2
    assert len(record.cases) == len(record.data.test) == 2
    assert record.weights.volumes == 3
    assert record.weights.audit.loaded_share == 1.0
    assert record.weights.audit.hash_before != record.weights.audit.hash_after
    assert record.weights.cpu_hours > 0
    assert record.cost.steps == 4
    assert record.environment["versions"]["torch"]
    assert twin.weights is None
    assert twin.data.train == record.data.train
    assert record.arm.twin == twin.arm.baseline
    assert str(tmp_path) not in record.model_dump_json()


def test_the_record_tells_what_its_validation_was_of(example, tmp_path):
    recipe = {"steps": 4, "patch": [16, 16, 16], "augmentation": "none", "validations": 1}
    for selection in ("last", "best"):
        own = make_sweep(seeds=1, recipe=recipe | {"selection": selection})
        run_sweep(own, tmp_path / selection, Options(jobs=1))
    (last,), (best,) = Store(tmp_path / "last"), Store(tmp_path / "best")
    assert (last.validation_of, best.validation_of) == ("windows", "cases")
    assert [*last.validation] == [*best.validation] == [4]


def test_the_encoder_alone_or_with_its_decoder_is_an_axis_over_one_set_of_weights(
    example, tmp_path
):
    arm = {"name": "masked-autoencoder", "size": "tiny", "source": "cubes"}
    sweep = make_sweep(baselines=[{**arm, "decoder": [True, False]}], seeds=1, twins=False)
    watch = Notes()
    run_sweep(sweep, tmp_path, Options(jobs=1), watch)
    assert sum(isinstance(job, PretrainingJob) for job in watch.todo) == 1
    label = "masked-autoencoder[size=tiny,source=cubes]"
    both, encoder = sorted(Store(tmp_path), key=lambda record: record.arm.baseline != label)
    assert both.arm.baseline == label
    assert encoder.arm.baseline == "masked-autoencoder[decoder=False,size=tiny,source=cubes]"
    assert both.weights.sha256 == encoder.weights.sha256
    assert both.weights.audit.loaded_total_share == 1.0
    assert encoder.weights.audit.loaded_share == 1.0 > encoder.weights.audit.loaded_total_share


def test_the_pool_gives_the_same_scores_as_one_process(sweep, tmp_path):
    run_sweep(sweep, tmp_path / "one", Options(jobs=1))
    _one_thread(sweep, tmp_path / "inline")
    run_sweep(sweep, tmp_path / "pool", Options(jobs=2, include=[EXAMPLE]))
    assert scores(tmp_path / "pool").keys() == scores(tmp_path / "one").keys()
    assert scores(tmp_path / "pool") == scores(tmp_path / "inline")


def _one_thread(sweep, root: Path) -> None:
    """Run inline with the threads that a worker of a full pool has."""
    from voxbench.cores import threads_each

    worker = Worker(root, sweep.name, threads=threads_each(2))
    jobs = jobs_for(one.cell for one in planned(sweep, root))
    assert len(list(run_inline(Queue(root, jobs), [worker], SILENT.heard))) == 2 * len(jobs)


def test_each_record_says_whether_its_weights_have_seen_the_test_cases(example, tmp_path):
    arms = [{"name": "masked-autoencoder", "size": "tiny", "source": "cubes"}]
    sweep = make_sweep(baselines=arms, seeds=1)
    run_sweep(sweep, tmp_path, Options(jobs=1))
    assert {record.contamination.status for record in Store(tmp_path)} == {"clean"}
    before, wrong = None, Contamination(status="unknown", reason="the ledger has learned since")
    for record, told in zip(list(Store(tmp_path)), (before, wrong), strict=True):
        record.contamination = told
        Store(tmp_path).write(record)
    watch = Notes()
    run_sweep(sweep, tmp_path, Options(jobs=1), watch)
    assert watch.todo == []
    assert {record.contamination.status for record in Store(tmp_path)} == {"clean"}


def test_an_arm_that_asks_for_too_many_volumes_is_left_out_alone(example, tmp_path):
    arms = [{"name": "masked-autoencoder", "size": "tiny", "source": "cubes", "volumes": 99}]
    found = run_sweep(make_sweep(baselines=arms, seeds=1), tmp_path, Options(jobs=1))
    by_state = {one.state: one for one in found}
    assert "ask for 1 to 7" in by_state["skipped"].reason
    assert by_state["cached"].arm.strategy == "scratch"
    assert [record.status for record in Store(tmp_path)] == ["ok"]


def test_one_failing_cell_does_not_stop_the_others(example, tmp_path, monkeypatch):
    (tmp_path / "plugins").mkdir()
    text = BROKEN.format(name="Broken", label="broken", body='raise ValueError("out of luck")')
    (tmp_path / "plugins" / "broken.py").write_text(text)
    from voxbench import plugins

    plugins.include(tmp_path / "plugins")
    arms = [{"name": "broken", "size": "tiny", "source": "cubes"}]
    watch, root = Notes(), tmp_path / "out"
    run_sweep(make_sweep(baselines=arms, seeds=1), root, Options(jobs=1), watch)
    by_status = {record.status: record for record in Store(root)}
    assert "out of luck" in by_status["failed"].failure
    assert by_status["ok"].arm.baseline == "scratch[size=tiny]"
    assert len(watch.outcomes) == 3


def test_a_failed_cell_runs_again_only_when_asked(sweep, tmp_path, monkeypatch):
    def unlucky(*_args):
        raise RuntimeError("out of luck")

    with monkeypatch.context() as patch:
        patch.setattr(fitting, "fit_network", unlucky)
        run_sweep(sweep, tmp_path, Options(jobs=1))
    assert {record.status for record in Store(tmp_path)} == {"failed"}
    watch = Notes()
    run_sweep(sweep, tmp_path, Options(jobs=1), watch)
    assert watch.todo == []
    run_sweep(sweep, tmp_path, Options(jobs=1, retry_failed=True))
    assert {record.status for record in Store(tmp_path)} == {"ok"}


def test_a_worker_that_dies_costs_its_one_cell(example, tmp_path, monkeypatch):
    monkeypatch.setattr(queue, "RETRIES_S", (0.0, 0.0))
    (tmp_path / "plugins").mkdir()
    body = f"import os; os.kill(os.getpid(), {signal.SIGKILL:d})"
    (tmp_path / "plugins" / "deadly.py").write_text(
        BROKEN.format(name="Deadly", label="deadly", body=body)
    )
    from voxbench import plugins

    plugins.include(tmp_path / "plugins")
    sweep = make_sweep(baselines=[{"name": "deadly", "size": "tiny", "source": "cubes"}], seeds=2)
    root, watch = tmp_path / "out", Notes()
    include = [EXAMPLE, tmp_path / "plugins"]
    run_sweep(sweep, root, Options(jobs=2, include=include), watch)
    records = list(Store(root))
    failures = [record.failure for record in records if record.status == "failed"]
    assert len(failures) == 2
    assert all("died with signal 9" in failure for failure in failures)
    assert sum(record.status == "ok" for record in records) == 2


def test_a_limited_run_is_marked_and_kept_apart(sweep, tmp_path):
    run_sweep(sweep, tmp_path, Options(jobs=1, limit=1))
    records = list(Store(tmp_path))
    assert all(record.smoke for record in records)
    assert {len(record.cases) for record in records} == {1}
    assert {record.cost.steps for record in records} == {1}
    watch = Notes()
    run_sweep(sweep, tmp_path, Options(jobs=1), watch)
    assert len(watch.todo) == 2


def test_kept_predictions_score_as_the_record_says(sweep, tmp_path):
    run_sweep(sweep, tmp_path, Options(jobs=1))
    before = scores(tmp_path)
    watch = Notes()
    run_sweep(sweep, tmp_path, Options(jobs=1, predictions=True), watch)
    assert len(watch.todo) == 2
    assert scores(tmp_path) == before
    task = find_task(Ref.of("cubes", {}))
    references = {case.id: case for part in task.cases().values() for case in part}
    for record in Store(tmp_path):
        for case in record.cases:
            kept = read_label_map(prediction_path(tmp_path, record.key, case.case))
            reference, affine = read_reference(references[case.case], task.card)[:2]
            assert np.allclose(kept.affine, affine)
            found = evaluate(kept.array, reference, {"cube": 1}, voxel_sizes(affine), {"cube": 1.0})
            assert found["cube"].dice == case.classes["cube"].dice


def test_a_cell_that_lost_a_prediction_runs_again_when_they_are_asked_for(sweep, tmp_path):
    run_sweep(sweep, tmp_path, Options(jobs=1, predictions=True))
    record = next(iter(Store(tmp_path)))
    prediction_path(tmp_path, record.key, record.cases[0].case).unlink()
    plain, asked = Notes(), Notes()
    run_sweep(sweep, tmp_path, Options(jobs=1), plain)
    run_sweep(sweep, tmp_path, Options(jobs=1, predictions=True), asked)
    assert plain.todo == []
    assert [job.id for job in asked.todo] == [record.key]


def test_a_cell_that_fails_when_run_again_for_its_predictions_keeps_its_record(
    sweep, tmp_path, monkeypatch
):
    run_sweep(sweep, tmp_path, Options(jobs=1))
    before = scores(tmp_path)

    def unlucky(*_args):
        raise RuntimeError("out of luck")

    monkeypatch.setattr(fitting, "fit_network", unlucky)
    watch = Notes()
    run_sweep(sweep, tmp_path, Options(jobs=1, predictions=True), watch)
    assert all("out of luck" in outcome.failure for outcome in watch.outcomes)
    assert {record.status for record in Store(tmp_path)} == {"ok"}
    assert scores(tmp_path) == before


@pytest.mark.slow
def test_a_sweep_killed_at_random_moments_gives_the_same_bytes(tmp_path):
    """kill -9 of the whole process group, at moments that differ each time."""
    import random
    import subprocess
    import sys

    spec = tmp_path / "s.toml"
    spec.write_text(
        'name = "s"\ntasks = ["cubes"]\nfractions = ["2 shots"]\nseeds = 3\n'
        '[[baselines]]\nname = "masked-autoencoder"\nsize = "tiny"\nsource = "cubes"\n'
        "[recipe]\nsteps = 60\npatch = [16, 16, 16]\n"
        "[pretraining]\nsteps = 60\npatch = [16, 16, 16]\n"
    )

    errors = tmp_path / "errors"

    def start(root: str) -> subprocess.Popen:
        code = "from voxbench.cli import main; main()"
        words = ["run", str(spec), "-o", str(tmp_path / root), "--jobs", "2"]
        words += ["--include-path", str(EXAMPLE)]
        environment = {**os.environ, "VOXBENCH_CACHE": str(tmp_path / f"cache-{root}")}
        with errors.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-c", code, *words],
                env=environment,
                start_new_session=True,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    whole = start("whole")
    assert whole.wait(600) == 0, errors.read_text()
    moments, kills = random.Random(0), 0
    deadline = time.monotonic() + 900
    while time.monotonic() < deadline:
        killed = start("killed")
        try:
            # long enough to get beyond the imports, short enough to be cut often
            code = killed.wait(moments.uniform(8, 20) if kills < 10 else 600)
        except subprocess.TimeoutExpired:
            os.killpg(killed.pid, signal.SIGKILL)
            killed.wait()
            kills += 1
            continue
        assert code == 0, errors.read_text()
        if kills >= 10:
            break
        records = Store(tmp_path / "killed").files()
        records[moments.randrange(len(records))].unlink()  # done early: take a cell away
    assert kills >= 10
    assert scores(tmp_path / "killed") == scores(tmp_path / "whole")
