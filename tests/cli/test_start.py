"""What does not compute does not import what computes."""

import subprocess
import sys

import pytest

PROBE = """
import sys
sys.argv = ["voxbench", *{words}]
from voxbench.cli import main
try:
    main()
except SystemExit:
    pass
heavy = {{"torch", "monai", "pytorch_lightning", "matplotlib", "wandb",
         "jinja2"}} & set(sys.modules)
print("heavy:", sorted(heavy), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["ls", "tasks"],
        ["ls", "baselines"],
        ["ls", "sweeps"],
        ["run", "--help"],
        ["report", "--help"],
        ["weights", "--help"],
    ],
)
def test_nothing_heavy_is_imported(words):
    probe = PROBE.format(words=words)
    told = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=60
    )
    assert "heavy: []" in told.stderr, told.stderr
    assert told.stdout


def test_a_reader_that_goes_away_is_no_fault():
    words = [sys.executable, "-m", "voxbench", "ls", "sweeps"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as told:
        told.stdout.close()
        assert told.stderr.read() == b""
