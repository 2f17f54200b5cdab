"""Cases of one part of a split that show the same scan as a case of another."""

import json
from collections.abc import Callable
from typing import NamedTuple

from voxbench.data.content_hash import file_hashes
from voxbench.data.split import SPLIT_PARTS, Split
from voxbench.design.cell import digest
from voxbench.files import write_atomically
from voxbench.ledger.look import LOOK_VERSION, Look
from voxbench.ledger.overlap import collect_looks, find_overlaps
from voxbench.paths import cache_dir


class Copy(NamedTuple):
    """A validation or test case that looks like one of a part before it.

    Attributes:
        case: its id.
        other: id of the one that it looks like.
        part: of the other.
        score: of the match.
        bar: that it had to reach.
    """

    case: str
    other: str
    part: str
    score: float
    bar: float


def find_copies(
    split: Split, jobs: int = 1, done: Callable[[], object] = lambda: None
) -> list[Copy]:
    """Every validation case that looks like a training case, and every test case like either.

    First channels are compared, as `find_overlaps` does it; what was found is remembered for each
    content. `done` hears of every validation and test case; images that can't be read are left out.
    """
    parts = {part: getattr(split, part) for part in SPLIT_PARTS}
    images = {case.id: case.images[0] for cases in parts.values() for case in cases}
    hashes = file_hashes(images.values(), jobs)
    content = [[[case.id, hashes.get(case.images[0])] for case in parts[p]] for p in SPLIT_PARTS]
    memory = cache_dir() / "copies" / f"{digest([LOOK_VERSION, content])[:32]}.json"
    if memory.is_file():
        return [Copy(*row) for row in json.loads(memory.read_text(encoding="utf-8"))]
    looks = collect_looks(images, jobs).volumes
    part_of = {case.id: part for part, cases in parts.items() for case in cases}

    def of(*wanted: str) -> dict[str, Look]:
        return {case: look for case, look in looks.items() if part_of[case] in wanted}

    found = [
        Copy(match.image, match.seen, part_of[match.seen], match.score, match.bar)
        for seen, tested in (
            (of("train"), of("validation")),
            (of("train", "validation"), of("test")),
        )
        for match in find_overlaps(seen, tested, jobs, done)
    ]
    write_atomically(memory, json.dumps(found))
    return found
