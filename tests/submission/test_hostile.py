"""Archives of somebody who means harm end in one clear line, before anything is unpacked."""

import json
import re
import struct
import warnings
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voxbench.errors import BundleError
from voxbench.submission import archive as limits
from voxbench.submission.bundle import open_bundle
from voxbench.submission.evidence import Evidence
from voxbench.submission.verify import verify_bundle

from tests.submission.made import MANIFEST, archive, bundle, manifest, maps, members

RECORD = "records/" + "0" * 20 + ".json"


def refuse(tmp_path, content: bytes, message: str) -> None:
    path = tmp_path / "hostile.zip"
    path.write_bytes(content)
    with pytest.raises(BundleError, match=message) as told, open_bundle(path):
        pass
    assert "\n" not in str(told.value)
    assert [file.name for file in tmp_path.iterdir() if file != path] in ([], ["run"])


def entry(name: str, **changes) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    for field, value in changes.items():
        setattr(info, field, value)
    return info


@pytest.mark.parametrize(
    "name",
    [
        "../escaped.json", "records/../../etc/passwd", "/etc/passwd", "C:/x.json",
        "records\\x.json", "\\\\host\\share.json",
        "records/short.json", "extra.txt", "records/", "records/a/b.json",
        "Records/" + "0" * 20 + ".json", "records/" + "0" * 19 + "А.json",
        f"predictions/{'0' * 20}/../x.nii.gz", f"predictions/{'0' * 20}/.hidden.nii.gz",
        f"predictions/{'0' * 20}/a:b.nii.gz", f"predictions/{'0' * 20}/a\u202egnp.nii.gz",
        f"predictions/{'0' * 20}/a\u200bb.nii.gz", f"predictions/{'0' * 20}/e\u0301.nii.gz",
        f"predictions/{'0' * 20}/a\x1b[2J.nii.gz", "manifest.json ", "\uff4danifest.json",
    ],
)  # fmt: skip
def test_a_member_that_no_bundle_has_is_refused(tmp_path, name):
    content = archive([(entry(MANIFEST), b"{}"), (entry(name), b"x")])
    refuse(tmp_path, content, "has no place in a bundle")


def test_a_name_with_a_null_byte_is_refused(tmp_path):
    padded = RECORD + "xx"
    content = archive({padded: b"{}"}).replace(padded.encode(), RECORD.encode() + b"\0x")
    refuse(tmp_path, content, "has no place in a bundle")


@pytest.mark.parametrize("mode", [0o120777, 0o040755, 0o020644, 0o010644, 0o140644])
def test_links_folders_and_devices_are_refused(tmp_path, mode):
    content = archive([(entry(RECORD, external_attr=mode << 16), b"/etc/passwd")])
    refuse(tmp_path, content, "is no plain file")


@pytest.mark.parametrize(
    "twin", [RECORD, f"predictions/{'0' * 20}/CASE.nii.gz", f"predictions/{'0' * 20}/ﬁ.nii.gz"]
)
def test_doubled_names_are_refused_also_on_systems_without_case(tmp_path, twin):
    other = twin.lower().replace("ﬁ", "fi") if "pred" in twin else twin
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile's own, on writing a name twice
        content = archive([(entry(twin), b"1"), (entry(other), b"2")])
    refuse(tmp_path, content, "is there twice")


def patched(content: bytes, offset: int, value: bytes) -> bytes:
    """Bytes of the first entry of the central directory replaced."""
    at = content.index(b"PK\1\2") + offset
    return content[:at] + value + content[at + len(value) :]


@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [
        (8, b"\x01\0", "is encrypted"),
        (8, b"\x40\0", "no use for"),
        (10, struct.pack("<H", 14), "another method than deflate"),
        (24, struct.pack("<I", 9 << 20), "at most 8,388,608 are read"),
        (24, struct.pack("<I", 1 << 20), "would grow from"),
        (20, struct.pack("<I", 1 << 30), "members overlap"),
    ],
)
def test_what_the_directory_says_is_judged_first(tmp_path, offset, value, message):
    refuse(tmp_path, patched(archive({RECORD: b"{}" * 50}), offset, value), message)


def test_a_bomb_is_refused_by_its_ratio(tmp_path):
    refuse(tmp_path, archive({RECORD: b" " * (8 << 20)}), "would grow from")


def test_a_member_that_lies_about_its_size_is_read_no_further(tmp_path):
    raw = b'{"a": 1}' * 400
    for size in (64, len(raw) + 64):
        listed = manifest({RECORD: b"x" * size})
        content = archive({RECORD: raw, MANIFEST: listed})
        refuse(tmp_path, patched(content, 24, struct.pack("<I", size)), "is damaged")


