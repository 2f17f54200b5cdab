"""What a cell leaves behind: one atomic JSON file, and a table derived from all of them."""

from bench.record.record import SCHEMA, Record
from bench.record.store import Store

__all__ = ["SCHEMA", "Record", "Store"]
