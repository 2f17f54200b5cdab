"""The norm of inflated networks is batch norm that bears small batches."""

import torch
from torch import nn
from voxbench.model.backbones.norm import SmallBatchNorm3d, with_small_batches


def norm(channels: int = 3) -> SmallBatchNorm3d:
    torch.manual_seed(0)
    module = SmallBatchNorm3d(channels, eps=1e-3)
    for tensor in (module.weight.data, module.bias.data, module.running_mean):
        tensor.normal_()
    module.running_var.uniform_(0.5, 2)
    return module


def test_in_evaluation_it_is_batch_norm():
    ours, plain = norm(), nn.BatchNorm3d(3, eps=1e-3)
    plain.load_state_dict(ours.state_dict())
    x = torch.randn(2, 3, 4, 4, 4)
    torch.testing.assert_close(ours.eval()(x), plain.eval()(x), rtol=1e-5, atol=1e-5)


def test_many_voxels_are_normalised_by_the_batch():
    ours, plain = norm(), nn.BatchNorm3d(3, eps=1e-3)
    plain.load_state_dict(ours.state_dict())
    x = torch.randn(2, 3, 48, 48, 48)
    torch.testing.assert_close(ours(x), plain(x), rtol=0, atol=0.02)


def test_a_single_voxel_is_normalised_by_what_was_seen_before():
    ours = norm()
    x = torch.randn(1, 3, 1, 1, 1, requires_grad=True)
    before = ours.eval()(x).detach()
    after = ours.train()(x)
    torch.testing.assert_close(after, before, rtol=0.02, atol=0.02)
    after.sum().backward()
    assert x.grad.abs().min() > 0.1 * ours.weight.detach().abs().min()


def test_the_blend_is_the_statistics_of_both_samples_together():
    """256 voxels of the prior and 256 of the batch, as one sample of 512."""
    ours = norm(1)
    prior = torch.randn(256)
    ours.running_mean[:] = prior.mean()
    ours.running_var[:] = prior.var(correction=0)
    batch = 3 + 2 * torch.randn(2, 1, 8, 4, 4)
    mean, var = ours._blended(batch, ours.running_mean.clone(), ours.running_var.clone())
    both = torch.cat([prior, batch.flatten()])
    torch.testing.assert_close(mean[0], both.mean())
    torch.testing.assert_close(var[0], both.var(correction=0))


def test_training_moves_the_statistics_and_a_frozen_norm_keeps_them():
    for frozen in (False, True):
        ours = norm().requires_grad_(not frozen)
        before = ours.running_mean.clone()
        ours.train()(torch.randn(2, 3, 4, 4, 4))
        assert torch.equal(ours.running_mean, before) == frozen


def test_fresh_batch_norms_are_replaced_at_any_depth():
    network = nn.Sequential(
        nn.BatchNorm3d(2), nn.Sequential(nn.Conv3d(2, 4, 1), nn.BatchNorm3d(4, eps=0.1))
    )
    names = set(network.state_dict())
    with_small_batches(network)
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm3d)]
    assert [(type(m), m.num_features, m.eps) for m in norms] == [
        (SmallBatchNorm3d, 2, 1e-5),
        (SmallBatchNorm3d, 4, 0.1),
    ]
    assert set(network.state_dict()) == names
