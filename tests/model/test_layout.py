"""Wrappers are opened and prefixes stripped, whoever packed the file, and the choice is told."""

import pytest
import torch
from safetensors.torch import save_file
from voxbench.errors import WeightsError
from voxbench.model.layout import AVERAGES, FileLayout
from voxbench.model.weights import read_weights

TENSORS = {f"layer{i}.{kind}": torch.full((2,), i + 1.0) for i in range(8) for kind in "ab"}
OTHERS = {name: -tensor for name, tensor in TENSORS.items()}


def read(tmp_path, content):
    torch.save(content, tmp_path / "w.ckpt")
    return read_weights(tmp_path / "w.ckpt")


def same(found, tensors=TENSORS) -> bool:
    return found.keys() == tensors.keys() and all(torch.equal(found[n], tensors[n]) for n in found)


def prefixed(prefix, tensors=TENSORS):
    return {f"{prefix}{name}": tensor for name, tensor in tensors.items()}


TRAINED = ("model.", "net.", "network.", "encoder.", "model.backbone.", "net.encoder.")


@pytest.mark.parametrize("prefix", [*TRAINED, "module.model.net."])
def test_the_name_that_a_trainer_gives_its_network_is_stripped(tmp_path, prefix):
    found = read(tmp_path, {"state_dict": prefixed(prefix), "pytorch-lightning_version": "2.6"})
    assert same(found)
    assert found.layout.prefixes == (prefix,)


def test_a_loss_beside_the_network_keeps_its_name(tmp_path):
    loss = {f"criterion.{i}": torch.ones(3) for i in range(4)}
    assert same(read(tmp_path, {"state_dict": prefixed("model.") | loss}), TENSORS | loss)


def test_a_part_that_is_called_so_keeps_its_name(tmp_path):
    both = prefixed("encoder.") | prefixed("decoder.", OTHERS)
    assert same(read(tmp_path, both), both)
    nearly = prefixed("encoder.") | {"out.weight": torch.ones(1)}
    assert same(read(tmp_path, nearly), nearly)


def test_a_safetensors_file_keeps_its_encoder(tmp_path):
    save_file(prefixed("encoder."), tmp_path / "w.safetensors")
    assert same(read_weights(tmp_path / "w.safetensors"), prefixed("encoder."))


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("wrapper", ["model", "state_dict"])
def test_the_moving_average_is_taken_and_the_last_weights_are_told(tmp_path, average, wrapper):
    found = read(tmp_path, {wrapper: OTHERS, average: TENSORS, "optimizer": {"state": {0: OTHERS}}})
    assert same(found)
    assert found.layout == FileLayout("torch", (average,), passed_over=(wrapper,))
    assert found.layout.choice == f"{average}, not {wrapper}"


def test_a_moving_average_s_own_settings_are_no_tensors(tmp_path):
    found = read(tmp_path, {"model": OTHERS, "ema": {"decay": 0.999, "shadow": TENSORS}})
    assert same(found)
    assert found.layout.wrappers == ("ema", "shadow")
    assert same(read(tmp_path, {"model": TENSORS, "ema": {"decay": 0.999}}))


def test_the_student_is_taken_and_its_teacher_told(tmp_path):
    found = read(tmp_path, {"teacher": OTHERS, "student": TENSORS})
    assert same(found)
    assert found.layout.passed_over == ("teacher",)


def test_two_tensors_of_one_name_name_the_file(tmp_path):
    content = {"module.w": torch.ones(1), "module.backbone.w": torch.ones(1)}
    with pytest.raises(WeightsError, match=r"w\.ckpt: two tensors are called w"):
        read(tmp_path, content)
