"""Weights files are read whoever wrote them, and nothing in them is run."""

import argparse
import os
import pathlib
import pickle
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from voxbench.errors import WeightsError
from voxbench.model.weights import read_settings, read_weights, sha256

TENSORS = {"conv.weight": torch.arange(6.0).view(2, 3), "conv.bias": torch.ones(2)}


def same(tensors) -> bool:
    return tensors.keys() == TENSORS.keys() and all(
        torch.equal(tensors[name], TENSORS[name]) for name in TENSORS
    )


def torch_file(path, content, **options):
    torch.save(content, path, **options)
    return path


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".model", ".ckpt"])
def test_torch_files_are_read_under_any_suffix(tmp_path, suffix):
    assert same(read_weights(torch_file(tmp_path / f"w{suffix}", TENSORS)))


def test_torch_files_of_the_old_format_are_read(tmp_path):
    path = torch_file(tmp_path / "w.pth", TENSORS, _use_new_zipfile_serialization=False)
    assert same(read_weights(path))


def test_safetensors_are_read(tmp_path):
    save_file(TENSORS, tmp_path / "w.safetensors")
    assert same(read_weights(tmp_path / "w.safetensors"))


def test_numpy_archives_are_read(tmp_path):
    np.savez(tmp_path / "w.npz", **{name: t.numpy() for name, t in TENSORS.items()})
    assert same(read_weights(tmp_path / "w.npz"))


@pytest.mark.parametrize("wrapper", ["state_dict", "network_weights", "net", "student", "model"])
def test_wrappers_are_opened(tmp_path, wrapper):
    content = {wrapper: TENSORS, "epoch": 7, "optimizer": {"lr": 0.1}}
    assert same(read_weights(torch_file(tmp_path / "w.pt", content)))


def test_the_first_known_wrapper_is_opened_and_nested_ones_too(tmp_path):
    other = {"x": torch.zeros(1)}
    content = {"student": other, "state_dict": {"model": TENSORS}}
    assert same(read_weights(torch_file(tmp_path / "w.pt", content)))


@pytest.mark.parametrize("prefix", ["module.", "backbone.", "module.backbone.", "module.module."])
def test_repeated_prefixes_are_stripped(tmp_path, prefix):
    content = {prefix + name: tensor for name, tensor in TENSORS.items()}
    assert same(read_weights(torch_file(tmp_path / "w.pt", content)))


def test_two_tensors_of_one_name_are_refused(tmp_path):
    content = {"module.w": torch.zeros(1), "module.backbone.w": torch.ones(1)}
    with pytest.raises(WeightsError, match="two tensors are called w"):
        read_weights(torch_file(tmp_path / "w.pt", content))


def test_settings_beside_the_tensors_are_stood_in_for(tmp_path):
    settings = {
        "args": argparse.Namespace(lr=0.1, out=pathlib.PurePosixPath("x")),
        "best": np.float64(0.9),
        "curve": np.arange(3.0),
    }
    assert same(read_weights(torch_file(tmp_path / "w.pt", {"state_dict": TENSORS, **settings})))


def test_plain_settings_are_kept_also_from_tables_that_hold_other_things(tmp_path):
    beside = {"init": {"fold": 0, "device": torch.device("cuda"), "plan": {"at": [1.5, 2]}}}
    beside |= {"optimizer": {"state": {0: {"step": torch.ones(1)}}}, 7: "seven"}
    path = torch_file(tmp_path / "w.pt", {"state_dict": TENSORS, **beside})
    expected = {"init": {"fold": 0, "plan": {"at": [1.5, 2]}}, "7": "seven"}
    assert read_weights(path).beside == read_settings(path) == expected
    with pytest.raises(WeightsError, match="not a readable weights file"):
        read_settings(__file__)


class Malicious:
    def __init__(self, function, argument):
        self.call = function, (argument,)

    def __reduce__(self):
        return self.call


def attacks(marker):
    yield "posix.system", Malicious(os.system, f"touch {marker}")
    yield "eval", Malicious(eval, f"open({str(marker)!r}, 'w')")
    yield "getattr", Malicious(pathlib.Path.touch, marker)


