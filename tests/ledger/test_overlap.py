import base64
import json

import numpy as np
import pytest
from voxbench.errors import DataError
from voxbench.ledger.look import read_look
from voxbench.ledger.manifest import read_manifest, write_manifest
from voxbench.ledger.overlap import collect_looks, find_overlaps, images_below, images_of

from tests.data.toy import save
from tests.ledger.phantom import person


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Sixteen people; of number 2 and 5 altered copies lie in `task`."""
    folder = tmp_path_factory.mktemp("seen")
    for number in range(16):
        save(folder / "imagesTr" / f"{number:02d}.nii.gz", person(number))
    save(folder / "labelsTr" / "00.nii.gz", (person(0) > 60).astype(np.uint8))
    return folder


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    folder = tmp_path_factory.mktemp("task")
    images = {f"n{number}": person(number) for number in range(40, 46)}
    images |= {"copy2": person(2)[:, ::-1] * 4 + 7, "copy5": np.clip(person(5), 25, 90)}
    for name, image in images.items():
        save(folder / "imagesTr" / f"{name}_0000.nii.gz", image)
        save(folder / "labelsTr" / f"{name}.nii.gz", (person(0) > 60).astype(np.uint8))
    labels = {"background": 0, "organ": 1}
    (folder / "dataset.json").write_text(
        json.dumps({"channel_names": {"0": "CT"}, "labels": labels})
    )
    return folder


def test_a_manifest_comes_back_as_it_was_written(seen, tmp_path):
    volumes = collect_looks(images_below(seen)).volumes
    write_manifest(tmp_path / "m.json", volumes)
    found = read_manifest(tmp_path / "m.json")
    assert list(found) == list(volumes) == [f"imagesTr/{n:02d}.nii.gz" for n in range(16)]
    for name, one in found.items():
        assert np.array_equal(one.ranks, volumes[name].ranks)
        assert one.extent_mm == pytest.approx(volumes[name].extent_mm, abs=0.01)


def test_a_manifest_of_the_first_release_is_read(tmp_path):
    cells = base64.b64encode(bytes(range(256)) * 54).decode()
    volume = {"name": "a", "extent_mm": [300.0, 200.5, 150.0], "cells": cells}
    (tmp_path / "m.json").write_text(json.dumps({"fingerprints": 1, "volumes": [volume]}))
    look = read_manifest(tmp_path / "m.json")["a"]
    assert look.extent_mm == (300.0, 200.5, 150.0)
    assert look.ranks.shape == (24, 24, 24)
    assert look.ranks[0, 10, 15] == 255


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(fingerprints=99), "version 99"),
        (lambda m: m["volumes"][0].update(cells="AAAA"), "expected 24³ bytes"),
        (lambda m: m["volumes"][0].update(cells="§"), "expected 24³ bytes"),
        (lambda m: m["volumes"][0].update(extent_mm=[1, 2]), r"volumes.0.extent_mm"),
        (lambda m: m["volumes"][0].update(extent_mm=[1, 2, -3]), r"volumes.0.extent_mm"),
        (lambda m: m["volumes"].append(m["volumes"][0]), "two volumes"),
        (lambda m: m.pop("volumes"), "volumes: Field required"),
    ],
)
def test_a_damaged_manifest_is_refused_by_field(seen, tmp_path, change, message):
    found = read_look(seen / "imagesTr" / "00.nii.gz")
    write_manifest(tmp_path / "m.json", {"a": found})
    manifest = json.loads((tmp_path / "m.json").read_text())
    change(manifest)
    (tmp_path / "m.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match=message):
        read_manifest(tmp_path / "m.json")


def test_label_folders_and_hidden_files_are_no_images(seen):
    (seen / "imagesTr" / "._00.nii.gz").write_bytes(b"")
    names = images_below(seen)
    (seen / "imagesTr" / "._00.nii.gz").unlink()
    assert len(names) == 16


def test_a_folder_without_images_is_told(tmp_path):
    with pytest.raises(DataError, match="no image volumes"):
        images_below(tmp_path)


def test_an_unreadable_file_is_named_and_the_others_go_on(seen, tmp_path):
    (tmp_path / "broken.nii.gz").write_bytes(b"nothing")
    files = {"good": seen / "imagesTr" / "00.nii.gz", "bad": tmp_path / "broken.nii.gz"}
    found = collect_looks(files)
    assert list(found.volumes) == ["good"]
    assert "can't be read" in found.unreadable["bad"]


def test_a_look_is_remembered_by_content_not_by_name(seen, tmp_path):
    path = tmp_path / "a.nii.gz"
    save(path, person(0))
    first = collect_looks({"a": path}).volumes["a"]
    save(path, person(1))
    second = collect_looks({"a": path}).volumes["a"]
    assert not np.array_equal(first.ranks, second.ranks)
    assert np.array_equal(second.ranks, read_look(path).ranks)


def test_copies_are_matched_and_their_names_given(seen, raw):
    names = ("copy2", "copy5", "n40")
    images = {name: raw / "imagesTr" / f"{name}_0000.nii.gz" for name in names}
    done = []
    volumes = collect_looks(images_below(seen)).volumes
    found = find_overlaps(volumes, collect_looks(images).volumes, done=lambda: done.append(1))
    pairs = {(one.image, one.seen) for one in found}
    assert pairs == {("copy2", "imagesTr/02.nii.gz"), ("copy5", "imagesTr/05.nii.gz")}
    assert len(done) == 3


def freeze_test(raw, monkeypatch, names):
    """Let the split put these cases into the test part."""
    from voxbench.data import split

    monkeypatch.setattr(split, "name_hash", lambda name: f"{name not in names}{name}")


def test_the_command_tells_the_overlap_and_exits_with_1(voxbench, seen, raw, tmp_path, monkeypatch):
    freeze_test(raw, monkeypatch, {"copy2", "n40"})
    options = ("-t", "nnunet-folder", "--field", f"root={raw}", "-j", "1")
    code, told, _ = voxbench("overlap", seen, *options, "-o", tmp_path / "m.json")
    assert code == 1
    assert "copy2" in told
    assert "1 of 2 test images are among 16 seen volumes" in told
    assert "not certainly" in told  # says where it stops
    code, told, _ = voxbench("overlap", tmp_path / "m.json", *options, "--json")
    report = json.loads(told)
    assert (code, report["tested"], report["seen"]) == (1, 2, 16)
    assert [match["image"] for match in report["matches"]] == ["copy2"]


def test_no_overlap_exits_with_0(voxbench, seen, raw, monkeypatch):
    freeze_test(raw, monkeypatch, {"n40", "n41"})
    options = ("-t", "nnunet-folder", "--field", f"root={raw}", "-j", "1")
    code, told, _ = voxbench("overlap", seen, *options)
    assert (code, "0 of 2" in told) == (0, True)


def test_mistakes_exit_with_2(voxbench, seen, tmp_path):
    code, _, told = voxbench("overlap", seen)
    assert (code, "give --task" in told) == (2, True)
    code, _, told = voxbench("overlap", tmp_path / "none.json", "-o", tmp_path / "m.json")
    assert (code, "no such manifest or folder" in told) == (2, True)


@pytest.mark.realdata
@pytest.mark.slow
def test_altered_copies_of_real_scans_are_found(real_data):
    from voxbench.data.image import read_image
    from voxbench.ledger.look import look_of
    from voxbench.ledger.pool import Pool, bar

    folders = ("Task04_Hippocampus", "Dataset501_OpenKBP")
    paths = [p for f in folders for p in sorted((real_data / f / "imagesTr").glob("[!.]*"))[:30]]
    volumes = [read_image(path) for path in paths]
    pool = Pool([look_of(volume.array, volume.affine).ranks for volume in volumes])
    for index in range(0, len(paths), 6):
        array, affine = volumes[index].array, volumes[index].affine
        low, high = np.percentile(array, (10, 97))
        copy = np.clip(array[2:-1, 1:-2, 1:-1], low, high)[:, ::-1]
        found = pool.search(look_of(copy, affine).ranks)
        needed = bar([match.score for match in found])
        assert [one.position for one in found if one.score >= needed] == [index], paths[index].name


def test_the_channels_of_a_case_are_told_apart():
    from pathlib import Path

    from voxbench.api import Case

    one = Case("a", (Path("x/t1.nii"),), Path("l.nii"), "p")
    two = Case("b", (Path("x/mr.nii"), Path("y/mr.nii")), Path("l.nii"), "p")
    assert list(images_of([one, two])) == ["a", "b/0", "b/1"]
