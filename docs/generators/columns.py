"""The columns of the table of all records."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from pyarrow import parquet
from pydantic import BaseModel
from voxbench.analyses.table import Table
from voxbench.fields import told_attributes
from voxbench.records import Record, Store
from voxbench.records.table import refresh_table
from voxbench.reporting.printer import pipe_table

from docs.generators.models import below

_TYPES = {"string": "text", "double": "number", "int64": "whole number", "bool": "true or false"}
_PREFIXED = {
    "data": "data",
    "weights": "weights",
    "pretraining": "weights",
    "tuning": "tuning",
    "case": "cases",
}
_PLAIN = ("", "arm", "cost", "data", "cases", "cases[].classes")
_NAMED = {
    "class": "the structure.",
    "contamination": "status of the record's `contamination`.",
    "converged": "yes, no or unknown, by the record alone, see [recipes](recipes.md); empty where "
    "nothing was trained.",
}


def columns() -> str:
    """Markdown: name, type and meaning of every column.

    Raises:
        KeyError: the record has no field that a column could be of.
    """
    with TemporaryDirectory() as folder:
        schema = parquet.read_schema(refresh_table(Store(Path(folder))))
    parts = {"": Record, **{place: one for place, _, one in below(Record, "")}}
    rows = [
        {
            "Column": f"`{field.name}`",
            "Type": _TYPES[str(field.type)],
            "Meaning": _meaning(field.name, parts),
        }
        for field in schema
    ]
    return pipe_table(Table.plain(rows)).strip()


def _meaning(column: str, parts: Mapping[str, type[BaseModel]]) -> str:
    if column in _NAMED:
        return _NAMED[column]
    prefix, _, name = column.partition("_")
    if name and prefix in _PREFIXED:
        return told_attributes(parts[_PREFIXED[prefix]])[name]
    told = [told_attributes(parts[place]) for place in _PLAIN]
    return next(one[column] for one in told if column in one)
