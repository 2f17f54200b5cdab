"""Tasks and baselines by name: entry points, read when they are asked for.

Built-in and third-party plugins register the same way, in the groups `voxbench.tasks` and
`voxbench.baselines`; `include` adds the loose files of a folder. Listing the names imports
no plugin.
"""

import dataclasses
import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from voxbench.api import Baseline, Task
from voxbench.api.fields import identity
from voxbench.design.cell import Ref
from voxbench.errors import DataError, PluginError, unknown
from voxbench.paths import cache_dir, data_root

P = TypeVar("P", Task, Baseline)


@dataclass(frozen=True)
class Plugin:
    """A registered plugin, not yet imported."""

    name: str
    owner: str
    target: metadata.EntryPoint | type


class Registry(Generic[P]):
    """The plugins of one kind."""

    def __init__(self, kind: str, base: type[P]) -> None:
        self.kind = kind
        self.base: type[P] = base
        self.loose: dict[str, Plugin] = {}

    def plugins(self) -> dict[str, Plugin]:
        """All of this kind by name.

        Raises:
            PluginError: two packages register one name.
        """
        found: dict[str, Plugin] = {}
        for plugin in (*_installed(f"voxbench.{self.kind}s"), *self.loose.values()):
            other = found.get(plugin.name)
            if other and other != plugin:
                raise PluginError(
                    f"{self.kind} {plugin.name!r} is registered twice, by {other.owner} and "
                    f"{plugin.owner}: uninstall or rename one."
                )
            found[plugin.name] = plugin
        return dict(sorted(found.items()))

    def find(self, name: str) -> type[P]:
        """The class of a plugin.

        Raises:
            PluginError: unknown, broken, or not of this kind.
        """
        plugins = self.plugins()
        if name not in plugins:
            raise PluginError(unknown(self.kind, name, plugins))
        plugin = plugins[name]
        try:
            found = plugin.target if isinstance(plugin.target, type) else plugin.target.load()
        except Exception as error:  # a stranger's module may raise anything
            raise PluginError(
                f"{self.kind} {name!r} of {plugin.owner} can't be imported: {error!r}."
            ) from error
        if not (isinstance(found, type) and issubclass(found, self.base)):
            raise PluginError(
                f"{self.kind} {name!r} of {plugin.owner} is {found!r}, not a subclass of "
                f"voxbench.api.{self.base.__name__}."
            )
        return found

    def make(self, ref: Ref, **given: Any) -> P:
        """An instance with the fields of `ref`.

        Raises:
            PluginError: a field is unknown, missing, or refused by the plugin.
        """
        found = self.find(ref.name)
        fields = {field.name: field for field in dataclasses.fields(found) if field.init}
        for name in ref.values:
            if name not in fields:
                raise PluginError(f"{self.kind} {ref.name!r}: {unknown('field', name, fields)}")
        values = {**ref.values, **given}
        needed = [
            name
            for name, field in fields.items()
            if field.default is dataclasses.MISSING
            and field.default_factory is dataclasses.MISSING
            and name not in values
        ]
        if needed:
            raise PluginError(f"{self.kind} {ref.name!r} needs {', '.join(needed)} in its table.")
        try:
            return found(**values)
        except (TypeError, ValueError) as error:
            raise PluginError(f"{self.kind} {ref.name!r}: {error}") from error


TASKS: Registry[Task] = Registry("task", Task)  # type: ignore[type-abstract]
BASELINES: Registry[Baseline] = Registry("baseline", Baseline)


def find_task(ref: Ref | str) -> Task:
    """A task with its folder resolved: the ref's `root`, its `folder`, or the cache.

    Raises:
        PluginError: unknown or broken.
        DataError: the task needs a `root` and has none.
    """
    ref = Ref(ref) if isinstance(ref, str) else ref
    found = TASKS.find(ref.name)
    given = ref.values.get("root")
    if given is not None:
        root = data_root() / os.path.expandvars(str(given))
    elif found.generated:
        root = cache_dir() / "generated" / ref.name
    elif found.folder is not None:
        root = data_root() / found.folder
    else:
        raise DataError(f"task {ref.name!r} needs `root`, the folder of its data.")
    return TASKS.make(ref, root=root)


def find_baseline(ref: Ref | str) -> Baseline:
    """A baseline with the axes of `ref`.

    Raises:
        PluginError: unknown or broken.
    """
    return BASELINES.make(Ref(ref) if isinstance(ref, str) else ref)


def include(folder: Path) -> None:
    """Add the tasks and baselines defined in the `*.py` files of a folder.

    A class is registered under `card.name` where its card is a class attribute, else under its
    own name in kebab case.

    Raises:
        PluginError: a file can't be imported or defines no plugin.
    """
    files = sorted(folder.glob("*.py"))
    if not files:
        raise PluginError(f"--include-path {folder}: no *.py file there.")
    for path in files:
        module = _import_file(path)
        defined = [item for item in vars(module).values() if _is_plugin(item, module)]
        for item in defined:
            registry = TASKS if issubclass(item, Task) else BASELINES
            card = vars(item).get("card")
            name = getattr(card, "name", None) or _kebab(item.__name__)
            registry.loose[name] = Plugin(name, str(path), item)


def _import_file(path: Path) -> ModuleType:
    name = f"voxbench_included_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path}: not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a stranger's module may raise anything
        raise PluginError(f"{path}: can't be imported: {error!r}.") from error
    return module


def _is_plugin(item: object, module: ModuleType) -> bool:
    return (
        isinstance(item, type)
        and issubclass(item, Task | Baseline)
        and item.__module__ == module.__name__
        and not getattr(item, "__abstractmethods__", None)
    )


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


@cache
def _installed(group: str) -> tuple[Plugin, ...]:
    return tuple(_entry_points(group))


def _entry_points(group: str) -> Iterator[Plugin]:
    seen = set()
    for entry in metadata.entry_points(group=group):
        owner = entry.dist.name if entry.dist else entry.value
        if (entry.name, owner, entry.value) not in seen:  # a path listed twice lists them twice
            seen.add((entry.name, owner, entry.value))
            yield Plugin(entry.name, owner, entry)


def complete(registry: Registry[P], ref: Ref) -> Ref:
    """The ref with every field that has a default, so that equal plugins have equal refs.

    A field that was added later is left out where it has its default: see `voxbench.api.added`.

    Raises:
        PluginError: a field is unknown.
    """
    found = registry.find(ref.name)
    defaults = {
        field.name: field.default
        for field in dataclasses.fields(found)
        if field.init and field.default is not dataclasses.MISSING
    }
    return Ref.of(ref.name, identity(found, {**defaults, **ref.values}))
