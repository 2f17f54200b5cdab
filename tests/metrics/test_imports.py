"""Importing the metrics stays cheap."""

import subprocess
import sys


def test_metrics_need_numpy_and_numba_only():
    heavy = {"torch", "scipy.ndimage", "monai", "pytorch_lightning", "nibabel"}
    code = f"import sys, voxbench.metrics; print({heavy} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "set()"
