"""The negative control keeps every tensor's values and loses their places."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from voxbench.plugins import find_architecture
from voxbench_baselines.objectives.permute import permuted, rescaled


def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    state = find_architecture("unet").build("tiny", 1).state_dict()
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


def test_kernels_are_brought_to_the_norm_of_others_and_vectors_stay():
    tensors = {"kernel": torch.tensor([[3.0, 0.0], [0.0, -4.0]]), "bias": torch.tensor([3.0, 4.0])}
    like = {"kernel": torch.tensor([[0.0, 1.0], [0.0, 0.0]]), "bias": torch.tensor([1.0, 0.0])}
    after = rescaled(tensors, like)
    torch.testing.assert_close(after["kernel"], torch.tensor([[0.6, 0.0], [0.0, -0.8]]))
    assert torch.equal(after["bias"], tensors["bias"])


def test_a_kernel_of_zeros_and_tables_of_positions_have_no_scale():
    tensors = {"kernel": torch.zeros(2, 2), "table": torch.ones(2, 2, dtype=torch.int64)}
    after = rescaled(tensors, {"kernel": torch.ones(2, 2), "table": torch.zeros(2, 2).long()})
    assert all(torch.equal(after[name], tensor) for name, tensor in tensors.items())
