"""A load is proved, or refused with the names of what did not fit."""

import pytest
import torch
from voxbench.errors import WeightsError
from voxbench.model.audit import activations, load_weights, probe
from voxbench.model.backbones import Backbone
from voxbench.model.comparison import compare_tensors
from voxbench.plugins import find_architecture


def network(seed: int = 0, channels: int = 1) -> Backbone:
    torch.manual_seed(seed)
    return find_architecture("unet").build("tiny", channels)


def weights(seed: int = 1, channels: int = 1) -> dict[str, torch.Tensor]:
    return network(seed, channels).state_dict()


def attempt(backbone, tensors, min_loaded=0.9, left_over=()):
    return load_weights(
        backbone, tensors, min_loaded=min_loaded, in_channels=1, left_over=left_over
    )


def equal(backbone, tensors) -> bool:
    state = backbone.state_dict()
    return all(torch.equal(state[name], tensors[name]) for name in state)


def test_all_tensors_arrive_in_encoder_and_decoder():
    backbone, tensors = network(), weights()
    audit = attempt(backbone, tensors)
    assert equal(backbone, tensors)
    assert (audit.loaded_share, audit.loaded_total_share) == (1, 1)
    assert audit.missing == audit.unused == []


def test_the_proof_differs_before_and_after_and_repeats_itself():
    first, second = attempt(network(), weights()), attempt(network(), weights())
    assert first == second
    assert first.hash_before != first.hash_after
    assert first.activation_before != first.activation_after
    assert len(first.activation_after) == 2 * 3


def test_the_hash_names_the_weights_not_the_network_they_met():
    audits = [attempt(network(seed), weights(9)) for seed in (0, 1)]
    assert audits[0].hash_before != audits[1].hash_before
    assert audits[0].hash_after == audits[1].hash_after
    assert audits[0].activation_after == audits[1].activation_after


def test_an_encoder_alone_is_enough_and_the_share_says_so():
    backbone = network()
    encoder = {n: t for n, t in weights().items() if n.startswith("encoder.")}
    audit = attempt(backbone, encoder)
    inside = sum(p.numel() for p in backbone.encoder.parameters())
    assert audit.loaded_share == 1
    assert audit.loaded_total_share == inside / sum(p.numel() for p in backbone.parameters())


def test_a_head_finds_no_place_and_the_card_must_say_so():
    tensors = {**weights(), "head.weight": torch.ones(3, 8, 1, 1, 1)}
    audit = attempt(network(), tensors, left_over=("head.*",))
    assert audit.unused == ["head.weight"]
    assert audit.file_share == pytest.approx(1 - 24 / sum(t.numel() for t in tensors.values()))
    with pytest.raises(WeightsError, match=r"file's tensors 1 find no place here.* head\.weight"):
        attempt(network(), tensors)


def test_what_a_loss_or_a_counter_leaves_in_a_file_is_no_objection():
    extra = {"criterion.weight": torch.ones(3), "bn.num_batches_tracked": torch.tensor(3)}
    assert attempt(network(), weights() | extra).unused == sorted(extra)


def test_a_kernel_of_whole_numbers_is_no_kernel():
    quantised = weights()
    name = "encoder.levels.1.0.0.weight"
    quantised[name] = (quantised[name] * 100).to(torch.int8)
    with pytest.raises(WeightsError, match=rf"{name} \(has \(32, 16, 3, 3, 3\) int8, needs"):
        attempt(network(), quantised, min_loaded=1.0)


def test_a_kernel_of_zeros_is_refused_by_its_name():
    blank, backbone = weights(), network()
    blank["encoder.levels.1.0.0.weight"] = torch.zeros_like(blank["encoder.levels.1.0.0.weight"])
    with pytest.raises(WeightsError, match=r"nothing but zeros: encoder\.levels\.1\.0\.0\.weight"):
        attempt(backbone, blank)
    assert equal(backbone, weights(0))


