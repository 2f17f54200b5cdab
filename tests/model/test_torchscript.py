"""A TorchScript archive gives its tensors, and nothing in it is run or believed."""

import os
import pickle
import struct
import warnings
import zipfile

import pytest
import torch
from torch import nn
from voxbench.errors import WeightsError
from voxbench.model.weights import read_weights


@pytest.fixture(scope="module")
def scripted(tmp_path_factory):
    """A traced network and its archive."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv3d(1, 4, 3), nn.Sequential(nn.BatchNorm3d(4), nn.ReLU())).eval()
    path = tmp_path_factory.mktemp("script") / "network.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch advises against its own scripts
        torch.jit.trace(network, torch.zeros(1, 1, 4, 4, 4)).save(path)
    return network, path


def changed(path, to, change):
    """A copy of an archive; `change(name, bytes)` gives what each member becomes."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(to, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return to


def test_the_tensors_are_those_of_the_network(scripted):
    network, path = scripted
    found = read_weights(path)
    expected = network.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_the_code_in_it_is_never_looked_at(scripted, tmp_path):
    network, path = scripted
    spoilt = changed(path, tmp_path / "w.pt", lambda n, b: b"import os" if "/code/" in n else b)
    assert read_weights(spoilt).keys() == network.state_dict().keys()


class Malicious:
    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


@pytest.mark.parametrize(
    ("payload", "named"),
    [
        (lambda marker: Malicious(os.system, f"touch {marker}"), "system"),
        (lambda marker: Malicious(eval, f"open({str(marker)!r}, 'w')"), "eval"),
        (lambda marker: Malicious(torch.load, str(marker)), "load"),
    ],
)
def test_a_pickle_that_would_run_something_is_refused_by_name(scripted, tmp_path, payload, named):
    marker = tmp_path / "ran"
    hostile = pickle.dumps(payload(marker), protocol=2)
    change = changed(
        scripted[1], tmp_path / "w.pt", lambda n, b: hostile if n.endswith("data.pkl") else b
    )
    with pytest.raises(WeightsError, match=rf"refused, it would run \S+\.{named};"):
        read_weights(change)
    assert not marker.exists()


def test_a_storage_that_is_shorter_than_it_claims_is_refused(scripted, tmp_path):
    cut = changed(scripted[1], tmp_path / "w.pt", lambda n, b: b[:-4] if "/data/" in n else b)
    with pytest.raises(WeightsError, match="not a readable weights file"):
        read_weights(cut)


def test_a_tensor_that_reaches_beyond_its_storage_is_refused(scripted, tmp_path):
    """The kernel's first axis, 4, is made 104 in the pickle: BININT1 4, 1, 3, 3, 3 in a tuple."""

    def reach(name, content):
        if not name.endswith("data.pkl"):
            return content
        shape = b"(K\x04K\x01K\x03K\x03K\x03t"
        assert content.count(shape) == 1
        return content.replace(shape, b"(K" + struct.pack("B", 104) + shape[3:])

    with pytest.raises(WeightsError, match="not a readable weights file"):
        read_weights(changed(scripted[1], tmp_path / "w.pt", reach))


@pytest.mark.parametrize("mode", ["zeros", "circular"])
def test_a_scripted_convolution_is_no_threat(tmp_path, mode):
    layer = nn.Conv3d(1, 4, 3, padding=1, padding_mode=mode)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch advises against its own scripts
        torch.jit.script(nn.Sequential(layer, nn.BatchNorm3d(4))).save(tmp_path / "w.pt")
    found = read_weights(tmp_path / "w.pt")
    assert torch.equal(found["0.weight"], layer.weight)
    assert {"0.bias", "1.weight", "1.running_var"} < found.keys()
