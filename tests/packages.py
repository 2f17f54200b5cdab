"""Packages of others, as an installer leaves them: a module, and metadata with entry points."""

import inspect
from collections.abc import Mapping
from pathlib import Path

import pytest
from voxbench import registry
from voxbench.ledger import corpora as ledger


def install(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    name: str,
    code: str,
    groups: Mapping[str, Mapping[str, str]],
) -> None:
    """A package of one module, found until the test ends.

    Args:
        folder: where it is put; it comes first on `sys.path`.
        name: of the package; its module has underscores for hyphens.
        code: of the module.
        groups: entry-point group → name → name in the module.
    """
    module = name.replace("-", "_")
    (folder / f"{module}.py").write_text(code)
    metadata = folder / f"{module}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [
        line
        for group, entries in groups.items()
        for line in (f"[{group}]", *(f"{key} = {module}:{at}" for key, at in entries.items()))
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(registry, "_installed", inspect.unwrap(registry._installed))  # no cache
    monkeypatch.setattr(ledger, "corpora", inspect.unwrap(ledger.corpora))