def test_a_bias_of_zeros_is_as_good_as_any():
    tensors = weights()
    tensors["encoder.levels.1.0.1.bias"] = torch.zeros(32)
    assert attempt(network(), tensors).loaded_share == 1


def test_too_little_fails_with_the_names_and_leaves_the_network_alone():
    backbone, before = network(), weights(0)
    strange = {f"net.{name}": tensor for name, tensor in weights().items()}
    with pytest.raises(WeightsError) as caught:
        attempt(backbone, strange)
    message = str(caught.value)
    assert "only 0.0% of the encoder's parameters fit, at least 90% must" in message
    assert "encoder.levels.0.0.0.weight" in message
    assert "no place for: net.decoder." in message
    assert "of another shape: none" in message
    assert equal(backbone, before)


def test_a_long_list_of_names_is_cut():
    tensors = {f"extra.{i:02}": torch.ones(1) for i in range(20)}
    with pytest.raises(WeightsError, match=r"extra\.11 and 8 more"):
        attempt(network(), tensors)


def test_another_shape_does_not_fit_and_is_told():
    tensors = weights(channels=2)
    name = "encoder.levels.0.0.0.weight"
    audit = attempt(network(), tensors, min_loaded=0.5, left_over=(name,))
    assert audit.missing == ["encoder.levels.0.0.0.weight"]
    assert audit.unused == [
        "encoder.levels.0.0.0.weight (has (16, 2, 3, 3, 3), needs (16, 1, 3, 3, 3))"
    ]
    assert 0.99 < audit.loaded_share < 1


def test_weights_that_change_nothing_are_refused():
    with pytest.raises(WeightsError, match="nothing was loaded"):
        attempt(network(0), weights(0))


def test_a_norm_without_its_statistics_is_half_loaded():
    torch.manual_seed(0)
    backbone = find_architecture("efficientnet-lite0").build("lite0", 1)
    tensors = {
        name: tensor + 0.01 if tensor.is_floating_point() else tensor
        for name, tensor in backbone.state_dict().items()
        if not name.endswith("running_var")
    }
    with pytest.raises(WeightsError, match=r"half loaded: .* statistics, encoder\._blocks\.0"):
        attempt(backbone, tensors)


def test_a_norm_that_is_not_loaded_needs_no_statistics():
    torch.manual_seed(0)
    backbone = find_architecture("efficientnet-lite0").build("lite0", 1)
    tensors = {
        name: tensor + 0.01
        for name, tensor in backbone.state_dict().items()
        if tensor.is_floating_point() and "_bn0." not in name
    }
    audit = attempt(backbone, tensors, min_loaded=0.9)
    assert "encoder._bn0.running_var" in audit.missing
    assert 0.9 < audit.loaded_share < 1


def test_tensors_of_another_shape_are_named_apart_from_the_strange_ones():
    strange = {f"extra.{i:02}": torch.ones(1) for i in range(20)}
    with pytest.raises(
        WeightsError, match=r"of another shape: encoder\.levels\.0\.0\.0\.weight \(has"
    ):
        attempt(network(), {**weights(channels=2), **strange}, min_loaded=1.0)


def test_tensors_are_compared_by_shape_alone_on_the_meta_device():
    with torch.device("meta"):
        backbone, tensors = network(), weights()
    found = compare_tensors(backbone, tensors)
    assert (found.share, found.total_share, found.missing) == (1, 1, [])
    assert found.objection(1.0) is None


def test_the_fingerprint_leaves_the_network_in_its_mode():
    backbone = network()
    for training in (True, False):
        backbone.train(training)
        activations(backbone, 1)
        assert all(module.training == training for module in backbone.modules())


def test_the_probe_is_always_the_same_and_differs_by_channel():
    assert torch.equal(probe((32, 32, 32), 2), probe((32, 32, 32), 2))
    first, second = probe((32, 32, 32), 2)[0]
    assert not torch.equal(first, second)
    assert abs(float(first.mean())) < 0.2
