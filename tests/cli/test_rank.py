import json

import numpy as np
import pytest

from tests.analyses.records import cases, record, stored


@pytest.fixture
def folder(tmp_path):
    """Three arms; two of them are alike, and all alike on class b."""
    rng = np.random.default_rng(0)
    for arm, gain in (("first", 0.1), ("second", 0.0), ("third", 0.0)):
        noise = rng.normal(0, 0.01, (2, 20))

        def dice(i, c, gain=gain, noise=noise):
            return 0.5 + 0.01 * i + (gain if c == "a" else 0) + noise["ab".index(c), i]

        stored(tmp_path, record(cases(dice, 20, ("a", "b")), f"scratch[{arm}]"))
    return tmp_path


def test_ranks_pairs_classes_and_sensitivity_are_printed(voxbench, folder):
    code, out, _ = voxbench("rank", folder)
    assert code == 0
    assert "2 of 3 pairs are separated" in out
    assert "First, or tied with it: scratch[first]." in out
    assert "0 trainings missing; 0 undefined scores" in out
    assert "Friedman over 20 patients: p < 0.001" in out
    assert "Pairs: " not in out
    _, out, _ = voxbench("rank", folder, "--full")
    told = {line.partition(":")[0] for line in out.splitlines()}
    assert {"Ranks", "Pairs", "Classes", "Sensitivity"} <= told


def test_json_has_the_tied_places_of_all_and_of_each_class(voxbench, folder):
    _, out, _ = voxbench("rank", folder, "--json")
    [found] = json.loads(out)["rankings"]
    assert [row["place"] for row in found["ranks"]] == [1, 2, 2]
    assert [row["place"] for row in found["classes"] if row["class"] == "a"] == [1, 2, 2]
    assert [row["place"] for row in found["classes"] if row["class"] == "b"] == [1, 1, 1]
    assert len(found["sensitivity"]) == 27


def test_tables_and_the_diagram_are_written_where_asked(voxbench, folder, tmp_path):
    out = tmp_path / "out"
    voxbench("rank", folder, "-o", out)
    names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert {
        "tables/rank-3-shots-dice.md", "tables/pairs-3-shots-dice.tex",
        "tables/classes-3-shots-dice.csv", "figures/critical-3-shots-dice.svg",
    } <= names  # fmt: skip
    first = (out / "figures/critical-3-shots-dice.svg").read_bytes()
    voxbench("rank", folder, "-o", out)
    assert (out / "figures/critical-3-shots-dice.svg").read_bytes() == first


def test_a_missing_training_is_told_and_the_policy_decides(voxbench, folder):
    stored(folder, record(None, "scratch[first]", task="other"))
    stored(folder, record(cases(lambda i, c: 0.5, 20), "scratch[second]", task="other"))
    _, out, _ = voxbench("rank", folder)
    assert "other left out: lacking scratch[first], scratch[third]" in out
    _, out, _ = voxbench("rank", folder, "--missing", "worst", "--json")
    [found] = json.loads(out)["rankings"]
    assert found["ranks"][0]["arm"] == "scratch[second]"


def test_a_fraction_that_cannot_be_ranked_is_told_and_the_others_are(voxbench, folder):
    for arm, task in (("first", "one"), ("second", "other")):
        stored(folder, record(cases(lambda i, c: 0.5, 20), f"scratch[{arm}]", task, "100%"))
    code, out, _ = voxbench("rank", folder)
    assert code == 0
    assert "2 of 3 pairs are separated" in out
    assert "not ranked: " in out
    assert "no task has a run of all 2 arms at 100%" in out
    _, out, _ = voxbench("rank", folder, "--json")
    told = json.loads(out)
    assert (len(told["rankings"]), len(told["not_ranked"])) == (1, 1)


def test_one_arm_is_one_line_and_exit_code_2(voxbench, tmp_path):
    stored(tmp_path, record(cases(lambda i, c: 0.5)))
    code, _, err = voxbench("rank", tmp_path)
    assert code == 2
    assert "nowhere two arms at one fraction" in err


@pytest.mark.parametrize(
    ("option", "word"), [("--by", "aggregation"), ("--missing", "policy"), ("--metric", "metric")]
)
def test_an_unknown_way_to_rank_is_refused(voxbench, folder, option, word):
    code, _, err = voxbench("rank", folder, option, "nonsense")
    assert code == 2
    assert err.startswith(f"voxbench: unknown {word} 'nonsense'")


def test_imported_tables_are_ranked_in_one_command_each(voxbench, tmp_path):
    for arm, score in (("a", 0.9), ("b", 0.8)):
        rows = "".join(f"s{i},{score + i / 1000}\n" for i in range(10))
        (tmp_path / f"{arm}_dsc.csv").write_text(f"name,liver\n{rows}")
    files = [tmp_path / "a_dsc.csv", tmp_path / "b_dsc.csv"]
    code, out, _ = voxbench("import", *files, "--task", "t", "-o", tmp_path / "got")
    assert code == 0
    assert "t, a: 10 cases, 1 classes" in out
    assert "1 of 1 pairs are separated" in voxbench("rank", tmp_path / "got")[1]
    assert voxbench("report", tmp_path / "got")[0] == 0


def test_a_wrong_import_is_one_line_and_exit_code_2(voxbench, tmp_path):
    code, out, err = voxbench("import", tmp_path / "a_dsc.csv", "--task", "t", "-o", tmp_path)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1


def test_arms_of_another_recipe_are_ranked_apart(voxbench, folder, tmp_path):
    for arm in ("first", "second"):
        other = record(
            cases(lambda i, c: 0.4, 20, ("a", "b")),
            f"scratch[{arm}]",
            key=arm,
            cell={"recipe": {"steps": 7}},
        )
        stored(folder, other)
    _, out, _ = voxbench("rank", folder, "--json", "-o", tmp_path / "out")
    found = json.loads(out)["rankings"]
    assert sorted(len(place["ranks"]) for place in found) == [2, 3]
    names = {path.name for path in (tmp_path / "out" / "tables").glob("rank-*.md")}
    assert names == {f"rank-3-shots-dice-{place['scope']['recipe']}.md" for place in found}
