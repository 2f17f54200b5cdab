"""The plan says what is cached, missing, failed and skipped, and why."""

from voxbench.running.options import Options
from voxbench.running.sweep import run_sweep

from tests.running.conftest import make_sweep, planned


def states(sweep, root) -> dict[str, int]:
    found = [cell.state for cell in planned(sweep, root)]
    return {state: found.count(state) for state in found}


def test_everything_is_missing_at_first_and_cached_afterwards(sweep, tmp_path):
    assert states(sweep, tmp_path) == {"missing": 2}
    run_sweep(sweep, tmp_path, Options(jobs=1))
    assert states(sweep, tmp_path) == {"cached": 2}


def test_the_cost_is_known_once_a_cell_of_the_kind_has_run(sweep, tmp_path):
    more = make_sweep(seeds=3)
    assert all(cell.seconds is None for cell in planned(more, tmp_path))
    run_sweep(sweep, tmp_path, Options(jobs=1))
    missing = [c for c in planned(more, tmp_path) if c.state == "missing"]
    assert [cell.seconds > 0 for cell in missing] == [True]


def test_more_shots_than_patients_are_skipped(example, tmp_path):
    cells = planned(make_sweep(fractions=["99 shots"]), tmp_path)
    assert {cell.state for cell in cells} == {"skipped"}
    assert "99 shots of 7 training patients" in cells[0].reason


def test_missing_weights_are_skipped_with_the_way_out(example, tmp_path):
    arms = [{"name": "imagenet-inflated", "weights": "nowhere.pth"}]
    cells = planned(make_sweep(baselines=arms), tmp_path)
    skipped = [cell for cell in cells if cell.state == "skipped"]
    assert len(skipped) == 2
    assert "nowhere.pth: no such file" in skipped[0].reason


def test_the_split_is_frozen_in_the_output_folder(sweep, tmp_path):
    planned(sweep, tmp_path)
    assert (tmp_path / "splits" / "example-cubes.json").is_file()


def test_changed_data_make_new_keys(example, tmp_path):
    def keys(**fields):
        tasks = [{"name": "cubes", **fields}]
        cells = planned(make_sweep(tasks=tasks), tmp_path / str(fields))
        return {cell.key for cell in cells}

    first = keys(root=str(tmp_path / "a"))
    assert keys(root=str(tmp_path / "b")) == first
    image = sorted((tmp_path / "b").glob("*_image.nii.gz"))[0]
    image.write_bytes((tmp_path / "a" / "001_image.nii.gz").read_bytes())
    assert not keys(root=str(tmp_path / "b")) & first
