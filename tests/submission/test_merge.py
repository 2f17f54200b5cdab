"""A verified bundle comes into the results whole or not at all, and only once."""

import json
import shutil

import pytest
from voxbench import files
from voxbench.errors import BundleError
from voxbench.records import Store
from voxbench.submission.evidence import Evidence
from voxbench.submission.merge import merge
from voxbench.submission.pack import pack
from voxbench.submission.verify import verify_bundle

from tests.submission.made import bundle, members


@pytest.fixture
def packed(finished, tmp_path):
    pack(finished, tmp_path / "b.zip", contact="a@b.org", source="a paper")
    return tmp_path / "b.zip"


def everything(folder) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_records_are_added_byte_for_byte_with_their_provenance(packed, finished, tmp_path):
    results = tmp_path / "results"
    verification = verify_bundle(packed, Evidence(results))
    merged = merge(verification, results)
    assert (len(merged.new), merged.known) == (8, [])
    for path in Store(finished).files():
        assert Store(results).path(path.stem).read_bytes() == path.read_bytes()
    told = json.loads((results / "submissions" / "tiny.json").read_bytes())
    assert told["bundle_sha256"] == verification.bundle.sha256
    assert (told["contact"], told["source"]) == ("a@b.org", "a paper")
    assert told["records"] == sorted(verification.bundle.records)


def test_adding_twice_changes_nothing(packed, tmp_path):
    results = tmp_path / "results"
    merge(verify_bundle(packed, Evidence(results)), results)
    before = everything(results)
    again = merge(verify_bundle(packed, Evidence(results)), results)
    assert (again.new, len(again.known)) == ([], 8)
    assert everything(results) == before


def test_a_bundle_with_errors_is_not_added(finished, tmp_path):
    def change(record):
        record.cases[0].classes["large"].dice = 2.0

    verification = verify_bundle(
        bundle(tmp_path / "b.zip", members(finished, change)), Evidence(None)
    )
    with pytest.raises(BundleError, match="not added, the bundle has errors: Dice"):
        merge(verification, tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_another_record_of_the_same_key_is_never_overwritten(packed, finished, tmp_path):
    results = tmp_path / "results"
    verification = verify_bundle(packed, Evidence(None))
    taken = next(iter(Store(finished)))
    taken.sweep = "an older one"
    Store(results).write(taken)
    before = everything(results)
    with pytest.raises(BundleError, match=rf"{taken.key}\.json: another record of this key"):
        merge(verification, results)
    assert everything(results) == before


def failing(finished, results) -> None:
    """A failed record in the results, of a cell that the bundle has."""
    failed = next(iter(Store(finished))).model_copy(
        update={"status": "failed", "cases": [], "failure": "killed"}
    )
    Store(results).write(failed)


def test_a_failed_record_gives_way_to_a_good_one(packed, finished, tmp_path):
    results = tmp_path / "results"
    failing(finished, results)
    merged = merge(verify_bundle(packed, Evidence(results)), results)
    assert (len(merged.new), merged.known) == (8, [])
    for path in Store(finished).files():
        assert Store(results).path(path.stem).read_bytes() == path.read_bytes()


def test_a_failed_record_is_back_after_a_write_that_fails(packed, finished, tmp_path, monkeypatch):
    results = tmp_path / "results"
    failing(finished, results)
    verification, before = verify_bundle(packed, Evidence(results)), everything(results)

    def full(path, content):
        if path.parent.name == "submissions":
            raise OSError(28, "No space left on device")
        files.write_atomically(path, content)

    monkeypatch.setattr("voxbench.submission.merge.write_atomically", full)
    with pytest.raises(OSError, match="No space"):
        merge(verification, results)
    assert everything(results) == before


def test_a_verdict_of_a_newer_ledger_is_no_difference(packed, tmp_path):
    results = tmp_path / "results"
    merge(verify_bundle(packed, Evidence(results)), results)
    store = Store(results)
    for record in store:
        record.contamination.reason = "looked up again"
        store.write(record)
    assert len(merge(verify_bundle(packed, Evidence(results)), results).known) == 8


def test_another_bundle_of_the_same_name_is_refused(packed, finished, run, tmp_path):
    results = tmp_path / "results"
    merge(verify_bundle(packed, Evidence(results)), results)
    other = tmp_path / "other.zip"
    pack(finished, other, name="tiny")
    with pytest.raises(BundleError, match="another bundle was added under this name"):
        merge(verify_bundle(other, Evidence(results)), results)


@pytest.mark.parametrize("nth", [0, 3, 8])
def test_a_write_that_fails_leaves_the_results_as_they_were(packed, tmp_path, monkeypatch, nth):
    results = tmp_path / "results"
    (results / "records").mkdir(parents=True)
    (results / "README.md").write_text("kept")
    verification, written = verify_bundle(packed, Evidence(None)), []

    def full(path, content):
        if len(written) == nth:
            raise OSError(28, "No space left on device")
        written.append(path)
        files.write_atomically(path, content)

    monkeypatch.setattr("voxbench.submission.merge.write_atomically", full)
    with pytest.raises(OSError, match="No space"):
        merge(verification, results)
    assert len(written) == nth
    assert everything(results) == {"README.md": b"kept"}


def test_a_crash_is_completed_by_adding_again(packed, tmp_path):
    results = tmp_path / "results"
    verification = verify_bundle(packed, Evidence(None))
    merge(verification, results)
    whole = everything(results)
    shutil.rmtree(results / "submissions")
    Store(results).files()[0].unlink()
    assert len(merge(verification, results).new) == 1
    assert everything(results) == whole
