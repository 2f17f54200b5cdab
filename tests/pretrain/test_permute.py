"""The negative control keeps every tensor's values and loses their places."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.model.backbones import build
from bench.pretrain.objectives.permute import permuted


def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    state = build("unet", "tiny", 1).state_dict()
    return {name: torch.randn_like(t) if t.is_floating_point() else t for name, t in state.items()}


def test_every_tensor_keeps_its_sorted_values_and_its_shape():
    before = weights()
    after = permuted(before, seed=0)
    assert list(after) == list(before)
    for name, tensor in before.items():
        assert after[name].shape == tensor.shape
        assert torch.equal(after[name].flatten().sort().values, tensor.flatten().sort().values)


def test_places_are_lost_in_every_tensor_of_more_than_a_few_values():
    before = weights()
    after = permuted(before, seed=0)
    for name, tensor in before.items():
        if tensor.is_floating_point() and tensor.numel() > 8:
            kept = (after[name] == tensor).float().mean()
            assert kept < 0.5, name


def test_tables_of_positions_stay_as_they_are():
    before = {"table": torch.arange(100), "weight": torch.arange(100.0)}
    after = permuted(before, seed=0)
    assert torch.equal(after["table"], before["table"])
    assert not torch.equal(after["weight"], before["weight"])


@given(st.integers(0, 1000))
def test_the_seed_and_the_name_decide_the_order(seed):
    tensors = {"a": torch.arange(64.0), "b": torch.arange(64.0)}
    first = permuted(tensors, seed)
    assert torch.equal(first["a"], permuted(tensors, seed)["a"])
    assert not torch.equal(first["a"], first["b"])
    assert not torch.equal(first["a"], permuted(tensors, seed + 1)["a"])


def test_the_given_tensors_are_left_alone():
    tensor = torch.arange(64.0)
    permuted({"a": tensor}, seed=0)
    assert torch.equal(tensor, torch.arange(64.0))
