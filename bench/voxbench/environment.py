"""What this process is and runs on: versions, commit, device."""

import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from voxbench.cores import available_cores

_PACKAGES = ("voxbench", "torch", "monai", "pytorch-lightning", "numpy", "scipy", "nibabel")


def environment(device: str, threads: int, devices: int = 1) -> dict[str, Any]:
    """Versions, commit of voxbench, platform, device, threads, number of devices, for a record."""
    several = {"devices": devices} if devices > 1 else {}
    return {**describe_machine(), "device": device, "threads": threads, **several}


@cache
def describe_machine() -> dict[str, Any]:
    """What does not change while a process runs."""
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpus": available_cores(),
        "commit": _commit(),
        "versions": {name: _version(name) for name in _PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Commit of the checkout voxbench runs from, marked if it has changes; None if installed."""
    top = Path(__file__).parents[2]
    if not (top / ".git").exists():
        return None
    asked = ["git", "-C", str(top), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        answer = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() or None
