import math
import os

import pytest
from pyarrow import parquet
from voxbench.records import Store
from voxbench.records.table import FILE, refresh_table, stamp_of, write_table

from tests.analyses.records import MASKED, cases, record, scores, stored


@pytest.fixture
def store(tmp_path):
    found = cases(lambda i, c: 0.5 + 0.1 * i, patients=2, classes=("a", "b"))
    found[1].classes["b"] = scores(math.nan, hd95_mm=math.nan, flag="both_empty")
    return stored(tmp_path, record(found, MASKED), record(None, seed=1, failure="boom"))


def load(store):
    return parquet.read_table(refresh_table(store))


def rows(store):
    return load(store).to_pylist()


def test_there_is_a_row_for_each_record_case_and_class(store):
    found = [(row["case"], row["class"], row["dice"]) for row in rows(store) if row["case"]]
    assert [row[:2] for row in found] == [
        ("case0", "a"), ("case0", "b"), ("case1", "a"), ("case1", "b"),
    ]  # fmt: skip
    assert [row[2] for row in found] == pytest.approx([0.5, 0.5, 0.6, math.nan], nan_ok=True)


def test_undefined_is_nan_and_not_null(store):
    table = load(store)
    assert table["dice"].null_count == 0
    assert [row["flag"] for row in rows(store) if math.isnan(row["dice"]) and row["case"]] == [
        "both_empty"
    ]


def test_a_failed_record_has_one_row_with_its_reason(store):
    [row] = [row for row in rows(store) if row["status"] == "failed"]
    assert (row["failure"], row["case"], row["seed"]) == ("boom", None, 1)
    assert row["fit_seconds"] is None


def test_costs_and_names_stand_in_every_row(store):
    row = rows(store)[0]
    assert row["baseline"] == MASKED
    assert (row["fit_seconds"], row["pretraining_cpu_hours"]) == (10.0, 0.25)
    assert row["train_patients"] == 3


def test_the_table_follows_the_records(store):
    before = load(store).num_rows
    store.write(record(cases(lambda i, c: 0.5, patients=3), seed=2))
    assert load(store).num_rows == before + 3
    store.path(record(None, seed=1).key).unlink()
    assert load(store).num_rows == before + 2


def test_the_table_is_not_made_again_while_the_records_stay(store):
    load(store)
    os.utime(store.root / FILE, ns=(0, 0))
    load(store)
    assert (store.root / FILE).stat().st_mtime_ns == 0


def test_a_damaged_table_is_made_again(store):
    refresh_table(store).write_bytes(b"PAR1 torn")
    assert load(store).num_rows == 5


def test_a_write_that_fails_leaves_the_old_table_and_no_litter(store, monkeypatch):
    before = refresh_table(store).read_bytes()
    store.write(record(None, seed=2))
    monkeypatch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "disk full")))
    with pytest.raises(OSError, match="disk full"):
        refresh_table(store)
    assert (store.root / FILE).read_bytes() == before
    assert sorted(path.name for path in store.root.iterdir()) == ["records", FILE]


def test_the_same_records_give_the_same_bytes(store):
    before = refresh_table(store).read_bytes()
    (store.root / FILE).unlink()
    assert refresh_table(store).read_bytes() == before


def test_an_empty_store_has_an_empty_table_with_all_columns(tmp_path):
    table = load(Store(tmp_path))
    assert table.num_rows == 0
    assert {"key", "case", "class", "dice", "nsd", "hd95_mm"} <= set(table.column_names)


def test_a_record_that_came_after_the_stamp_was_taken_outdates_the_table(store):
    stamp, records = stamp_of(store), list(store.scored())
    store.write(record(None, seed=2))
    write_table(store, stamp, records)
    assert {row["seed"] for row in rows(store)} == {0, 1, 2}
