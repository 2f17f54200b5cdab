"""What happens to the data while a sweep runs is noticed, and mended where it can be."""

import shutil

import pytest
from voxbench.data import cache, cell_data
from voxbench.records import Store
from voxbench.running.options import Options
from voxbench.running.sweep import run_sweep

from tests.running.conftest import Notes, make_sweep


class After(Notes):
    """Does something once the first cell is over."""

    def __init__(self, what) -> None:
        super().__init__()
        self.what = what

    def finished(self, outcome) -> None:
        super().finished(outcome)
        if len(self.outcomes) == 1:
            self.what()


@pytest.fixture
def own_sweep(example, tmp_path, monkeypatch):
    """Two cells on cubes of the test's own, with a cache of its own."""
    monkeypatch.setenv("VOXBENCH_CACHE", str(tmp_path / "cache"))
    cell_data._prepared.cache_clear()
    return make_sweep(tasks=[{"name": "cubes", "root": str(tmp_path / "cubes")}])


@pytest.mark.parametrize("kind", ["label", "image"])
def test_a_file_that_is_replaced_between_two_cells_is_not_used_under_the_old_key(
    own_sweep, tmp_path, kind
):
    def replace():
        for path in (tmp_path / "cubes").glob(f"*_{kind}.nii.gz"):
            shutil.copy(tmp_path / "cubes" / f"000_{kind}.nii.gz", path.with_suffix(".new"))
            path.with_suffix(".new").replace(path)

    watch = After(replace)
    run_sweep(own_sweep, tmp_path / "out", Options(jobs=1), watch)
    first, second = watch.outcomes
    assert first.failure is None
    assert "has changed since the sweep was planned" in second.failure
    keys = {record.key for record in Store(tmp_path / "out")}
    again = run_sweep(own_sweep, tmp_path / "other", Options(jobs=1))
    assert keys.isdisjoint(one.key for one in again)
    assert {one.state for one in again} == {"cached"}


def test_a_cache_that_is_deleted_or_damaged_between_two_cells_is_made_again(own_sweep, tmp_path):
    def delete():
        shutil.rmtree(cache.prepared_folder())

    def damage():
        for path in cache.prepared_folder().glob("*/image.npy"):
            path.write_bytes(b"")

    for name, fault in (("whole", lambda: None), ("deleted", delete), ("damaged", damage)):
        run_sweep(own_sweep, tmp_path / name, Options(jobs=1), After(fault))
    records = {
        name: [
            record.model_dump_json(include={"key", "status", "cases"})
            for record in Store(tmp_path / name)
        ]
        for name in ("whole", "deleted", "damaged")
    }
    assert records["deleted"] == records["damaged"] == records["whole"]
    assert '"status":"ok"' in records["whole"][0]
