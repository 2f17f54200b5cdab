"""Where things lie on this machine: the data root and the cache. Neither enters a key."""

import os
from pathlib import Path

import platformdirs


def data_root() -> Path:
    """`$VOXBENCH_DATA`, else the working folder: what a relative `root` starts from."""
    return Path(os.environ.get("VOXBENCH_DATA") or Path.cwd())


def cache_dir() -> Path:
    """`$VOXBENCH_CACHE`, else the user's cache folder."""
    given = os.environ.get("VOXBENCH_CACHE")
    return Path(given) if given else Path(platformdirs.user_cache_dir("voxbench"))


def published_dir() -> Path:
    """Where downloaded weights are kept."""
    return cache_dir() / "published"
