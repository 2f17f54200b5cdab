"""Torch files of strangers: what is constructed is stood in for, what acts is refused."""

import collections
import dataclasses
import enum
import functools
import os
import pathlib
import pickle
import subprocess
import sys
import types
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save
from voxbench.errors import WeightsError
from voxbench.model.layout import FileLayout
from voxbench.model.weights import read_weights

TENSORS = {"conv.weight": torch.arange(6.0).view(2, 3)}
FORMATS = pytest.mark.parametrize("modern", [True, False], ids=["zip", "old"])


def written(path, content, modern=True, **options):
    torch.save(content, path, _use_new_zipfile_serialization=modern, **options)
    return path


def arrived(tensors) -> bool:
    return torch.equal(tensors["conv.weight"], TENSORS["conv.weight"])


@pytest.fixture
def stranger(monkeypatch):
    """A package that exists while a file is written and is gone when it is read."""
    module = types.ModuleType("stranger")
    monkeypatch.setitem(sys.modules, "stranger", module)

    def give(kind, name=None):
        kind.__module__, kind.__qualname__ = "stranger", name or kind.__name__
        setattr(module, kind.__qualname__, kind)
        return kind

    return give


@dataclasses.dataclass
class Settings:
    rate: float = 0.1


@dataclasses.dataclass(frozen=True)
class Slotted:
    __slots__ = ("rate",)
    rate: float

    def __getstate__(self):
        return None, {"rate": self.rate}


class Phase(enum.Enum):
    TRAIN = "train"

    def __reduce_ex__(self, _):
        """As an enumeration is pickled, whatever a library that is imported makes of all."""
        return self.__class__, (self._value_,)


class AttributeDict(dict):
    pass


class ModelCheckpoint:
    pass


class Loud:
    """Would shout if it were ever built again."""

    def __setstate__(self, state):
        raise AssertionError("a stranger's code ran")

    def __getstate__(self):
        return {"a": 1}


def passengers(give) -> dict:
    """What files of Lightning and other trainers carry beside the tensors."""
    table = give(AttributeDict)(lr=0.1)
    table.extra = 1
    scheduler = torch.optim.lr_scheduler.StepLR(
        torch.optim.SGD([torch.nn.Parameter(torch.ones(1))]), 3
    )
    return {
        "dataclass": give(Settings)(),
        "slots": give(Slotted)(0.1),
        "enum": give(Phase).TRAIN,
        "dict subclass": table,
        "class as a key": {give(ModelCheckpoint): {"best": 0.5}},
        "numpy scalar": np.float64(0.9),
        "numpy array": np.arange(3),
        "numpy dtype": np.dtype("int16"),
        "default dict": collections.defaultdict(list, a=[1]),
        "path": pathlib.PurePosixPath("x"),
        "partial": functools.partial(give(Settings), rate=2.0),
        "scheduler": scheduler,
        "setstate": give(Loud)(),
        "set": {1, 2},
    }  # fmt: skip


NAMES = tuple(passengers(lambda kind: kind))


@FORMATS
@pytest.mark.parametrize("name", NAMES)
def test_what_is_only_constructed_is_stood_in_for(tmp_path, stranger, monkeypatch, name, modern):
    content = {"state_dict": TENSORS, "hyper_parameters": passengers(stranger)[name], "epoch": 3}
    path = written(tmp_path / "w.ckpt", content, modern)
    monkeypatch.delitem(sys.modules, "stranger")
    found = read_weights(path)
    assert arrived(found)
    assert found.beside["epoch"] == 3
    assert "stranger" not in sys.modules


def test_the_stood_in_classes_are_told(tmp_path, stranger):
    path = written(tmp_path / "w.ckpt", {"model": {"module.conv.weight": TENSORS["conv.weight"]},
                                         "cfg": stranger(Settings)()})  # fmt: skip
    layout = read_weights(path).layout
    assert layout == FileLayout("torch", ("model",), ("module.",), ("stranger.Settings",))