def test_overlapping_members_are_refused(tmp_path):
    raw = bytes(range(256)) * 20
    content = bytearray(archive({RECORD: raw, f"records/{'1' * 20}.json": raw}))
    second = content.rindex(b"PK\1\2")
    first = content.index(b"PK\1\2")
    content[second + 42 : second + 46] = content[first + 42 : first + 46]
    path = tmp_path / "hostile.zip"
    path.write_bytes(bytes(content))
    with pytest.raises(BundleError), open_bundle(path):
        pass


@pytest.mark.parametrize("cut", [1, 22, 100, 2000])
def test_a_truncated_archive_is_refused(tmp_path, finished, cut):
    whole = archive({MANIFEST: b"{}", **members(finished)})
    refuse(tmp_path, whole[:-cut], "cut off|no zip archive")


def test_something_before_or_after_the_archive_is_refused(tmp_path):
    whole = archive({MANIFEST: b"{}"})
    refuse(tmp_path, whole + b"tail", "something after its end")
    refuse(tmp_path, b"#!/bin/sh\n" + whole, "does not lie where its end says")


def test_a_zip64_locator_is_refused(tmp_path):
    whole = archive({MANIFEST: b"{}"})
    info = entry(MANIFEST, comment=b"PK\6\7" + b"\0" * 16)
    refuse(tmp_path, archive([(info, b"{}")]), "zip64")
    refuse(tmp_path, whole[:-14] + b"\xff\xff\xff\xff" + whole[-10:], "zip64")


def test_too_many_members_are_refused_before_they_are_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MOST_MEMBERS", 3)
    content = archive({f"records/{i:020}.json": b"{}" for i in range(4)})
    refuse(tmp_path, content, "4 members; at most 3")


def test_all_records_together_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MOST_TEXT", 100)
    refuse(tmp_path, archive({RECORD: b"{}" * 51}), "its records hold 102 bytes")


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip" * 50, b"\x1f\x8b" + b"\0" * 90])
def test_another_file_is_refused(tmp_path, content):
    refuse(tmp_path, content, "no zip archive")


def test_a_missing_file_and_a_folder_are_one_line(tmp_path):
    for place in (tmp_path / "nowhere.zip", tmp_path):
        with pytest.raises(BundleError, match="can't be read as a bundle"), open_bundle(place):
            pass


GOOD = manifest({RECORD: b"{}"}).decode()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "can't be read"),
        ("[" * 100_000, "nested deeper"),
        ('{"a":' * 40 + "1" + "}" * 40, "nested deeper"),
        (GOOD.replace('"format":1', '"format":2'), "format"),
        (GOOD.replace('"format":1', '"format":NaN'), "NaN is no JSON"),
        (GOOD.replace('"format":1', '"format":1e999'), "out of range"),
        (GOOD.replace('"format":1', '"format":' + "9" * 5000), "can't be read"),
        (GOOD.replace('"format":1', '"format":1,"format":1'), "named twice"),
        (GOOD.replace('"format":1', '"format":1,"more":1'), "more: Extra inputs"),
        (GOOD.replace('"size":2', '"size":"2"'), "size"),
        (GOOD.replace('"size":2', '"size":-2'), "size"),
        (GOOD.replace('"size":2', '"size":3'), "not what the manifest lists"),
        (GOOD.replace("somebody", "../../etc"), "name"),
        (GOOD.replace("somebody", "\\ud800"), "can't be read"),
        (GOOD.replace("0.1.0", "<script>"), "none of"),
        (GOOD.replace("0.1.0", "\\u001b[2J"), "none of"),
        (GOOD.replace("records/0", "records/1"), "not what the manifest lists"),
        ("[1]", "valid dictionary|valid object|object"),
    ],
)
def test_a_wrong_manifest_is_one_clear_line(tmp_path, text, message):
    refuse(tmp_path, archive({MANIFEST: text.encode(), RECORD: b"{}"}), message)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    refuse(tmp_path, archive({MANIFEST: b"\xff\xfe{}", RECORD: b"{}"}), "can't be read")


def test_a_bundle_without_manifest_is_refused(tmp_path):
    refuse(tmp_path, archive({RECORD: b"{}"}), "it has no manifest.json")


