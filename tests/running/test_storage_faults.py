"""A disk that is full or may not be written to ends a run in one line, and loses nothing."""

import errno
import os
from pathlib import Path

import pytest
from voxbench import files
from voxbench.errors import StorageError
from voxbench.files import temporary_beside
from voxbench.records import Store
from voxbench.running import fitting, queue
from voxbench.running.options import Options
from voxbench.running.sweep import run_sweep

from tests.running.conftest import EXAMPLE, Notes


def spec_of(folder: Path) -> Path:
    """A sweep of one small cell."""
    path = folder / "s.toml"
    path.write_text(
        'name = "s"\ntasks = ["cubes"]\nseeds = 1\n[[baselines]]\nname = "scratch"\nsize = "tiny"\n'
        "[recipe]\nsteps = 1\npatch = [16, 16, 16]\n"
    )
    return path


@pytest.mark.parametrize("kind", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_full_disk_ends_the_run_and_stores_no_failure(sweep, tmp_path, monkeypatch, kind):
    sync, left = os.fsync, iter([True] * 2)  # enough for the frozen split and the first record

    def full(handle):
        if "records" in str(Path(f"/proc/self/fd/{handle}").readlink()) and not next(left, False):
            raise OSError(kind, os.strerror(kind))
        sync(handle)

    next(left)
    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", full)
        with pytest.raises(StorageError) as caught:
            run_sweep(sweep, tmp_path, Options(jobs=1))
    told = str(caught.value)
    assert str(tmp_path / "records") in told
    assert "Nothing is lost: run it again" in told
    assert "\n" not in told
    assert [record.status for record in Store(tmp_path)] == ["ok"]
    watch = Notes()
    run_sweep(sweep, tmp_path, Options(jobs=1), watch)
    assert len(watch.outcomes) == 1
    assert {record.status for record in Store(tmp_path)} == {"ok"}


def test_the_command_tells_a_full_disk_in_one_line(voxbench, tmp_path, monkeypatch):
    def full(*_args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / "x.ckpt"))

    monkeypatch.setattr(fitting, "fit_network", full)
    words = ("run", spec_of(tmp_path), "-o", tmp_path / "o", "-j", "0", "--include-path", EXAMPLE)
    code, _, told = voxbench(*words)
    assert code == 2
    assert f"voxbench: {tmp_path / 'x.ckpt'}: no space is left on its disk" in told
    assert "Traceback" not in told
    assert list(Store(tmp_path / "o")) == []


def test_what_the_machine_did_is_tried_again_and_what_the_cell_did_is_not(
    sweep, tmp_path, monkeypatch
):
    monkeypatch.setattr(queue, "RETRIES_S", (0.0, 0.0))
    fit, errors = fitting.fit_network, [MemoryError("31 GiB"), ConnectionError("reset")]

    def unlucky(*given):
        if errors:
            raise errors.pop(0)
        return fit(*given)

    monkeypatch.setattr(fitting, "fit_network", unlucky)
    run_sweep(sweep, tmp_path, Options(jobs=1))
    assert {record.status for record in Store(tmp_path)} == {"ok"}

    tried = []

    def hopeless(*_given):
        tried.append(1)
        raise (MemoryError("31 GiB") if len(tried) <= 3 else ValueError("odd shape"))

    monkeypatch.setattr(fitting, "fit_network", hopeless)
    run_sweep(sweep, tmp_path / "other", Options(jobs=1))
    first, second = sorted(Store(tmp_path / "other"), key=lambda record: record.arm.seed)
    assert first.failure.startswith("out of memory (MemoryError: 31 GiB); set recipe.micro_batch")
    assert "odd shape" in second.failure
    assert len(tried) == 4


def test_leavings_of_killed_runs_are_removed(sweep, tmp_path):
    for name in ("records", "checkpoints", "predictions/k"):
        left = temporary_beside(tmp_path / name / "x")
        left.parent.mkdir(parents=True)
        (left.parent / left.name.replace(f"-{os.getpid()}-", "-4194303-")).write_text("half")
    run_sweep(sweep, tmp_path, Options(jobs=1))
    (record, *_) = Store(tmp_path)
    (tmp_path / "checkpoints" / f"{record.key}.ckpt").write_text("of a run that was slower")
    run_sweep(sweep, tmp_path, Options(jobs=1))
    assert not list(tmp_path.rglob("*.tmp"))
    assert not list(tmp_path.rglob("*.ckpt"))


def test_an_interrupted_run_says_in_one_line_how_to_go_on(voxbench, tmp_path, monkeypatch):
    def interrupt(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(fitting, "fit_network", interrupt)
    words = ("run", spec_of(tmp_path), "-o", tmp_path / "o", "-j", "0", "--include-path", EXAMPLE)
    code, _, told = voxbench(*words)
    assert code == 130
    assert told.splitlines()[-1] == "voxbench: interrupted; the same command takes it up again."
    assert "Traceback" not in told
