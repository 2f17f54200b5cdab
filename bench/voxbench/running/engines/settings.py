"""Engines by name, with what a sweep and this machine's user say of them."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import platformdirs

from voxbench.design.cell import Ref
from voxbench.design.spec import Sweep
from voxbench.design.toml import read_toml
from voxbench.errors import PluginError, SpecError, unknown
from voxbench.registry import ClassRegistry, not_of_class
from voxbench.running.engines import Engine

ENGINES: ClassRegistry[Engine] = ClassRegistry("engine", partial(not_of_class, Engine))


def find_engine(name: str, sweep: Sweep) -> Engine:
    """An engine whose fields are set by `[engine.NAME]` of the sweep, else in `user_file()`.

    Raises:
        PluginError: it is unknown or broken, refuses a field, or something has to be installed.
        SpecError: the user's file can't be read, or a table names no engine.
    """
    found = ENGINES.find(name)
    if lacking := found.lacks():
        raise PluginError(f"engine {name!r}: {lacking}")
    usual = _usual()
    _all_known(sweep.engine, "the sweep's [engine]")
    _all_known(usual, str(user_file()))
    return ENGINES.make(Ref.of(name, {**usual.get(name, {}), **sweep.engine.get(name, {})}))


def user_file() -> Path:
    """What engines are like on this machine, a table each: `~/.config/voxbench/engines.toml`."""
    return Path(platformdirs.user_config_dir("voxbench")) / "engines.toml"


def _usual() -> dict[str, dict[str, object]]:
    path = user_file()
    tables = read_toml(path) if path.exists() else {}
    found: dict[str, dict[str, object]] = {}
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise SpecError(f"{path}: {name}: must be a table, [{name}], of an engine's fields.")
        found[name] = table
    return found


def _all_known(tables: Mapping[str, object], origin: str) -> None:
    known = ENGINES.plugins()
    for name in tables:
        if name not in known:
            raise SpecError(f"{origin}: {unknown('engine', name, known)}")
