import pytest
from voxbench.design.claim import EXAMPLE, parse, read_claims
from voxbench.errors import SpecError


def test_the_sentence_of_the_manual_is_read():
    found = parse(EXAMPLE)
    assert (found.arm, found.relation, found.other) == ("masked-autoencoder", "better", "scratch")
    assert (found.fraction, found.tasks, found.at_least) == ("10 shots", (), 2)
    assert (found.margin, found.metric, found.adaptation) == (0.01, "dice", "full")


@pytest.mark.parametrize(
    ("sign", "relation"),
    [(">", "better"), ("<", "worse"), (">=", "not worse"), ("≥", "not worse"),
     ("~", "equivalent"), ("≈", "equivalent")],
)  # fmt: skip
def test_each_relation_has_a_sign(sign, relation):
    assert parse(f"a {sign} b at 5% on liver").relation == relation


def test_labels_may_hold_brackets_commas_and_spaces():
    found = parse("mae[size=tiny,source=malf] > scratch[size=base] as obelisk at 1 shot on a and b")
    assert found.arm == "mae[size=tiny,source=malf]"
    assert found.other == "scratch[size=base] as obelisk"
    assert (found.fraction, found.tasks, found.margin) == ("1 shot", ("a", "b"), None)


@pytest.mark.parametrize(
    ("tasks", "names", "at_least"),
    [("every task", (), None), ("any task", (), 1), ("at least 3 tasks", (), 3),
     ("liver", ("liver",), None)],
)  # fmt: skip
def test_tasks_are_named_or_counted(tasks, names, at_least):
    found = parse(f"a > b at 0.5% on {tasks}")
    assert (found.tasks, found.at_least) == (names, at_least)


@pytest.mark.parametrize(
    ("sentence", "marked", "why"),
    [
        ("a beats b at 5% on liver", "beats", "expected >, <, >= or ~"),
        ("a >b at 5% on liver", ">b", "with spaces around it"),
        ("a > b on liver", "", "expected «at» after the other arm"),
        ("a > b at few on liver", "few", "expected a fraction"),
        ("a > b at 5%", "", "expected «on» after the fraction"),
        ("a > b at 5% on at least two tasks", "at least two", "«at least N tasks»"),
        ("a > b at 5% on at least 0 tasks", "at least 0", "N from 1 on"),
        ("a > b at 5% on liver, margin -1", "-1", "expected a number from 0 on"),
        ("a > b at 5% on liver, margin x", "x", "expected a number from 0 on"),
        ("a > b at 5% on liver, margn 1", "margn", "expected «margin»"),
    ],
)
def test_a_mistake_is_marked_where_it_is(sentence, marked, why):
    with pytest.raises(SpecError) as error:
        parse(sentence)
    message, shown, mark, example = str(error.value).splitlines()
    assert why in message
    assert shown[mark.index("^") :].startswith(marked)
    assert EXAMPLE in example


def read(tmp_path, text):
    path = tmp_path / "claims.toml"
    path.write_text(text)
    return read_claims(path)


def test_a_file_holds_sentences_with_options(tmp_path):
    [one, other] = read(
        tmp_path,
        '[[claim]]\nclaim = "a > b at 5% on liver"\nmetric = "nsd"\n'
        '[[claim]]\nclaim = "a ~ b at 5% on liver"\nadaptation = "frozen"\n',
    )
    assert (one.metric, one.adaptation) == ("nsd", "full")
    assert (other.metric, other.adaptation) == ("dice", "frozen")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "at least one"),
        ("claim = 3", "must hold [[claim]] tables"),
        ('name = "x"\n[[claim]]\nclaim = "a > b at 5% on x"', "must hold [[claim]] tables only"),
        ("[[claim]]\nmetric = 'dice'", "claim 1: has no sentence"),
        ('[[claim]]\nclaim = "a > b at 5% on x"\nmetrc = "nsd"', "Did you mean 'metric'?"),
        ('[[claim]]\nclaim = "a > b at 5% on x"\nmetric = 3', "metric must be text, not 3"),
        ("[[claim]", "is not valid TOML"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, text, why):
    with pytest.raises(SpecError, match=r"claims\.toml") as error:
        read(tmp_path, text)
    assert why in str(error.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(SpecError, match="can't be read"):
        read_claims(tmp_path / "none.toml")
