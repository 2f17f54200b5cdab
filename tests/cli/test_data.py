"""`voxbench data` lists public data sets, and holds a copy against what is known of it."""

import json
from hashlib import md5
from pathlib import Path

import numpy as np
import pytest
from voxbench.api import Archive, Source
from voxbench_tasks.known_errors import register
from voxbench_tasks.releases.lits import Lits
from voxbench_tasks.releases.totalsegmentator import TotalSegmentatorV1

from docs.generators.releases import registered
from tests.tasks.test_releases import atlas11, label, lits, totalsegmentator1, write


@pytest.fixture
def small(monkeypatch):
    """LiTS with as many cases as the mock has."""
    monkeypatch.setattr(Lits, "source", Source(where="Ask.", counts={"all": 7}))


def identity(root: Path, number: int) -> None:
    """A volume and its label that lost their spacing, as those of LiTS did."""
    [volume] = root.glob(f"*/volume-{number}.nii")
    write(volume, np.random.default_rng(number).normal(size=(12,) * 3).astype(np.float32), (1,) * 3)
    mask = np.zeros((12, 12, 12), np.uint8)
    mask[3:9, 3:9, 2], mask[3:9, 3:9, 3] = 1, 2
    write(volume.with_name(f"segmentation-{number}.nii"), mask, (1,) * 3)


def checked(voxbench, name: str, root: Path, *more: str) -> tuple[int, dict]:
    code, out, err = voxbench("data", "check", name, "--field", f"root={root}", *more, "--json")
    assert code in {0, 1}, err
    return code, json.loads(out)


def test_public_data_sets_are_listed_with_how_they_are_come_by(voxbench):
    code, out, _ = voxbench("data", "ls", "--json")
    rows = {row["task"]: row for row in json.loads(out)}
    assert code == 0
    assert (rows["han-seg"]["access"], rows["han-seg"]["cases"]) == ("free", "42 all")
    assert rows["btcv"]["access"] == "by request"
    assert "syn3193805" in rows["btcv"]["where"]
    assert rows["msd-lung"]["cases"] == "63 all"
    assert rows["toothfairy2"]["cases"] == "not told"
    assert rows["han-seg"]["download"] == "4,938,848,306 bytes"
    assert rows["btcv"]["download"] == rows["flare22"]["download"] == "size unknown"
    assert "phantom-atlas" not in rows
    assert voxbench("data", "ls")[0] == 0


def test_a_whole_copy_whose_bad_cases_are_left_out_is_sound(voxbench, tmp_path, small):
    root = lits(tmp_path)
    identity(root, 28)
    code, told = checked(voxbench, "lits", root)
    assert (code, told["sound"], told["leave_out"]) == (0, True, [])
    assert told["counts"] == {"all": {"here": 7, "released": 7}}
    seen = {one["case"]: (one["seen"], one["used"]) for one in told["findings"]}
    assert seen == {"28": (True, False), "47": (False, False)}  # 47 is listed, its files don't tell


def test_a_bad_case_is_known_by_its_content_whatever_its_id(voxbench, tmp_path, small):
    root = lits(tmp_path)
    identity(root, 130)
    code, told = checked(voxbench, "lits", root)
    assert (code, told["leave_out"]) == (1, ["130"])
    _, out, _ = voxbench("data", "check", "lits", "--field", f"root={root}")
    assert 'leave_out = ["130"]' in out
    code, told = checked(voxbench, "lits", root, "--field", 'leave_out=["130"]')
    assert (code, told["leave_out"]) == (0, [])


def test_what_is_kept_though_it_is_bad_is_told(voxbench, tmp_path, small):
    code, told = checked(voxbench, "lits", lits(tmp_path), "--field", "keep_known_bad=true")
    assert (code, told["leave_out"]) == (1, ["28", "47"])


def test_cases_that_are_missing_are_counted(voxbench, tmp_path):
    code, out, _ = voxbench("data", "check", "lits", "--field", f"root={lits(tmp_path)}")
    assert code == 1
    assert out.startswith("all: 7 of 131 cases\n")
    assert "cases are missing or too many: Unpack both training batches" in out


def test_a_file_that_broke_on_the_way_is_found_beside_the_known_one(
    voxbench, tmp_path, monkeypatch
):
    monkeypatch.setattr(TotalSegmentatorV1, "source", Source(where="Ask."))
    root = totalsegmentator1(tmp_path)
    broken = root / "s0001" / "ct.nii.gz"
    broken.write_bytes(broken.read_bytes()[:-200])
    code, told = checked(voxbench, "totalsegmentator-v1", root, "--field", "group=organs")
    assert (code, told["leave_out"]) == (1, ["s0001"])
    known = {one["case"]: one["source"] for one in told["findings"] if one["seen"]}
    assert known["s0864"].startswith("issues 24 and 92")
    assert known["s0001"] == "its files"


def test_overlapping_masks_are_told_and_used(voxbench, tmp_path, monkeypatch):
    monkeypatch.setattr(TotalSegmentatorV1, "source", Source(where="Ask."))
    root = totalsegmentator1(tmp_path)
    label(root / "s0001" / "segmentations" / "liver.nii.gz", 1)
    label(root / "s0001" / "segmentations" / "spleen.nii.gz", 1)
    code, told = checked(voxbench, "totalsegmentator-v1", root, "--field", "group=organs")
    assert code == 0
    assert {
        (one["case"], one["used"]) for one in told["findings"] if "overlapping" in one["error"]
    } >= {("s0001", True)}


def test_masks_without_a_ct_are_told_one_by_one(voxbench, tmp_path):
    _, told = checked(voxbench, "abdomenatlas-1-1", atlas11(tmp_path))
    lost = [one for one in told["findings"] if one["case"] == "BDMAP_00005196"]
    assert [(one["seen"], one["used"]) for one in lost] == [(True, False)]
    assert told["counts"] == {"all": {"here": 5, "released": 9262}}
    assert told["leave_out"] == []


@pytest.mark.parametrize(("content", "right"), [(b"whole", True), (b"other", False)])
def test_an_archive_beside_the_data_is_held_against_its_checksum(
    voxbench, tmp_path, monkeypatch, content, right
):
    archive = Archive("https://example.org/lits.zip", f"md5:{md5(b'whole').hexdigest()}")
    monkeypatch.setattr(Lits, "source", Source(where="Ask.", free=True, archives=(archive,)))
    root = lits(tmp_path / "data")
    (tmp_path / "lits.zip").write_bytes(content)
    code, told = checked(voxbench, "lits", root)
    assert told["archives"] == {"lits.zip": right}
    assert code == (0 if right else 1)
    _, out, _ = voxbench("data", "check", "lits", "--field", f"root={root}")
    assert f"lits.zip: by its checksum it {'is' if right else 'is NOT'} https://" in out


def test_a_case_to_leave_out_that_is_not_here_is_refused(voxbench, tmp_path):
    field = ("--field", f"root={lits(tmp_path)}", "--field", 'leave_out=["vol-1"]')
    code, _, err = voxbench("data", "check", "lits", *field)
    assert code == 2
    assert "leave_out: no case vol-1 here" in err


def test_another_task_is_no_public_data_set(voxbench, tmp_path):
    code, _, err = voxbench("data", "check", "random-shapes")
    assert code == 2
    assert "random-shapes: no public data set" in err


def test_the_register_is_of_corpora_that_public_tasks_have(tmp_path):
    corpora = {name for _, kind in registered() for name in kind(root=tmp_path).card.corpora}
    assert register().keys() <= corpora