@pytest.mark.parametrize("attack", range(3))
@pytest.mark.parametrize("modern", [True, False])
def test_a_file_that_would_run_code_is_refused_and_runs_nothing(tmp_path, attack, modern):
    marker = tmp_path / "ran"
    name, payload = list(attacks(marker))[attack]
    content = {**TENSORS, "extra": payload}
    path = torch_file(tmp_path / "w.pt", content, _use_new_zipfile_serialization=modern)
    with pytest.raises(WeightsError, match=rf"{path}: refused, it would run .*{name}"):
        read_weights(path)
    assert not marker.exists()


def test_a_bare_pickle_is_refused_and_runs_nothing(tmp_path):
    marker = tmp_path / "ran"
    path = tmp_path / "w.pt"
    path.write_bytes(pickle.dumps(Malicious(os.system, f"touch {marker}")))
    with pytest.raises(WeightsError, match="refused"):
        read_weights(path)
    assert not marker.exists()


def test_objects_in_a_numpy_archive_are_refused(tmp_path):
    marker = tmp_path / "ran"
    array = np.array([Malicious(os.system, f"touch {marker}")], dtype=object)
    np.savez(tmp_path / "w.npz", array)
    with pytest.raises(WeightsError, match="not a readable weights file"):
        read_weights(tmp_path / "w.npz")
    assert not marker.exists()


def test_an_empty_torchscript_archive_is_refused(tmp_path):
    path = tmp_path / "w.pt"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("constants.pkl", "data.pkl", "version", "code/__torch__.py"):
            archive.writestr(f"w/{name}", b"")
    with pytest.raises(WeightsError, match="not a readable weights file"):
        read_weights(path)


@pytest.mark.parametrize("suffix", [".pt", ".safetensors", ".npz"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_file_is_refused(tmp_path, suffix, share):
    path = tmp_path / f"w{suffix}"
    {
        ".pt": lambda: torch.save(TENSORS, path),
        ".safetensors": lambda: save_file(TENSORS, path),
        ".npz": lambda: np.savez(path, **{name: t.numpy() for name, t in TENSORS.items()}),
    }[suffix]()
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(WeightsError, match=str(path)):
        read_weights(path)


@pytest.mark.parametrize("content", [{}, {"epoch": 3}, [torch.ones(2)]])
def test_a_file_without_named_tensors_is_refused(tmp_path, content):
    with pytest.raises(WeightsError, match="no tensors"):
        read_weights(torch_file(tmp_path / "w.pt", content))


def test_values_that_are_not_finite_are_refused(tmp_path):
    content = {**TENSORS, "bad": torch.tensor([1.0, float("nan")])}
    with pytest.raises(WeightsError, match="bad has values that are not finite"):
        read_weights(torch_file(tmp_path / "w.pt", content))


def test_a_missing_file_is_named(tmp_path):
    for function in (read_weights, sha256):
        with pytest.raises(WeightsError, match=r"gone\.pt: no such weights file"):
            function(tmp_path / "gone.pt")


def test_another_checksum_than_expected_is_refused(tmp_path):
    path = torch_file(tmp_path / "w.pt", TENSORS)
    assert same(read_weights(path, sha256(path)))
    with pytest.raises(WeightsError, match="the baseline's card says 000"):
        read_weights(path, "0" * 64)


def test_a_changed_file_gets_another_checksum(tmp_path):
    path = torch_file(tmp_path / "w.pt", TENSORS)
    first = sha256(path)
    assert sha256(path) == first
    torch_file(path, {"x": torch.ones(100)})
    assert sha256(path) != first


@pytest.mark.realdata
def test_published_files_are_read(real_weights):
    unet = read_weights(real_weights / "allconvunet_tcia_fold1.pth")
    assert unet["conv0.weight"].shape == (5, 1, 3, 3, 3)
    assert all(tensor.device.type == "cpu" for tensor in unet.values())
    assert read_weights(real_weights / "hippodeep.pt")["conv0a.weight"].shape == (16, 16, 3, 1, 1)
    squeezenet = read_weights(real_weights / "squeezenet_v1.0_imagenet_decoded.npz")
    assert squeezenet["conv1.weight"].shape == (96, 3, 7, 7)
