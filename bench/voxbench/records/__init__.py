"""What a cell leaves behind: one atomic JSON file, and a table derived from all of them."""

from voxbench.records.record import SCHEMA, Record
from voxbench.records.store import Store

__all__ = ["SCHEMA", "Record", "Store"]
