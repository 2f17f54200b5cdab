"""`voxbench sysinfo`: what a bug report needs."""

from typing import TYPE_CHECKING

from voxbench.cli.options import Json
from voxbench.cli.show import print_json

if TYPE_CHECKING:
    from pathlib import Path


def sysinfo_verb(json: Json = False) -> None:
    """Print versions, commit, devices and folders."""
    import shutil

    import torch

    from voxbench.environment import describe_machine
    from voxbench.paths import cache_dir, data_root

    found = {
        **describe_machine(),
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        "data_root": str(data_root()),
        "cache": str(cache_dir()),
        "cache_free_gb": round(shutil.disk_usage(_existing(cache_dir())).free / 1e9, 1),
    }
    if json:
        print_json(found)
        return
    versions = found.pop("versions")
    for name, value in {**found, **versions}.items():
        print(f"{name:18} {value}")


def _existing(folder: "Path") -> "Path":
    while not folder.exists():
        folder = folder.parent
    return folder
