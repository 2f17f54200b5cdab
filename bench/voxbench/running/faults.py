"""What became of a job that failed: whose fault it is, and how that is told."""

import errno
import traceback
from pathlib import Path
from typing import Literal

from voxbench.errors import in_words, is_machine_fault
from voxbench.paths import cache_dir

Kind = Literal["science", "machine", "storage", "stopped"]
"""Of a failure: the cell's own, which would fail again; the machine's, which may not; nothing can
be stored, so that nothing else could be either; or it is none, and the work was asked to stop."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


def kind_of_failure(error: BaseException, root: Path) -> Kind:
    """Whose fault an error is, in a run whose output folder is `root`."""
    cause: BaseException | None = error
    while cause:
        if isinstance(cause, OSError) and _of_storage(cause, root):
            return "storage"
        if is_machine_fault(cause):
            return "machine"
        cause = cause.__cause__
    return "science"


def why_failed(error: BaseException) -> str:
    """A mistake, or what the machine lacks, in words; a defect with the end of its traceback."""
    if isinstance(error, SystemExit):
        return f"a plugin ended its process: sys.exit({error.code!r})."
    return in_words(error) or "".join(traceback.format_exception(error, limit=-8))


def _of_storage(error: OSError, root: Path) -> bool:
    if error.errno in _FULL:
        return True
    if error.errno not in {errno.EACCES, errno.EPERM} or not isinstance(error.filename, str):
        return False
    path = Path(error.filename)
    return any(path.is_relative_to(folder) for folder in (root, cache_dir()))
