"""Weights that are handed on tell what they are, and give what making them anew gives."""

import json

import pytest
import torch
from safetensors.torch import save_file
from voxbench.data.split import split_cases
from voxbench.design.cell import Ref
from voxbench.design.recipe import Pretraining
from voxbench.errors import SpecError, WeightsError
from voxbench.model.weights import read_weights, sha256
from voxbench.plugins import find_baseline
from voxbench.pretrain.card import read_card
from voxbench.pretrain.checkpoint import write_checkpoint
from voxbench.pretrain.head import split_head
from voxbench.testing.baseline_checks import BaselineChecks
from voxbench_baselines.checkpoint_file import CheckpointFile
from voxbench_baselines.masked_autoencoder import MaskedAutoencoder
from voxbench_baselines.scratch import Scratch

from tests.data.toy import card, toy, write_case
from tests.pretrain.making import make, plan

RECIPE = Pretraining(steps=1, patch=(16, 16, 16), augmentation="none")
MASKED = MaskedAutoencoder(size="tiny", cube=4, volumes=3)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    cases = [write_case(folder, f"case{i}") for i in range(8)]
    return toy(folder, cases, corpora=("brains",), licence="CC0", reference="who drew them")


@pytest.fixture(scope="module")
def written(source, tmp_path_factory):
    path = tmp_path_factory.mktemp("shared") / "mine.safetensors"
    write_checkpoint(path, plan(MASKED, source, RECIPE), threads=2)
    return path


def test_the_card_says_what_the_weights_are_and_what_they_cost(written, source):
    told, made = read_card(written), make(MASKED, source, RECIPE)
    assert (told.name, told.strategy) == ("masked-autoencoder", "self-supervised")
    assert (told.architecture, told.size, told.in_channels) == ("unet", "tiny", 1)
    assert (told.source, told.corpora, told.licence) == ("toy", ("brains",), "CC0")
    assert told.axes["cube"] == 4
    assert (told.volumes, told.masks) == (3, 0)
    assert told.cpu_hours == made.cost.cpu_hours > 0
    assert told.pretraining == RECIPE
    assert told.preprocessing == source.card.preprocessing
    assert len(split_cases(source).train) > told.volumes


def test_the_card_lies_beside_the_file_with_its_checksum(written):
    beside = json.loads(written.with_name("mine.safetensors.json").read_text())
    assert beside.pop("sha256") == sha256(written)
    assert beside == read_card(written).model_dump(mode="json")
    assert str(written.parent) not in json.dumps(beside)


def test_the_file_holds_the_weights_that_a_sweep_would_make(written, source):
    found = make(MASKED, source, RECIPE)
    (ours, head), made = split_head(read_weights(written)), read_weights(found.path)
    assert ours.keys() == made.keys()
    assert all(torch.equal(ours[name], made[name]) for name in made)
    assert {n: tuple(t.shape) for n, t in head.items()} == {
        "token": (1, 1, 1, 1, 1),
        "head.weight": (1, 8, 1, 1, 1),
        "head.bias": (1,),
    }
    assert head["head.weight"].equal(read_weights(found.head)["head.weight"])


def test_weights_that_were_made_before_heads_were_kept_are_used_as_they_are(source, tmp_path):
    found = make(MASKED, source, RECIPE)
    kept = found.head.read_bytes()
    found.head.unlink()
    try:
        assert make(MASKED, source, RECIPE) == found._replace(head=None)
        path = tmp_path / "old.safetensors"
        write_checkpoint(path, plan(MASKED, source, RECIPE))
        assert read_weights(path).keys() == read_weights(found.path).keys()
    finally:
        found.head.write_bytes(kept)


def test_a_checkpoint_takes_its_card_from_its_file(written):
    baseline = find_baseline(Ref.of("checkpoint-file", {"weights": str(written)}))
    assert baseline.card.name == "checkpoint-file"
    assert baseline.card.strategy == "self-supervised"
    assert baseline.card.pretraining_data == ("brains",)
    assert baseline.card.licence == "CC0"
    assert Scratch(**baseline.twin[1]) == Scratch(architecture="unet", size="tiny")


def test_a_checkpoint_keeps_the_contract(written):
    suite = BaselineChecks()
    suite.baseline = CheckpointFile(weights=str(written))
    suite.test_it_can_be_sent_to_a_worker()
    suite.test_its_weights_reach_the_encoder()
    suite.test_its_twin_has_the_same_network()


def test_another_number_of_channels_is_unfit(written):
    baseline = CheckpointFile(weights=str(written))
    assert baseline.unfit(card()) is None
    assert "expect 1 channel(s), the task has 2" in baseline.unfit(card(channels=("t1", "t2")))


def test_a_file_without_a_card_or_with_a_damaged_one_is_refused(tmp_path):
    tensors, path = {"a": torch.zeros(2)}, tmp_path / "other.safetensors"
    save_file(tensors, path)
    with pytest.raises(WeightsError, match="carries no card"):
        CheckpointFile(weights=str(path))
    save_file(tensors, path, {"voxbench": '{"name": 3}'})
    with pytest.raises(WeightsError, match="its card is damaged: "):
        read_card(path)
    path.write_bytes(b"no tensors at all")
    with pytest.raises(WeightsError, match="not a readable"):
        read_card(path)
    with pytest.raises(WeightsError, match="not a readable"):
        CheckpointFile(weights=str(tmp_path / "nowhere.safetensors"))


def test_weights_are_written_as_safetensors_alone(source, tmp_path):
    with pytest.raises(SpecError, match="give it that suffix"):
        write_checkpoint(tmp_path / "mine.pth", plan(MASKED, source, RECIPE))
