"""Records at a glance: how a cell ended and how long it took, of a hundred thousand in seconds."""

import hashlib
import re
from io import SEEK_END, FileIO
from pathlib import Path
from typing import NamedTuple

from voxbench.records.provenance import Contamination
from voxbench.records.record import SCHEMA
from voxbench.records.scored import read_scored

_OPENING = re.compile(
    rb'{\n "schema_version": %d,\n "key": "([^"\\]+)",\n "status": "ok",\n "smoke": (true|false),\n'
    % SCHEMA
)
_COST = re.compile(rb'\n "cost": \{\n  "seconds": ([0-9.eE+-]+),\n')
_VERDICT = re.compile(rb'\n "contamination": (null|\{.*?\n \}),\n', re.DOTALL)
_START, _END = 1 << 15, b"\n}"  # bytes that are read, and how the file ends


class Glance(NamedTuple):
    """How a cell ended.

    Attributes:
        key: of its record.
        failure: why it failed; None if it is finished.
        smoke: run with a limit.
        seconds: that it took; None where nothing is told.
        verdict: digest of what it says of contamination, see `verdict_digest`.
    """

    key: str
    failure: str | None
    smoke: bool
    seconds: float | None
    verdict: str


def glance(path: str) -> Glance:
    """The start of a finished record as voxbench writes it says enough; others are read whole.

    Raises:
        RecordError: it is damaged or of another schema.
    """
    with FileIO(path) as file:
        start = end = file.read(_START)
        if len(start) == _START:
            file.seek(-len(_END), SEEK_END)
            end = file.read()
        told = _OPENING.match(start) if end.endswith(_END) else None
    cost, verdict = _COST.search(start), _VERDICT.search(start)
    if told and cost and verdict:
        smoke, digest = told[2] == b"true", _digest(verdict[1])
        return Glance(told[1].decode(), None, smoke, float(cost[1]), digest)
    facts = read_scored(Path(path))
    failure = (facts.failure or "no reason recorded") if facts.status == "failed" else None
    seconds = facts.cost.seconds if facts.cost else None
    return Glance(facts.key, failure, facts.smoke, seconds, verdict_digest(facts.contamination))


def verdict_digest(told: Contamination | None) -> str:
    """Of a verdict as a record has it, so that two are compared without reading the record."""
    text = told.model_dump_json(indent=1).replace("\n", "\n ") if told else "null"
    return _digest(text.encode())


def _digest(text: bytes) -> str:
    return hashlib.blake2b(text, digest_size=8).hexdigest()
