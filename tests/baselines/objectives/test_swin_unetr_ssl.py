"""Views are turned, cut out and told apart; all three tasks read the coarsest map alone."""

import math

import pytest
import torch
from voxbench.errors import SpecError
from voxbench.fit.terms import total
from voxbench.plugins import find_architecture
from voxbench_baselines.objectives.pooled import pooled
from voxbench_baselines.objectives.swin_unetr_ssl import (
    RestoringHead,
    SwinUnetrSSLObjective,
    cut_out,
    random_cut,
)
from voxbench_baselines.swin_unetr_ssl import SwinUnetrSSL

from tests.baselines.objectives.learning import losses, waves

NOTHING = torch.zeros(0)


def objective(**options) -> SwinUnetrSSLObjective:
    torch.manual_seed(0)
    return SwinUnetrSSLObjective(
        find_architecture("unet").build("tiny", 1), 1, SwinUnetrSSL(**options)
    )


def test_a_view_loses_up_to_three_tenths_to_blocks():
    torch.manual_seed(0)
    mask = random_cut(torch.zeros(200, 1, 32, 32, 16), 0.3)
    shares = mask.float().mean((1, 2, 3, 4))
    block = 8 * 8 * 4 / (32 * 32 * 16)  # that the goal is passed by
    assert shares.max() <= 0.3 + block
    assert 0.08 < shares.mean() < 0.17, "half of 0.3, less what blocks share"
    assert shares.min() < 0.02


def test_blocks_are_at_most_a_quarter_of_each_side():
    torch.manual_seed(0)
    mask = random_cut(torch.zeros(300, 1, 32, 32, 16), 1e-6).squeeze(1)
    for one in mask:
        places = one.nonzero()
        extent = places.amax(0) - places.amin(0) + 1
        assert (extent <= torch.tensor([8, 8, 4])).all()
        assert len(places) == extent.prod(), "the goal is met by the first block"


def test_what_is_cut_holds_noise_or_what_another_view_has_there():
    torch.manual_seed(0)
    views = torch.arange(4.0).view(4, 1, 1, 1, 1).expand(4, 1, 16, 16, 16)
    views = views + torch.linspace(0, 0.5, 16)
    cut = cut_out(views, 0.3)
    foreign = torch.zeros_like(cut, dtype=torch.bool)
    for i in range(4):
        for j in set(range(4)) - {i}:
            foreign[i] |= cut[i] == views[j]
    kept, others = cut == views, foreign & (cut != views)
    assert kept.float().mean() > 0.5
    assert others.any(), "patches of other views"
    noise = ~(kept | others)
    assert noise.any()
    assert all(cut[i].min() >= views.min() and cut[i].max() <= views.max() for i in range(4))


def test_a_patch_is_summed_up_by_mean_and_maximum():
    features = torch.arange(16.0).view(1, 2, 2, 2, 2)
    assert pooled(features).tolist() == [[3.5, 11.5, 7.0, 15.0]]


def test_the_head_doubles_the_resolution_as_often_as_the_encoder_halved_it():
    encoder = find_architecture("unet").build("tiny", 1).encoder
    head = RestoringHead(encoder, 2)
    assert 2 ** len(head.blocks) == encoder.strides[-1]
    coarsest = encoder(torch.zeros(1, 1, 32, 16, 16))[-1]
    assert head(coarsest, torch.Size((32, 16, 16))).shape == (1, 2, 32, 16, 16)


def test_a_map_of_one_voxel_cannot_be_restored_from():
    head = RestoringHead(find_architecture("unet").build("tiny", 1).encoder, 1)
    with pytest.raises(SpecError, match=r"patch \(8, 8, 8\).*double an axis"):
        head(torch.zeros(1, head.blocks[0][0].in_channels, 1, 1, 1), torch.Size((8, 8, 8)))


def test_the_coarsest_map_alone_is_read_and_the_decoder_left_alone():
    module = objective()
    total(module(torch.randn(2, 1, 32, 32, 32), NOTHING, NOTHING)).backward()
    assert all(p.grad is None for p in module.backbone.decoder.parameters())
    others = [p for n, p in module.named_parameters() if not n.startswith("backbone.decoder")]
    assert all(p.grad is not None and p.grad.any() for p in others)


def test_the_terms_have_the_weights_that_are_asked_for():
    torch.manual_seed(1)
    terms = objective(inpainting=0.0, contrast=2.0)(torch.randn(2, 1, 16, 16, 16), NOTHING, NOTHING)
    rotation, contrast = terms["rotation"].value, terms["contrast"].value
    assert total(terms).item() == pytest.approx((rotation + 2 * contrast).item())
    assert terms["rotation"].trivial["chance"] == pytest.approx(math.log(4))


def test_it_learns():
    first, last = losses(objective(), waves(2), steps=16)
    assert last < 0.9 * first
