import textwrap

import pytest
from voxbench.design import claims
from voxbench.design.claims import read_claims
from voxbench.errors import SpecError

GOOD = {
    "arm": '"masked"',
    "relation": '"better"',
    "other": '"scratch"',
    "fraction": '"10 shots"',
    "tasks": '"all"',
}


def table(**changes):
    lines = [f"{key} = {value}" for key, value in {**GOOD, **changes}.items() if value]
    return "\n".join(["[[claim]]", *lines, ""])


def read(tmp_path, text):
    path = tmp_path / "claims.toml"
    path.write_text(text)
    return read_claims(path)


def test_the_example_of_the_module_is_read(tmp_path):
    example = textwrap.dedent(claims.__doc__.partition("\n\n")[2])
    [found] = read(tmp_path, example)
    assert (found.arm, found.relation, found.other) == ("masked-autoencoder", "better", "scratch")
    assert (found.fraction, found.tasks, found.at_least) == ("10 shots", (), 2)
    assert (found.margin, found.metric, found.adaptation) == (0.01, "dice", "full")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "masked is better than scratch at 10 shots on every task"),
        ({"relation": '"worse"'}, "masked is worse than scratch at 10 shots on every task"),
        ({"relation": '"not worse"'}, "masked is not worse than scratch at 10 shots on every task"),
        (
            {"relation": '"equivalent"', "fraction": '"5%"', "margin": "0.02"},
            "masked is equivalent to scratch at 5% on every task, margin 0.02",
        ),
        ({"at_least": "1"}, "masked is better than scratch at 10 shots on at least 1 task"),
        ({"at_least": "2"}, "masked is better than scratch at 10 shots on at least 2 tasks"),
        (
            {"tasks": '["liver", "heart"]'},
            "masked is better than scratch at 10 shots on liver and heart",
        ),
        (
            {"tasks": '["liver", "heart"]', "at_least": "1"},
            "masked is better than scratch at 10 shots on at least 1 of liver, heart",
        ),
    ],
)
def test_a_claim_reads_as_a_sentence(tmp_path, changes, sentence):
    [found] = read(tmp_path, table(**changes))
    assert str(found) == sentence


def test_a_fraction_is_written_as_in_records(tmp_path):
    [found] = read(tmp_path, table(fraction="0.05"))
    assert found.fraction == "5%"


def test_each_claim_says_which_scores_are_meant(tmp_path):
    text = table(metric='"nsd"') + table(adaptation='"frozen"', setting='"85ab29"')
    one, other = read(tmp_path, text)
    assert (one.metric, one.adaptation, one.setting) == ("nsd", "full", "")
    assert (other.metric, other.adaptation, other.setting) == ("dice", "frozen", "85ab29")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"arm": None}, "claim 2, arm: Field required."),
        ({"arm": "3"}, "claim 2, arm: Input should be a valid string, got 3."),
        (
            {"relation": '"beats"'},
            "claim 2, relation: Input should be 'better', 'worse', 'not worse' or 'equivalent', "
            "got 'beats'.",
        ),
        ({"fraction": '"few"'}, "claim 2, fraction: 'few' is neither a share above 0"),
        ({"tasks": '"liver"'}, "claim 2, tasks: must be a list of names, or \"all\", not 'liver'."),
        ({"tasks": "[]"}, 'claim 2, tasks: must be a list of names, or "all", not [].'),
        ({"tasks": "[3]"}, "claim 2, tasks: Input should be a valid string, got 3."),
        ({"at_least": "0"}, "claim 2, at_least: Input should be greater than or equal to 1, got 0"),
        (
            {"tasks": '["liver"]', "at_least": "2"},
            "claim 2, at_least: must be at most 1, as many tasks are named, not 2.",
        ),
        ({"margin": "-1"}, "claim 2, margin: Input should be greater than or equal to 0, got -1."),
        ({"margin": '"x"'}, "claim 2, margin: Input should be a valid number, got 'x'."),
        ({"margin": "inf"}, "claim 2, margin: Input should be a finite number, got inf."),
        ({"metrc": '"nsd"'}, "claim 2: unknown key 'metrc'. Did you mean 'metric'?"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_its_place(tmp_path, changes, told):
    with pytest.raises(SpecError) as error:
        read(tmp_path, table() + table(**changes))
    [line] = str(error.value).splitlines()
    assert line.startswith(f"{tmp_path / 'claims.toml'}, {told}")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "must hold [[claim]] tables only, at least one."),
        ("claim = []", "must hold [[claim]] tables only, at least one."),
        ("claim = 3", "must hold [[claim]] tables only, at least one."),
        ('name = "x"\n' + table(), "must hold [[claim]] tables only, at least one."),
        ("[[claim]", "not valid TOML"),
    ],
)
def test_a_file_without_claims_is_refused(tmp_path, text, told):
    with pytest.raises(SpecError, match=r"claims\.toml: ") as error:
        read(tmp_path, text)
    assert told in str(error.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(SpecError, match="can't be read"):
        read_claims(tmp_path / "none.toml")
