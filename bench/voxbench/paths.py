"""Where things lie on this machine: the data root and the cache. Neither enters a key."""

import os
from pathlib import Path

import platformdirs


def expanded(written: str) -> Path:
    """A path as people write it, with `~` and `$VARIABLES`; what is unknown of them stays."""
    return Path(os.path.expanduser(os.path.expandvars(written)))  # noqa: PTH111 (that one raises)


def data_root() -> Path:
    """`$VOXBENCH_DATA`, else the working folder: what a relative `root` starts from."""
    return expanded(os.environ.get("VOXBENCH_DATA") or str(Path.cwd()))


def cache_dir() -> Path:
    """`$VOXBENCH_CACHE`, else the user's cache folder."""
    return expanded(os.environ.get("VOXBENCH_CACHE") or platformdirs.user_cache_dir("voxbench"))


def published_dir() -> Path:
    """Where downloads are kept: weights, and archives until they are unpacked."""
    return cache_dir() / "published"
