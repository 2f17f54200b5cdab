"""Which test cases are among the volumes that weights have seen."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from voxbench.api import Case
from voxbench.data.content_hash import file_hashes
from voxbench.data.volume_files import stem_of
from voxbench.errors import DataError
from voxbench.files import write_atomically
from voxbench.ledger.look import EDGE, LOOK_VERSION, Look, read_look
from voxbench.ledger.pool import Pool, bar
from voxbench.paths import cache_dir

_PEERS = 10  # other test images that each is compared with
_LABELS = ("labelsTr", "labelsTs", "segmentations", "labels", "masks")


class Collected(NamedTuple):
    """The looks of files.

    Attributes:
        volumes: by name.
        unreadable: name → why there is none.
    """

    volumes: dict[str, Look]
    unreadable: dict[str, str]


class Overlap(NamedTuple):
    """A test image and the volume that shows the same scan.

    Attributes:
        image: name of the test image.
        seen: name of the volume.
        score: of the match.
        bar: that it had to reach.
    """

    image: str
    seen: str
    score: float
    bar: float


def images_below(folder: Path) -> dict[str, Path]:
    """The volumes below a folder by relative path, without hidden ones and label folders.

    Raises:
        DataError: there are none.
    """
    found = {
        str(name): path
        for path in sorted(folder.rglob("*"))
        for name in [path.relative_to(folder)]
        if path.is_file()
        and stem_of(path.name) is not None
        and not path.name.startswith("combined_labels")
        and not any(part in _LABELS or part.startswith(".") for part in name.parts)
    }
    if not found:
        raise DataError(f"{folder}: no image volumes below it.")
    return found


def images_of(cases: Sequence[Case]) -> dict[str, Path]:
    """The images of cases; where a case has several channels, each under its number."""
    return {
        case.id if len(case.images) == 1 else f"{case.id}/{channel}": path
        for case in cases
        for channel, path in enumerate(case.images)
    }


def collect_looks(
    files: Mapping[str, Path], jobs: int = 1, done: Callable[[], object] = lambda: None
) -> Collected:
    """Look at every file; those that can't be read are named with the reason."""
    hashes = file_hashes(files.values(), jobs)
    volumes, unreadable = {}, {}

    def one(path: Path) -> Look | str:
        try:
            return _remembered(path, hashes.get(path))
        except DataError as error:
            return str(error)

    with ThreadPoolExecutor(jobs) as pool:
        for name, found in zip(files, pool.map(one, files.values()), strict=True):
            if isinstance(found, str):
                unreadable[name] = found
            else:
                volumes[name] = found
            done()
    return Collected(volumes, unreadable)


def find_overlaps(
    seen: Mapping[str, Look],
    tested: Mapping[str, Look],
    jobs: int = 1,
    done: Callable[[], object] = lambda: None,
) -> list[Overlap]:
    """Every match between test images and seen volumes, by test image, the best first.

    The test images are compared with each other as well: what different cases of one task score
    is the yardstick where few volumes were seen.
    """
    names, queries = list(seen), list(tested)
    pool, peers = (Pool([look.ranks for look in looks.values()]) for looks in (seen, tested))

    def one(index: int) -> list[Overlap]:
        query = tested[queries[index]].ranks
        found = pool.search(query)
        others = peers.search(query, _PEERS, skip=index)
        needed = bar([candidate.score for candidate in (*found, *others)])
        return [
            Overlap(queries[index], names[candidate.position], candidate.score, needed)
            for candidate in found
            if candidate.score >= needed
        ]

    results: list[Overlap] = []
    with ThreadPoolExecutor(jobs) as threads:
        for found in threads.map(one, range(len(queries))):
            results += found
            done()
    return results


def _remembered(path: Path, sha256: str | None) -> Look:
    """The look of a file, computed once for each content."""
    store = cache_dir() / "looks" / f"{sha256}-{LOOK_VERSION}.bin"
    size = EDGE**3
    if sha256 and store.is_file() and len(content := store.read_bytes()) == size + 24:
        a, b, c = np.frombuffer(content[size:], np.float64).tolist()
        ranks = np.frombuffer(content[:size], np.uint8).reshape(EDGE, EDGE, EDGE)
        return Look(ranks, (a, b, c))
    found = read_look(path)
    if sha256:
        write_atomically(store, found.ranks.tobytes() + np.array(found.extent_mm).tobytes())
    return found
