import json

import pytest
from voxbench.analyses.races.declaration import Comparison, Pairing, Race

from tests.analyses.records import MASKED, SCRATCH, cases, record, stored

RACE = Race(
    sweep="a-race",
    metric="dice",
    margin=0.01,
    alpha=0.05,
    shares=(0.05,),
    comparisons=[
        Comparison(
            task="openkbp", adaptation="full", fraction="3 shots", arm=MASKED, twin=SCRATCH,
            runs=[Pairing(draw=0, seed=0, arm="a", twin="b")],
        )
    ],
)  # fmt: skip
CLAIM = """[[claim]]
arm = "masked"
relation = "better"
other = "scratch"
fraction = "100%"
tasks = ["openkbp"]
"""


@pytest.fixture
def folder(tmp_path):
    for arm, dice in ((SCRATCH, 0.5), (MASKED, 0.55)):
        for fraction in ("3 shots", "100%"):
            found = cases(lambda i, c, d=dice: d)
            stored(tmp_path, *(record(found, arm, fraction=fraction, seed=s) for s in (0, 1)))
    return tmp_path


def test_recipes_are_told_by_what_differs(voxbench, folder):
    for arm, dice in ((SCRATCH, 0.5), (MASKED, 0.55)):
        long = {"recipe": {"steps": 900}}
        found = cases(lambda i, c, d=dice: d)
        stored(folder, record(found, arm, cell=long, key=f"{arm[:6]}-long"))
    _, out, _ = voxbench("compare", "masked", "scratch", folder)
    rows = [line.split() for line in out.splitlines() if line.strip().startswith("openkbp")]
    assert {" ".join(row[3:5]) for row in rows if row[1] == "3"} == {"300 steps", "900 steps"}
    assert "setting" not in out


def test_a_misspelt_arm_gets_the_nearest_name_also_where_several_begin_so(voxbench, folder):
    stored(folder, record(cases(lambda i, c: 0.5), "masked-autoencoder[source=acdc]"))
    error = voxbench("compare", "masked-autoencodr", "scratch", folder)[2]
    assert "Did you mean 'masked-autoencoder'?" in error


def test_two_arms_by_the_beginning_of_their_labels(voxbench, folder):
    code, out, _ = voxbench("compare", "masked", "scratch", folder)
    assert code == 0
    rows = [line for line in out.splitlines() if line.strip().startswith("openkbp")]
    assert [line.split().count("better") for line in rows] == [1, 1]
    assert rows[0].rstrip().endswith("1 draw of the labels")
    assert "1 draw" not in rows[1]  # with all labels there is no other


@pytest.mark.parametrize("name", ["sup", "supervised*", "supervised[*tiny]"])
def test_several_arms_are_compared_row_by_row(voxbench, tmp_path, name):
    arms = ("supervised[volumes=2,size=tiny]", "supervised[volumes=8,size=tiny]")
    for arm, dice in ((SCRATCH, 0.5), (MASKED, 0.5), (arms[0], 0.55), (arms[1], 0.6)):
        stored(tmp_path, *(record(cases(lambda i, c, d=dice: d), arm, seed=s) for s in (0, 1)))
    _, out, _ = voxbench("compare", name, "scratch", tmp_path, "--json")
    rows = json.loads(out)
    assert [(row["arm"], row["other"]) for row in rows] == [(arm, SCRATCH) for arm in arms]
    assert [row["effect"] for row in rows] == pytest.approx([0.05, 0.1])
    _, out, _ = voxbench("compare", name, "scratch", tmp_path)
    assert arms[0] in out
    assert out.startswith("Comparison: Dice of A and B")


def test_the_whole_labels_are_shown_with_their_brackets(voxbench, folder):
    _, out, _ = voxbench("compare", "masked", "scratch", folder)
    assert f"A = {MASKED} and B = {SCRATCH}" in " ".join(out.split())


def test_json_has_every_number(voxbench, folder):
    _, out, _ = voxbench("compare", "scratch", "masked-autoencoder", folder, "--json")
    rows = json.loads(out)
    assert [row["fraction"] for row in rows] == ["3 shots", "100%"]
    assert [row["effect"] for row in rows] == pytest.approx([-0.05, -0.05])
    assert {row["verdict"] for row in rows} == {"worse"}
    assert {row["arm"] for row in rows} == {SCRATCH}


def test_an_unknown_arm_gets_the_nearest_and_the_list(voxbench, folder):
    code, _, err = voxbench("compare", "scrach", "masked", folder)
    assert code == 2
    assert "unknown arm 'scrach'. Did you mean 'scratch'?" in err
    assert MASKED in err


def test_the_mixed_model_has_one_row_a_fraction(voxbench, tmp_path):
    for task, level in (("liver", 0.4), ("heart", 0.7)):
        for arm, gain in ((SCRATCH, 0.0), (MASKED, 0.05)):
            found = cases(lambda i, c, s=level + gain: s + 0.01 * i, 9)
            stored(tmp_path, record(found, arm, task))
    code, out, _ = voxbench("compare", "masked", "scratch", tmp_path, "--mixed", "--json")
    [row] = json.loads(out)
    assert code == 0
    assert (row["fraction"], row["tasks"], row["scores"]) == ("3 shots", 2, 36)
    assert row["effect"] == pytest.approx(0.05, abs=1e-4)
    assert isinstance(row["warnings"], str)
    _, out, _ = voxbench("compare", "masked", "scratch", tmp_path, "--mixed")
    assert "(1 | task:patient)" in " ".join(out.split())


@pytest.mark.parametrize(
    "command", [("compare", "masked", "scratch"), ("rank",), ("claims", "claims.toml")]
)
def test_that_a_race_chose_what_was_run_is_noted_beside_the_result(
    voxbench, folder, monkeypatch, command
):
    monkeypatch.chdir(folder)
    (folder / "claims.toml").write_text(CLAIM)
    before = voxbench(*command, folder)
    assert before[2] == ""
    RACE.declare(folder)
    code, out, err = voxbench(*command, folder)
    assert (code, out) == before[:2]
    assert err.startswith("note: races (a-race) chose by their scores which trainings were run")
