"""Records are written whole or not at all, and read back as they were."""

import json
import math

import pytest
from voxbench.errors import RecordError
from voxbench.records import Record, Store
from voxbench.records.case_scores import CaseScores, ClassScores
from voxbench.records.record import Arm


def record(key: str = "k", **changes) -> Record:
    arm = Arm(
        task="t", baseline="b", twin=None, strategy="scratch", network="unet-tiny",
        fraction="100%", draw=0, seed=0, adaptation="full",
    )  # fmt: skip
    scores = ClassScores(
        dice=math.nan, nsd=0.5, hd95_mm=2.0, volume_mm3_prediction=0, volume_mm3_reference=0
    )
    cases = [CaseScores(case="1", patient="p", classes={"c": scores})]
    values = {
        "key": key, "status": "ok", "smoke": False, "sweep": "s", "arm": arm, "cell": {},
        "environment": {}, "seeds": {}, "cases": cases,
    }  # fmt: skip
    return Record(**{**values, **changes})


def test_undefined_survives_json_as_null(tmp_path):
    store = Store(tmp_path)
    store.write(record())
    assert '"dice": null' in store.path("k").read_text()
    read = store.read("k")
    assert math.isnan(read.cases[0].classes["c"].dice)
    assert read.cases[0].classes["c"].nsd == 0.5


def test_a_record_from_before_its_validation_was_told_stays_what_it_is(tmp_path):
    store, found = Store(tmp_path), [record("old"), record("new", validation_of="windows")]
    for one in found:
        store.write(one)
    assert "validation_of" not in store.path("old").read_text()
    assert [store.read(one.key).validation_of for one in found] == [None, "windows"]


def test_a_missing_record_is_none(tmp_path):
    assert Store(tmp_path).read("k") is None
    assert list(Store(tmp_path)) == []


def test_records_come_in_the_order_of_their_keys(tmp_path):
    store = Store(tmp_path)
    for key in "cab":
        store.write(record(key))
    assert [found.key for found in store] == ["a", "b", "c"]


def test_records_lie_in_folders_by_the_start_of_their_keys(tmp_path):
    Store(tmp_path).write(record("abc"))
    assert Store(tmp_path).files() == [tmp_path / "records" / "ab" / "abc.json"]


def test_a_flat_folder_of_before_is_read_and_stays_flat(tmp_path):
    (tmp_path / "records").mkdir()
    for key in ("bb1", "aa1"):
        (tmp_path / "records" / f"{key}.json").write_text(record(key).model_dump_json(indent=1))
    store = Store(tmp_path)
    store.write(record("bb1", sweep="again"))
    store.write(record("ab1"))
    assert [found.key for found in store] == ["aa1", "ab1", "bb1"]
    assert [found.key for found in store.glances()] == ["aa1", "ab1", "bb1"]
    assert store.read("bb1").sweep == "again"
    assert {path.parent for path in store.files()} == {tmp_path / "records"}


def test_a_record_that_is_there_in_both_ways_counts_once_and_is_the_one_that_is_found(tmp_path):
    Store(tmp_path).write(record("ab1", sweep="sharded"))
    (tmp_path / "records" / "ab1.json").write_text(record("ab1", sweep="flat").model_dump_json())
    store = Store(tmp_path)
    [found] = store
    assert found.sweep == store.read("ab1").sweep == store.facts("ab1").sweep
    assert store.files() == [store.path("ab1")]
    assert [one.key for one in store.glances()] == ["ab1"]


@pytest.mark.parametrize("text", ["", "{", '{"key": 1}', "[]"])
def test_a_damaged_record_is_named_with_the_way_out(tmp_path, text):
    store = Store(tmp_path)
    store.write(record())
    store.path("k").write_text(text)
    with pytest.raises(RecordError, match=r"k\.json: not a record .*move it away"):
        store.read("k")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"schema_version": 99}, "has schema 99, this one reads 1; use the version"),
        ({"schema_version": 99, "cell": 3, "novel": 1}, "has schema 99"),
        ({"novel": 1}, "has a field 'novel', unknown here; use the version"),
    ],
)
def test_a_record_of_a_later_version_is_refused_and_not_called_damaged(tmp_path, changes, told):
    store = Store(tmp_path)
    store.write(record())
    later = {**json.loads(store.path("k").read_text()), **changes}
    store.path("k").write_text(json.dumps(later, indent=1))
    for read in (lambda: store.read("k"), lambda: list(store), lambda: list(store.scored())):
        with pytest.raises(RecordError) as caught:
            read()
        assert told in str(caught.value)
        assert "delete" not in str(caught.value)


def test_a_failed_write_leaves_the_old_record_and_no_rest(tmp_path, monkeypatch):
    store = Store(tmp_path)
    store.write(record())
    before = store.path("k").read_bytes()

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("voxbench.files.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.write(record(sweep="other"))
    assert store.path("k").read_bytes() == before
    assert [path.name for path in store.folder.rglob("*.*")] == ["k.json"]
