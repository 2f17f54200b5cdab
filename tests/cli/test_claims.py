import json

import pytest

from tests.analyses.records import MASKED, SCRATCH, cases, record, stored


@pytest.fixture
def folder(tmp_path):
    for arm, dice in ((SCRATCH, 0.5), (MASKED, 0.55)):
        found = cases(lambda i, c, d=dice: d)
        stored(tmp_path, *(record(found, arm, seed=s) for s in (0, 1)))
    return tmp_path


def declare(folder, *sentences):
    file = folder / "claims.toml"
    file.write_text("".join(f'[[claim]]\nclaim = "{text}"\n' for text in sentences))
    return file


def test_claims_that_hold_end_with_0(voxbench, folder):
    file = declare(folder, "masked > scratch at 3 shots on openkbp, margin 0.01")
    code, out, _ = voxbench("claims", file)
    assert code == 0
    assert "HOLDS: masked > scratch" in out
    assert "openkbp: holds: +0.050 [+0.050, +0.050], p = 0.008, 8 patients, 2 runs" in out
    assert "1 of 1 claims hold" in out


def test_a_claim_that_does_not_hold_ends_with_1(voxbench, folder):
    file = declare(
        folder, "masked > scratch at 3 shots on openkbp", "masked < scratch at 3 shots on openkbp"
    )
    code, out, _ = voxbench("claims", file, folder)
    assert code == 1
    assert "DOES NOT HOLD: masked < scratch" in out
    assert "1 of 2 claims hold" in out


def test_a_mistake_ends_with_2_and_is_marked(voxbench, folder):
    code, _, err = voxbench("claims", declare(folder, "masked beats scratch at 3 shots on openkbp"))
    assert code == 2
    assert "claim 1: expected >, <, >= or ~" in err
    assert "^" in err


def test_json_names_the_records(voxbench, folder):
    file = declare(folder, "masked > scratch at 3 shots on openkbp")
    code, out, _ = voxbench("claims", file, "--json")
    [found] = json.loads(out)
    assert (code, found["verdict"], found["claim"]["relation"]) == (0, "holds", "better")
    assert len(found["tasks"][0]["records"]) == 4
    assert found["tasks"][0]["effect"] == pytest.approx(0.05)
