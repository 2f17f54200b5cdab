import json

import pytest

from tests.analyses.records import MASKED, SCRATCH, cases, record, stored


@pytest.fixture
def folder(tmp_path):
    """An arm that helps the first ten of 23 patients."""
    gains = {SCRATCH: lambda i: 0.0, MASKED: lambda i: 0.1 if i < 10 else 0.0}
    for arm, gain in gains.items():
        found = cases(lambda i, c, g=gain: 0.5 + 0.01 * i + g(i), 23)
        stored(tmp_path, *(record(found, arm, seed=s) for s in (0, 1)))
    return tmp_path


def sites(folder, rows, name="patient"):
    path = folder / "cases.csv"
    path.write_text("\n".join([f"{name},site,age", *rows]))
    return path


def by_patient(folder):
    return sites(folder, [f"p{i:03},{'ABC'[i // 10]},{40 + i}" for i in range(22)])


def test_groups_and_the_difference_between_them_are_shown(voxbench, folder):
    code, out, _ = voxbench("subgroups", folder, "--table", by_patient(folder), "--by", "site")
    assert code == 0
    assert "+0.100 [+0.100, +0.100]" in out
    assert "fewer than 5 patients: not tested" in out
    assert "Between groups" in out
    assert "1 test patient not in the table, and not tested: p022." in out


def test_json_has_every_number(voxbench, folder):
    _, out, _ = voxbench(
        "subgroups", folder, "--table", by_patient(folder), "--by", "site", "--json"
    )
    told = json.loads(out)
    assert [(row["group"], row["verdict"]) for row in told["groups"]] == [
        ("A", "better"), ("B", "equivalent"), ("C", ""), ("", ""),
    ]  # fmt: skip
    [contrast] = told["contrasts"]
    assert contrast["difference"] == pytest.approx(0.1)
    assert contrast["p_adjusted"] < 0.01


def test_a_table_by_case_and_any_two_arms(voxbench, folder):
    table = sites(folder, [f"case{i},{'AB'[i % 2]},{i}" for i in range(23)], "case")
    code, out, _ = voxbench(
        "subgroups", folder, "--table", table, "--by", "site", "--arm", "scratch", "--against",
        "masked", "--json",
    )  # fmt: skip
    told = json.loads(out)
    assert code == 0
    assert [(row["group"], row["patients"]) for row in told["groups"]] == [("A", 12), ("B", 11)]
    assert told["sentences"] == []


def test_a_table_of_other_patients_is_a_mistake(voxbench, folder):
    table = sites(folder, ["x1,A,3"])
    code, _, err = voxbench("subgroups", folder, "--table", table, "--by", "site")
    assert code == 2
    assert "knows no test patient of openkbp: it has x1; the records have p000" in err


def test_an_unknown_column_is_a_mistake(voxbench, folder):
    code, _, err = voxbench("subgroups", folder, "--table", by_patient(folder), "--by", "sit")
    assert code == 2
    assert "Did you mean 'site'?" in err


def test_scratch_has_no_twin(voxbench, folder):
    code, _, err = voxbench(
        "subgroups", folder, "--table", by_patient(folder), "--by", "site", "--arm", "scratch"
    )
    assert code == 2
    assert "has no scratch twin: name the arm to compare it with" in err
