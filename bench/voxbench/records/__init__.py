"""What a cell leaves behind: one atomic JSON file, and a table derived from all of them."""

from voxbench.records.record import SCHEMA, Facts, Record
from voxbench.records.scored import Scored, ScoredRecord
from voxbench.records.store import Store

__all__ = ["SCHEMA", "Facts", "Record", "Scored", "ScoredRecord", "Store"]