class Reduced:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def calls(marker):
    """Calls that would leave a mark, with the name that must be told."""
    touch = f"open({str(marker)!r}, 'w')"
    yield "posix.system", Reduced(os.system, f"touch {marker}")
    yield "builtins.eval", Reduced(eval, touch)
    yield "builtins.exec", Reduced(exec, touch)
    yield "builtins.getattr", Reduced(getattr, collections.OrderedDict, "fromkeys")
    yield "subprocess.Popen", Reduced(subprocess.Popen, ["touch", str(marker)])
    yield "subprocess.call", Reduced(subprocess.call, ["touch", str(marker)])
    yield "builtins.__import__", Reduced(__import__, "this")
    yield "torch.hub.load", Reduced(torch.hub.load, "a/b", "c")
    yield "numpy.load", Reduced(np.load, str(marker), None, True)
    yield "posix.system", Reduced(functools.partial, os.system, f"touch {marker}")
    yield "builtins.eval", {"deep": [({"er": Reduced(map, Reduced(eval, touch), [])},)]}


@FORMATS
@pytest.mark.parametrize("attack", range(11))
def test_what_would_be_called_is_refused_by_name_and_runs_nothing(tmp_path, attack, modern):
    marker = tmp_path / "ran"
    name, payload = list(calls(marker))[attack]
    path = written(tmp_path / "w.pt", {**TENSORS, "extra": payload}, modern)
    with pytest.raises(WeightsError, match=rf"refused, it would run .*{name}"):
        read_weights(path)
    assert not marker.exists()


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_call_is_refused_by_name_in_every_protocol(tmp_path, protocol):
    marker = tmp_path / "ran"
    path = tmp_path / "w.pt"
    path.write_bytes(pickle.dumps(Reduced(os.system, f"touch {marker}"), protocol))
    with pytest.raises(WeightsError, match=r"refused, it would run .*posix\.system"):
        read_weights(path)
    assert not marker.exists()


def archive(path, program: bytes):
    """A zip as torch writes it, around a pickle written by hand."""
    with zipfile.ZipFile(path, "w") as content:
        content.writestr("w/data.pkl", program)
        content.writestr("w/version", b"3\n")
        content.writestr("w/byteorder", b"little")
    return path


@pytest.mark.parametrize(
    "program",
    [
        b"\x80\x02cstranger\nThing\nq\x00}X\x0c\x00\x00\x00__setstate__cposix\nsystem\nsb.",
        b"\x80\x02cstranger\nThing\n)\x81}X\x09\x00\x00\x00__class__ctorch\nTensor\nsb.",
        b"\x80\x02ccollections\nOrderedDict\n)R}X\x05\x00\x00\x00itemscstranger\nThing\nsb.",
        b"\x80\x02ccollections\nOrderedDict\n)R}X\x03\x00\x00\x00getcstranger\nThing\nsb.",
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(cstranger\nThing\n)RK\x00)))R.",
        b"\x80\x02ctorch._tensor\n_rebuild_from_type_v2\n(cstranger\nThing\ncstranger\nThing\n)}tR.",
        b"\x80\x02(X\x06\x00\x00\x00modulecstranger\nThing\nX\x01\x00\x00\x00aX\x01\x00\x00\x00btQ.",
        b"\x80\x02cstranger\nThing\n.",
        b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",
        b"\x80\x02\x82\x01.",
        b"\x80\x02h\x07.",
        b"",
    ],
    ids=["state on a class", "class of an object", "shadowed items", "shadowed get",
         "tensor from a stand-in", "subclass from a stand-in", "source of a module",
         "a class alone", "deep nesting", "extension", "empty memo", "nothing"],
)  # fmt: skip
def test_a_pickle_written_by_hand_is_refused_in_one_line(tmp_path, program):
    path = archive(tmp_path / "w.pt", program)
    with pytest.raises(WeightsError, match=str(path)) as caught:
        read_weights(path)
    assert "\n" not in str(caught.value)


