"""Which values label maps hold, read once for as long as a file stays what it is."""

import json
from collections.abc import Iterable
from pathlib import Path

from voxbench.data.content_hash import file_stamp, remembered
from voxbench.data.label_map import label_values, read_label_map
from voxbench.errors import DataError
from voxbench.progress import Stage, tell
from voxbench.threads import threads

_VALUES = "label values 1"  # raised whenever a file's values are read otherwise


def values_held(paths: Iterable[Path], jobs: int = 4) -> dict[Path, frozenset[int]]:
    """Label map → its values, 0 among them; those that can't be read are left out."""
    files = [*dict.fromkeys(paths)]
    found = {}
    with threads(jobs) as pool:  # decompressing releases the interpreter lock
        for done, (path, held) in enumerate(zip(files, pool.map(_held, files), strict=True), 1):
            tell(Stage("reading label maps", done, len(files)))
            if held is not None:
                found[path] = held
    return found


def _held(path: Path) -> frozenset[int] | None:
    def read() -> str:
        return json.dumps(label_values(read_label_map(path).array))

    try:
        return frozenset(json.loads(remembered(f"{_VALUES}\0{file_stamp(path)}", read)))
    except DataError:
        return None
