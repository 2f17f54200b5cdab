"""How many processor cores there are to work with: by machine, container and user."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def available_cores() -> int:
    """Processor cores that this process may use: by its affinity, and by the quota of its group.

    A quota of 1.5 cores is 2: what is left idle costs more than what is throttled.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return min([cores, *(max(1, math.ceil(quota)) for quota in _quotas())])


def threads_each(processes: int) -> int:
    """Threads of each of so many processes: its share of the cores, at most OMP_NUM_THREADS."""
    share = max(1, available_cores() // processes)
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return min(share, int(asked)) if asked.isdigit() and int(asked) > 0 else share


def _quotas() -> Iterator[float]:
    """Cores that the control groups of this process grant, its own and those above it.

    In version 2 `cpu.max` holds quota and period, in version 1 they are files of their own.
    """
    for folder in _groups():
        try:
            quota, period = (folder / "cpu.max").read_text().split()
        except (OSError, ValueError):
            try:
                quota = (folder / "cpu.cfs_quota_us").read_text()
                period = (folder / "cpu.cfs_period_us").read_text()
            except OSError:
                continue
        if quota.strip().isdigit() and period.strip().isdigit() and int(period):
            yield int(quota) / int(period)


def _groups() -> Iterator[Path]:
    """The folders of the groups that this process is in, up to the root of each hierarchy."""
    try:
        lines = _OWN.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, place = (*line.split(":", 2), "", "")[:3]
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = _GROUPS / controllers if controllers else _GROUPS
        inside = top / place.lstrip("/")
        yield from (one for one in (inside, *inside.parents) if one.is_relative_to(top))