def test_only_a_trusted_file_runs_its_code(tmp_path):
    marker = tmp_path / "ran"
    path = written(tmp_path / "w.pt", {**TENSORS, "x": Reduced(os.system, f"touch {marker}")})
    assert arrived(read_weights(path, trust=True))
    assert marker.exists()


def test_a_trusted_file_whose_package_is_missing_is_one_error(tmp_path, stranger, monkeypatch):
    path = written(tmp_path / "w.pt", {**TENSORS, "x": stranger(Settings)()})
    monkeypatch.delitem(sys.modules, "stranger")
    with pytest.raises(WeightsError, match="No module named 'stranger'"):
        read_weights(path, trust=True)


def test_a_header_that_claims_gigabytes_is_refused(tmp_path):
    whole = save(TENSORS)
    for length in (2**62, 2**31, len(whole)):
        path = tmp_path / "w.safetensors"
        path.write_bytes(length.to_bytes(8, "little") + whole[8:])
        with pytest.raises(WeightsError, match=r"not a readable weights file|within its header"):
            read_weights(path)


def test_a_safetensors_file_that_declares_more_than_it_holds_is_refused(tmp_path):
    header = b'{"w":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}'
    path = tmp_path / "w.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(WeightsError, match=r"truncated \(90 bytes of 4,000,000,000,086\)"):
        read_weights(path)


def test_an_array_that_declares_more_than_it_holds_is_refused_before_it_is_allocated(tmp_path):
    path, header = tmp_path / "w.npz", "{'descr': '<f4', 'fortran_order': False, 'shape': (%d,), }"
    text = (header % 10**12).ljust(117).encode() + b"\n"
    with zipfile.ZipFile(path, "w") as content:
        content.writestr("w.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text)
    with pytest.raises(WeightsError, match=r"w\.npy declares 4,000,000,000,000 bytes"):
        read_weights(path)


@pytest.mark.parametrize("suffix", [".npz", ".pt"])
def test_an_archive_that_unpacks_to_far_more_is_refused(tmp_path, suffix):
    path = tmp_path / f"w{suffix}"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as content:
        for i in range(2):
            content.writestr(f"w/data/{i}", bytes(2**26))
    with pytest.raises(WeightsError, match=r"would unpack to 134,217,728, more than 20 times"):
        read_weights(path)


@FORMATS
def test_a_tensor_that_repeats_few_values_without_end_is_refused(tmp_path, modern):
    path = written(tmp_path / "w.pt", {"w": torch.ones(1).expand(10**6, 10**6)}, modern)
    with pytest.raises(WeightsError, match="would unpack to 4,000,000,000,000"):
        read_weights(path)


def test_a_storage_that_declares_more_than_its_record_is_refused(tmp_path):
    path = written(tmp_path / "w.pt", {"w": torch.arange(4.0)})
    with zipfile.ZipFile(path) as content:
        parts = {name: content.read(name) for name in content.namelist()}
    with zipfile.ZipFile(path, "w") as content:
        for name, part in parts.items():
            larger = part.replace(b"K\x04tq", b"M\xff\x7ftq")
            larger = larger.replace(b"K\x04\x85", b"M\xff\x7f\x85")
            content.writestr(name, larger if name.endswith("data.pkl") else part)
    with pytest.raises(WeightsError, match="not a readable weights file"):
        read_weights(path)


@pytest.mark.parametrize(
    "tensor",
    [torch.eye(3).to_sparse(), torch.ones(3, device="meta")],
    ids=["sparse", "meta"],
)
def test_a_tensor_without_plain_values_is_named(tmp_path, tensor):
    path = written(tmp_path / "w.pt", {**TENSORS, "odd": tensor})
    with pytest.raises(WeightsError, match="odd is no plain tensor"):
        read_weights(path)


def test_counters_flags_and_empty_tensors_are_no_values_that_are_not_finite(tmp_path):
    odd = {"n": torch.tensor(3), "flag": torch.tensor([True]), "none": torch.ones(0)}
    assert read_weights(written(tmp_path / "w.pt", {**TENSORS, **odd})).keys() > odd.keys()
