import numpy as np
from voxbench.data import values_held as module
from voxbench.data.values_held import values_held

from tests.data.toy import save


def test_values_are_read_once_until_a_file_changes(tmp_path, monkeypatch):
    path = save(tmp_path / "a.nii.gz", np.array([0, 3, 500], np.int16).reshape(3, 1, 1))
    assert values_held([path, path]) == {path: {0, 3, 500}}
    read = module.read_label_map
    monkeypatch.setattr(module, "read_label_map", lambda _: refuse())
    assert values_held([path]) == {path: {0, 3, 500}}
    monkeypatch.setattr(module, "read_label_map", read)
    save(path, np.array([0, 4, 500], np.int16).reshape(3, 1, 1))
    assert values_held([path]) == {path: {0, 4, 500}}


def refuse():
    raise AssertionError("read again")


def test_what_cannot_be_read_is_left_out(tmp_path):
    (tmp_path / "b.nii.gz").write_bytes(b"no volume")
    assert values_held([tmp_path / "b.nii.gz", tmp_path / "missing.nii.gz"]) == {}
