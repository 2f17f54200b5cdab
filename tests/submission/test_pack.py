"""What is packed comes out again, the same bytes for the same records."""

import json
import os
import zipfile

import pytest
from pydantic import ValidationError
from voxbench.errors import BundleError, RecordError
from voxbench.records import Store
from voxbench.records.predictions import prediction_path
from voxbench.records.provenance import Imported
from voxbench.submission.bundle import open_bundle
from voxbench.submission.evidence import Evidence
from voxbench.submission.manifest import Manifest, Submitter
from voxbench.submission.pack import pack
from voxbench.submission.verify import verify_bundle


def test_records_and_label_maps_come_out_as_they_were(finished, tmp_path):
    out = tmp_path / "bundle.zip"
    packed = pack(finished, out, contact="a@b.org", with_predictions=True)
    with open_bundle(out) as bundle:
        assert bundle.records == {record.key: record for record in Store(finished)}
        assert bundle.diagnostics == []
        assert bundle.sha256 == packed.sha256
        assert bundle.manifest.submitter.name == "tiny"
        assert bundle.manifest.submitter.contact == "a@b.org"
        first = packed.records[0]
        case = first.cases[0].case
        given = bundle.read_map(first.key, case)
        assert given.labels.shape == (20, 18, 16)
        assert set(given.labels.ravel().tolist()) == {0, 1, 2}
    assert (len(packed.records), packed.label_maps) == (8, 8 * 4)


def test_the_same_folder_gives_the_same_bytes(finished, tmp_path):
    sums = {pack(finished, tmp_path / name, with_predictions=True).sha256 for name in "ab"}
    assert len(sums) == 1


def test_the_bundle_is_as_old_as_its_newest_record(run, tmp_path):
    for path in Store(run).files():
        os.utime(path, (1_000_000_000, 1_000_000_000))
    pack(run, tmp_path / "b.zip")
    with open_bundle(tmp_path / "b.zip") as bundle:
        assert bundle.manifest.created == "2001-09-09T01:46:40Z"


def test_members_are_plain_files_in_order(finished, tmp_path):
    pack(finished, tmp_path / "b.zip", with_predictions=True)
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        names = archive.namelist()
        assert names[0] == "manifest.json"
        assert names[1:] == sorted(names[1:])
        assert {info.date_time[0] for info in archive.infolist()} == {1980}


def change(root, count, **values):
    """Change some of a folder's records; their keys."""
    store, keys = Store(root), []
    for record in list(store)[:count]:
        store.write(record.model_copy(update=values))
        keys.append(record.key)
    return keys


def test_smoke_runs_and_imported_scores_are_left_out_and_named(run, tmp_path):
    [smoke] = change(run, 1, smoke=True)
    packed = pack(run, tmp_path / "b.zip")
    assert packed.left_out == {smoke: "a smoke run, which measures nothing"}
    assert len(packed.records) == 7
    imported = Imported(layout="wide", source="Somebody 2024", files={})
    [key] = change(run, 1, smoke=False, imported=imported)
    assert "Somebody 2024" in pack(run, tmp_path / "b.zip").left_out[key]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"smoke": True}, r"nothing to submit \(8 × a smoke run"),
        ({"status": "failed"}, "all 8 cells failed; voxbench status"),
        ({"sweep": "a sweep & more"}, "can't be submitted"),
    ],
)
def test_a_folder_with_nothing_to_submit_is_refused(run, tmp_path, values, message):
    change(run, 8, **values)
    with pytest.raises((BundleError, RecordError), match=message):
        pack(run, tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(BundleError, match="no records there"):
        pack(tmp_path, tmp_path / "b.zip")


def test_records_of_two_sweeps_need_a_name(run, tmp_path):
    change(run, 1, sweep="other")
    with pytest.raises(BundleError, match=r"several sweeps .other, tiny.; give --name"):
        pack(run, tmp_path / "b.zip")
    assert pack(run, tmp_path / "b.zip", name="mine").records


@pytest.mark.parametrize("name", ["../up", "Upper", "", "a" * 65, "a b", "ä"])
def test_a_name_is_a_plain_one(finished, tmp_path, name):
    with pytest.raises(BundleError, match=r"--name .*lower-case"):
        pack(finished, tmp_path / "b.zip", name=name or " ")


def test_more_than_a_bundle_holds_is_refused_when_it_is_packed(finished, tmp_path, monkeypatch):
    monkeypatch.setattr("voxbench.submission.pack.MOST_PACKED", 1000)
    with pytest.raises(BundleError, match=r"8 files of .* pack without --predictions"):
        pack(finished, tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()


def test_a_missing_label_map_is_named_with_the_way_out(run, tmp_path):
    record = next(iter(Store(run)))
    path = prediction_path(run, record.key, record.cases[0].case)
    path.unlink()
    with pytest.raises(BundleError, match=r"no such label map .*--predictions"):
        pack(run, tmp_path / "b.zip", with_predictions=True)
    path.write_bytes(b"something else")
    with pytest.raises(BundleError, match="no label map of voxbench"):
        pack(run, tmp_path / "b.zip", with_predictions=True)


def test_places_of_a_machine_are_packed_by_no_record(run, tmp_path):
    first, second, *_ = Store(run)
    path = Store(run).path(first.key)
    told = json.loads(path.read_text())
    told["data"]["notes"] = ["split from /home/alice/lab/splits.json"]
    path.write_text(json.dumps(told))
    pack(run, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as bundle:
        assert b"alice" not in bundle.read(f"records/{first.key}.json")
    assert verify_bundle(tmp_path / "b.zip", Evidence(None)).verified
    path = Store(run).path(second.key)
    told = json.loads(path.read_text())
    told["environment"]["scratch"] = "/home/alice/scratch/x"
    path.write_text(json.dumps(told))
    with pytest.raises(RecordError, match="tells a place, user or host"):
        pack(run, tmp_path / "b.zip")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("source", "javascript:alert(1)"),
        ("source", "file:///home/alice/paper.pdf"),
        ("source", "https://alice:secret@example.org/"),
        ("source", "https://"),
        ("source", "/home/alice/paper.pdf"),
        ("contact", "data:text/html,x"),
        ("created", "2026-13-40T99:99:99Z"),
        ("created", "2999-01-01T00:00:00Z"),
    ],
)
def test_dates_and_addresses_of_a_manifest_are_real_ones(field, value):
    good = {"name": "x", "contact": "mailto:a@b.org", "source": "https://example.org/paper?x=1"}
    told = {"voxbench": "1", "created": "2026-01-01T00:00:00Z", "members": {}}
    Manifest(**told, submitter=Submitter(**good))
    if field == "created":
        with pytest.raises(ValidationError):
            Manifest(**(told | {field: value}), submitter=Submitter(**good))
    else:
        with pytest.raises(ValidationError):
            Submitter(**(good | {field: value}))
