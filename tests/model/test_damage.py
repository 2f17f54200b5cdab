"""A file that is not what was published is refused before it is read, and told what it is."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from voxbench.errors import WeightsError
from voxbench.model.weights import read_weights

TENSORS = {f"layer{i}.weight": torch.randn(64, 64) for i in range(4)}


def old(tensors, path):
    torch.save(tensors, path, _use_new_zipfile_serialization=False)


def arrays(tensors, path):
    np.savez(path, **{name: tensor.numpy() for name, tensor in tensors.items()})


WRITERS = {"w.pt": torch.save, "old.pt": old, "w.safetensors": save_file, "w.npz": arrays}


def written(tmp_path, name):
    WRITERS[name](TENSORS, tmp_path / name)
    return tmp_path / name


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("share", [0.001, 0.2, 0.5, 0.99])
def test_a_file_that_ends_too_early_is_called_truncated(tmp_path, name, share):
    path = written(tmp_path, name)
    content = path.read_bytes()
    path.write_bytes(content[: max(9, int(share * len(content)))])
    with pytest.raises(WeightsError, match=rf"{path}: truncated \(.*get it again"):
        read_weights(path)


@pytest.mark.parametrize("name", WRITERS)
def test_an_empty_file_is_called_empty(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(WeightsError, match=rf"{name}: empty"):
        read_weights(tmp_path / name)


@pytest.mark.parametrize("name", ["w.pt", "w.npz"])
def test_inverted_bytes_are_found_by_the_archive_s_checksum(tmp_path, name):
    path = written(tmp_path, name)
    content = bytearray(path.read_bytes())
    place = content.find(TENSORS["layer2.weight"].numpy().tobytes()[:64])
    content[place : place + 64] = bytes(255 - byte for byte in content[place : place + 64])
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"damaged, .* has not the checksum"):
        read_weights(path)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("model-00002-of-00003.safetensors", "part 2 of 3 of a sharded checkpoint"),
        ("pytorch_model-00001-of-00002.bin", "part 1 of 2 of a sharded checkpoint"),
        ("model.safetensors.index.json", "the index of a sharded checkpoint"),
    ],
)
def test_a_part_of_a_sharded_checkpoint_gets_a_hint(tmp_path, name, said):
    (tmp_path / name).write_bytes(b"whatever")
    with pytest.raises(WeightsError, match=rf"{said}.*put the tensors of all parts into one file"):
        read_weights(tmp_path / name)


def test_the_only_part_is_the_whole(tmp_path):
    path = tmp_path / "model-00001-of-00001.safetensors"
    save_file(TENSORS, path)
    assert read_weights(path).keys() == TENSORS.keys()


def test_a_file_of_zeros_is_bad(tmp_path):
    torch.save({name: torch.zeros_like(t) for name, t in TENSORS.items()}, tmp_path / "w.pt")
    with pytest.raises(WeightsError, match=r"w\.pt: holds nothing but zeros"):
        read_weights(tmp_path / "w.pt")


def test_a_kernel_of_eight_bits_without_its_scale_is_refused(tmp_path):
    kernel = TENSORS["layer1.weight"].to(torch.float8_e4m3fn)
    torch.save({**TENSORS, "layer1.weight": kernel}, tmp_path / "w.pt")
    with pytest.raises(WeightsError, match=r"layer1\.weight is torch\.float8_e4m3fn, quantised"):
        read_weights(tmp_path / "w.pt")
