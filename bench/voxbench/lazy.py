"""Names that a module gives, imported from their homes when they are first asked for (PEP 562)."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module


def lazily(module: str, homes: Mapping[str, Sequence[str]]) -> Callable[[str], object]:
    """A module's `__getattr__`.

    Args:
        module: its name.
        homes: module that defines them → names that are given.
    """
    found = {name: home for home, names in homes.items() for name in names}

    def give(name: str) -> object:
        if name not in found:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        return getattr(import_module(found[name]), name)

    return give
