"""`voxbench pretrain` writes weights with a card, and names what is wrong in the call."""

import json

import pytest
from voxbench.pretrain.card import read_card

from tests.running.conftest import EXAMPLE
from tests.running.test_union import folder

FAST = ("--set", "steps=1", "--set", "patch=[16,16,16]", "--set", "augmentation=none")


@pytest.fixture
def pretrain(voxbench, tmp_path):
    def call(*words):
        output = ("-o", tmp_path / "mine.safetensors", "--include-path", EXAMPLE)
        return voxbench("pretrain", *output, *FAST, *words)

    return call


def test_weights_and_their_card(pretrain, tmp_path):
    words = ("supervised", "--source", "cubes", "--volumes", 3, "--field", "size=tiny", "--json")
    code, out, err = pretrain(*words, "--source-field", "volumes=12")
    assert code == 0, err
    told, card = json.loads(out), read_card(tmp_path / "mine.safetensors")
    assert (card.volumes, card.masks, card.pretraining.steps) == (3, 3, 1)
    assert told.pop("file") == str(tmp_path / "mine.safetensors")
    beside = json.loads((tmp_path / "mine.safetensors.json").read_text())
    assert told == beside
    assert "1 of" not in pretrain(*words[:-1])[1]


def test_several_sources_are_united(pretrain, tmp_path):
    root = folder(tmp_path / "more", "cube", "box")["root"]
    more = f'{{ name = "nnunet-folder", root = "{root}", patients = "case" }}'
    words = ("supervised", "--field", "size=tiny", "--source", more, "--source", "cubes")
    code, _, err = pretrain(*words)
    assert code == 0, err
    card = read_card(tmp_path / "mine.safetensors")
    assert (card.source, card.axes["source"]) == ("example-cubes-more", "example-cubes+more")
    assert card.corpora == ("example-cubes", "more")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("scratch",), "'scratch' is not pre-trained here"),
        (("supervized",), "Did you mean 'supervised'"),
        (("supervised", "--set", "stepps=3"), "unknown key 'stepps'"),
        (("supervised", "--set", "steps=0"), "steps"),
        (("supervised", "--field", "colour=red"), "unknown field 'colour'"),
        (("supervised", "--source", "cubes", "--volumes", 99), "ask for 1 to 7"),
        (("supervised", "--source", "cubes", "--source", "cubes"), "cubes is in it twice"),
        (("supervised", "--source", "{ union = ['cubes'] }"), "several are united by several"),
        (("supervised", "--source", "{ name = "), "--source"),
        (
            ("supervised", *2 * ("--source", "cubes"), "--source-field", "volumes=8"),
            "is of one source, and there are 2",
        ),
    ],
)
def test_a_mistake_in_the_call_is_named(pretrain, words, message, tmp_path):
    code, _, err = pretrain(*words)
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    assert not (tmp_path / "mine.safetensors").exists()
