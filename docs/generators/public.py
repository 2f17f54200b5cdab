"""What `import voxbench` gives beside the contracts of plugins, and the errors that it raises."""

import inspect
from collections.abc import Iterable

import voxbench
from voxbench import api, errors


def way() -> str:
    """The map of the rooms, as the package's docstring draws it."""
    _, _, drawn = inspect.getdoc(voxbench).partition("folder by folder:\n\n")
    return f"```text\n{inspect.cleandoc(drawn)}\n```"


def verbs() -> str:
    """Functions and classes for a notebook, as directives of Sphinx."""
    found = {name: getattr(voxbench, name) for name in voxbench.__all__ if name not in api.__all__}
    return _directives(
        f"auto{'class' if inspect.isclass(one) else 'function'}:: voxbench.{name}"
        for name, one in found.items()
        if callable(one)
    )


def exceptions() -> str:
    """The errors that a user's mistake raises, as directives of Sphinx."""
    return _directives(
        f"autoexception:: voxbench.errors.{name}"
        for name, one in vars(errors).items()
        if inspect.isclass(one) and issubclass(one, errors.VoxbenchError)
    )


def _directives(lines: Iterable[str]) -> str:
    return "\n".join(["```{eval-rst}", *(f".. {line}\n" for line in lines), "```"])
