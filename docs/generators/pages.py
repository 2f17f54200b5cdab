"""Which comment of a page stands for which part that is made of the code."""

import re
from collections.abc import Callable, Mapping

from voxbench.design.claims import Claim
from voxbench.design.spec import Sweep
from voxbench.records.record import Record

from docs.generators.architectures import architectures
from docs.generators.columns import columns
from docs.generators.data import known_errors, sources
from docs.generators.models import keys, path, reference, toml
from docs.generators.plugins import axes, baselines, tasks
from docs.generators.public import exceptions, verbs, way
from docs.generators.published import corpora, weights
from docs.generators.scorings import scorings

PARTS: Mapping[str, Callable[[], str]] = {
    "architectures": architectures,
    "axes": axes,
    "baselines": baselines,
    "claims": lambda: keys(Claim),
    "columns": columns,
    "corpora": corpora,
    "errors": exceptions,
    "map": way,
    "register": known_errors,
    "record": lambda: reference(Record, path),
    "scorings": scorings,
    "sources": sources,
    "sweep": lambda: reference(Sweep, toml),
    "tasks": tasks,
    "verbs": verbs,
    "weights": weights,
}
MARK = re.compile(r"^<!-- made of the code: (\w+) -->$", re.MULTILINE)


def filled(text: str) -> str:
    """A page's text with each mark replaced by its part.

    Raises:
        KeyError: there is no part of that name.
    """
    return MARK.sub(lambda found: PARTS[found[1]](), text)
