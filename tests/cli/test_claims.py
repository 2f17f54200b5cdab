import json

import pytest

from tests.analyses.records import MASKED, SCRATCH, cases, record, stored


@pytest.fixture
def folder(tmp_path):
    for arm, dice in ((SCRATCH, 0.5), (MASKED, 0.55)):
        found = cases(lambda i, c, d=dice: d)
        stored(tmp_path, *(record(found, arm, seed=s) for s in (0, 1)))
    return tmp_path


def declare(folder, *relations, **changes):
    """A file that claims each relation of the masked arm to scratch."""
    file = folder / "claims.toml"
    tables = []
    for relation in relations:
        stated = {
            "arm": "masked",
            "relation": relation,
            "other": "scratch",
            "fraction": "3 shots",
            "tasks": "all",
            **changes,
        }
        lines = [f"{key} = {json.dumps(value)}" for key, value in stated.items()]
        tables.append("\n".join(["[[claim]]", *lines]))
    file.write_text("\n".join(tables))
    return file


def test_claims_that_hold_end_with_0(voxbench, folder):
    file = declare(folder, "better", margin=0.01, text="few labels are enough")
    code, out, _ = voxbench("claims", file)
    assert code == 0
    assert "HOLDS: masked is better than scratch at 3 shots on every task, margin 0.01" in out
    assert "«few labels are enough»" in out
    assert "openkbp: holds: +0.050 [+0.050, +0.050], p < 0.001, 8 patients, 2 runs" in out
    assert "1 of 1 claims hold" in out


def test_a_claim_that_does_not_hold_ends_with_1(voxbench, folder):
    code, out, _ = voxbench("claims", declare(folder, "better", "worse"), folder)
    assert code == 1
    assert "DOES NOT HOLD: masked is worse than scratch" in out
    assert "1 of 2 claims hold" in out


def test_a_mistake_ends_with_2_and_its_place(voxbench, folder):
    code, _, err = voxbench("claims", declare(folder, "beats"))
    assert code == 2
    assert "claims.toml, claim 1, relation: Input should be 'better'" in err


def test_json_names_the_records(voxbench, folder):
    code, out, _ = voxbench("claims", declare(folder, "better"), "--json")
    [found] = json.loads(out)
    assert (code, found["verdict"], found["claim"]["relation"]) == (0, "holds", "better")
    assert len(found["tasks"][0]["records"]) == 4
    assert found["tasks"][0]["effect"] == pytest.approx(0.05)