def test_an_unlisted_member_is_refused(tmp_path, finished):
    content = members(finished)
    refuse(tmp_path, archive({MANIFEST: manifest(content), **content, RECORD: b"{}"}), "manifest")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"smoke": false', '"smoke": "no"', "smoke"),
        ('"smoke": false', '"smoke": false, "more": 1', "more"),
        ('"schema_version": 1', '"schema_version": 2', "schema 2"),
        ('"schema_version": 1', '"schema_version": true', "schema_version"),
        ('"dice": 0.', '"dice": NaN, "x": 0.', "NaN is no JSON"),
        ('"dice": 0.', '"dice": -Infinity, "x": 0.', "Infinity is no JSON"),
        ('"dice": 0.', '"dice": "0.', "control character"),
        ('"train_patients": 2', '"train_patients": 2.5', "train_patients"),
        ('"train_patients": 2', '"train_patients": 1e400', "out of range"),
        ('"environment": {', '"environment": {"deep": ' + "[" * 20 + "]" * 20 + ",", "nested"),
        ('"failure": null', '"failure": {}', "failure"),
        ('"case": "b', '"case": "<b>', "marks that tables can't show"),
        ('"patient": "p', '"patient": "\\u202e', "marks that tables can't show"),
        ('"task": "boxes"', '"task": "b\\u001b[2J"', "marks that tables can't show"),
    ],
)
def test_a_record_of_wrong_types_is_an_error_and_named(tmp_path, finished, old, new, message):
    content = members(finished)
    name = next(n for n, raw in content.items() if b'"train_patients": 2' in raw)
    assert old.encode() in content[name]
    content[name] = content[name].replace(old.encode(), new.encode(), 1)
    with open_bundle(bundle(tmp_path / "b.zip", content)) as found:
        [told] = found.diagnostics
    assert told.rule == "not a record of voxbench"
    assert name in told.detail
    assert re.search(message, told.detail), told.detail


def test_a_record_under_another_key_is_an_error(tmp_path, finished):
    first, second, *_ = members(finished).items()
    with open_bundle(bundle(tmp_path / "b.zip", {first[0]: second[1]})) as found:
        assert "its key is" in found.diagnostics[0].detail


def test_changed_bytes_are_told_by_their_hash(tmp_path, finished):
    content = members(finished)
    listed = manifest(content)
    name = next(iter(content))
    content[name] = content[name].replace(b'"smoke": false', b'"smoke":  true')
    path = tmp_path / "b.zip"
    path.write_bytes(archive({MANIFEST: listed, **content}))
    with open_bundle(path) as found:
        assert "sha256 is not the one in the manifest" in found.diagnostics[0].detail


@pytest.fixture(scope="module")
def small(finished) -> bytes:
    """The bytes of a bundle with two records and their label maps."""
    content = dict(list(members(finished).items())[:2])
    keys = [name[8:28] for name in content]
    content |= {name: raw for name, raw in maps(finished).items() if name[12:32] in keys}
    return archive({MANIFEST: manifest(content), **content})


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    """What is known here, looked up once."""
    return Evidence()


@settings(max_examples=120)
@given(st.data())
def test_mutated_bundles_end_in_a_verdict_or_one_clear_error(tmp_path_factory, small, data):
    """Bytes flipped, cut out, doubled or inserted, near the directory at the end more often."""
    content = bytearray(small)
    tail = st.integers(max(0, len(small) - 3000), len(small) - 1)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.one_of(st.integers(0, len(small) - 1), tail)) % max(1, len(content))
        kind = data.draw(st.sampled_from(["flip", "set", "cut", "insert", "double"]))
        if kind == "flip":
            content[at] ^= 1 << data.draw(st.integers(0, 7))
        elif kind == "set":
            content[at : at + 4] = data.draw(st.binary(min_size=4, max_size=4))
        elif kind == "cut":
            del content[at : at + data.draw(st.integers(1, 300))]
        elif kind == "insert":
            content[at:at] = data.draw(st.binary(max_size=40))
        else:
            content[at:at] = content[at : at + 60]
    path = tmp_path_factory.getbasetemp() / "mutated.zip"
    path.write_bytes(bytes(content))
    assert "\n" not in opened(path)


def opened(path) -> str:
    """Read all of a bundle; what the clear error says, if there is one."""
    try:
        with open_bundle(path) as found:
            for key, names in found.maps.items():
                for name in names:
                    with suppress(ValueError):
                        found.read_map(key, name.rpartition("/")[2].removesuffix(".nii.gz"))
    except BundleError as told:
        return str(told)
    return ""


@settings(max_examples=50)
@given(st.data())
def test_records_with_any_value_anywhere_are_judged_without_a_crash(
    tmp_path_factory, finished, evidence, data
):
    """One value of a record replaced by any JSON; the manifest agrees, so that it is read."""
    content = dict(list(members(finished).items())[:1])
    [(name, raw)] = content.items()
    record = json.loads(raw)
    place = record
    for _ in range(data.draw(st.integers(1, 6))):
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list):
            break
        parent, place = place, place[key]
    else:
        key, place = key, parent
    anything = st.recursive(
        st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
        max_leaves=5,
    )
    target = place if isinstance(place, dict | list) and len(place) else parent
    keys = list(target) if isinstance(target, dict) else list(range(len(target)))
    target[data.draw(st.sampled_from(keys))] = data.draw(anything)
    content[name] = json.dumps(record).encode()
    path = bundle(tmp_path_factory.getbasetemp() / "any.zip", content)
    found = verify_bundle(path, evidence)
    assert found.errors or found.verified
