"""A scan that lies in two parts of a split is found by its look."""

from voxbench.data.split import Split
from voxbench.ledger import copies
from voxbench.ledger.copies import find_copies

from tests.data.toy import volumes, write_case


def split(folder, changed=None):
    """Six cases of six people; `changed` gives cases the image of another, on another scale."""
    images = {name: volumes(seed=ord(name))[0] for name in "abcdef"}
    for name, other in (changed or {}).items():
        images[name] = 3 * images[other] - 7
    a, b, c, d, e, f = (write_case(folder, name, image) for name, image in images.items())
    return Split((a, b, c), (d,), (e, f), "")


def test_other_people_s_scans_are_no_copies(tmp_path):
    heard = []
    assert find_copies(split(tmp_path), done=lambda: heard.append(1)) == []
    assert len(heard) == 3


def test_a_copy_is_found_in_whichever_part_it_lies(tmp_path):
    found = find_copies(split(tmp_path, {"d": "a", "e": "b", "f": "d"}))
    pairs = {(copy.case, copy.other, copy.part) for copy in found}
    assert pairs >= {("d", "a", "train"), ("e", "b", "train"), ("f", "d", "validation")}
    assert all(copy.score >= copy.bar for copy in found)


def test_what_was_found_is_remembered_for_the_same_content(tmp_path, monkeypatch):
    first = find_copies(split(tmp_path / "x", {"e": "a"}))
    monkeypatch.setattr(copies, "find_overlaps", None)
    assert find_copies(split(tmp_path / "y", {"e": "a"})) == first
