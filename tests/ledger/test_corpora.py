import inspect
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from voxbench.errors import PluginError
from voxbench.ledger import corpora as ledger
from voxbench.ledger.corpora import Corpora, Corpus, corpora, read_corpora, registered
from voxbench.plugins import BASELINES, TASKS


def corpus(name, *parents, **fields):
    return Corpus(**{"name": name, "kind": ("CT",), "source": "x", "parents": parents, **fields})


def test_a_closure_holds_all_ancestors_and_nothing_else():
    known = Corpora([corpus("a"), corpus("b", "a"), corpus("c", "b"), corpus("d", "a")])
    assert known.closure(["c"]) == {"a", "b", "c"}
    assert known.closure(["a"]) == {"a"}
    assert known.closure(["c", "d"]) == {"a", "b", "c", "d"}


def test_suspected_parents_are_followed_only_when_asked():
    known = Corpora([corpus("a"), corpus("b", perhaps=("a",))])
    assert known.closure(["b"]) == {"b"}
    assert known.closure(["b"], suspected=True) == {"a", "b"}


def test_spelling_does_not_matter_and_aliases_lead_to_one_name():
    known = Corpora([corpus("FLARE'23", aliases=("FLARE 2023",))])
    assert {known.find(n).name for n in ("flare23", "FLARE-23", "flare2023")} == {"FLARE'23"}


def test_names_in_other_letters_are_names_of_their_own():
    names = ("数据集一", "数据集二", "ΑΒΓ", "αβδ", "Ω-1", "†", "‡")
    known = Corpora([corpus(name) for name in names])
    assert [known.find(name).name for name in names] == list(names)
    assert known.find("αβγ").name == "ΑΒΓ"
    assert known.find("ω1").name == "Ω-1"


def test_an_unknown_name_is_told_with_the_nearest():
    with pytest.raises(PluginError, match=r"unknown corpus 'LiTZ'. Did you mean 'LiTS'"):
        corpora().find("LiTZ")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([corpus("a"), corpus("A")], "share the name"),
        ([corpus("a"), corpus("b", aliases=("a",))], "share the name"),
        ([corpus("b", "a")], "corpus 'b': unknown corpus 'a'"),
        ([corpus("a", "b"), corpus("b", "a")], "its own ancestor"),
    ],
)
def test_a_ledger_that_contradicts_itself_is_refused(found, message):
    with pytest.raises(PluginError, match=message):
        Corpora(found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a", "not valid TOML"),
        ("a = 1", "expected a table"),
        ('[a]\nkind = ["CT"]', "a: source: Field required"),
        ('[a]\nkind = ["US"]\nsource = "x"', "a: kind.0"),
        ('[a]\nkind = ["CT"]\nsource = "x"\nname = "b"', "table's own name"),
    ],
)
def test_a_broken_file_is_named_with_the_field(text, message):
    with pytest.raises(PluginError, match=message):
        read_corpora(text, "mine:corpora.toml")


def test_a_file_of_others_that_contradicts_the_rest_is_left_out(monkeypatch):
    files = {
        "mine:a.toml": [corpus("mine", "theirs")],
        "theirs:b.toml": [corpus("theirs")],
        "wrong:c.toml": [corpus("other"), corpus("Theirs")],
        "wrong:d.toml": [corpus("child", "nowhere")],
    }
    entries = [EntryPoint(f"entry {i}", file, "voxbench.corpora") for i, file in enumerate(files)]
    monkeypatch.setattr(ledger.metadata, "entry_points", lambda group: entries)
    monkeypatch.setattr(ledger, "_read", files.get)
    known = inspect.unwrap(registered)()
    assert [one.name for one in known.all] == ["mine", "theirs"]
    assert known.broken.keys() == {"wrong:c.toml", "wrong:d.toml"}
    assert "share the name 'theirs'" in known.broken["wrong:c.toml"]
    assert "unknown corpus 'nowhere'" in known.broken["wrong:d.toml"]


def test_every_corpus_of_a_card_is_registered():
    known = corpora()
    assert not known.broken
    for name in BASELINES.plugins():
        for one in BASELINES.find(name).card.pretraining_data:
            known.find(one, f"baseline {name}: ")
    for name in TASKS.plugins():
        kind = TASKS.find(name)
        if kind.layout is None:  # the card of a folder is read from it
            card = kind(root=Path()).card
            assert card.corpora, name
            for one in card.corpora:
                known.find(one, f"task {name}: ")
