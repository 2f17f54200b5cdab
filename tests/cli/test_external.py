"""`plan`, `run` and `status` tell of external test sets."""

import json

import numpy as np
import pytest

from tests.cli.test_run import EXAMPLE, SPEC
from tests.running.test_external import save, write_other


@pytest.fixture
def words(tmp_path):
    root = write_other(tmp_path / "Dataset007_Other", {"ball": 1, "CUBE": 2})
    spec = tmp_path / "tiny.toml"
    data = f'{{ name = "nnunet-folder", root = "{root}" }}'
    spec.write_text(
        SPEC + f'\n[[tests]]\ntask = "example-cubes"\nname = "elsewhere"\ndata = {data}\n'
    )
    return spec, "-o", tmp_path / "out", "--include-path", EXAMPLE


def test_the_plan_counts_them_and_a_fault_is_told_and_costs_the_cell_nothing(
    voxbench, words, tmp_path
):
    code, told, _ = voxbench("plan", *words)
    assert code == 0
    assert "1 on external test sets: 1 missing" in told
    save(tmp_path / "Dataset007_Other" / "labelsTr" / "c1.nii.gz", np.zeros((3, 3, 3), np.uint8))
    code, told, _ = voxbench("run", *words)
    assert code == 1
    assert "1 failed on external test sets: voxbench status" in told
    rows = json.loads(voxbench("plan", *words, "--json")[1])
    assert [(row["state"], row.get("test")) for row in rows] == [
        ("cached", None),
        ("failed", "elsewhere"),
    ]
    code, told, _ = voxbench("status", tmp_path / "out")
    assert code == 1
    lines = told.splitlines()
    assert lines[0] == "1 ok, 0 failed"
    assert "on external test sets: 0 ok, 1 failed" in lines
