"""Plugins of one kind by name: entry points, imported when they are asked for.

A broken plugin, be it that its import fails, that it is something else than it should be, or that
two packages give one name, is told with its reason where it is asked for, and is in nobody's way
elsewhere.
"""

import dataclasses
import reprlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib import metadata
from typing import Any, Generic, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

from voxbench.design.cell import Ref
from voxbench.errors import PluginError, VoxbenchError, first_rule, unknown
from voxbench.fields import identifying

P = TypeVar("P")
C = TypeVar("C")


@dataclasses.dataclass(frozen=True)
class Registration:
    """A registered plugin, not yet imported.

    Attributes:
        name: as it is written in a sweep.
        owner: the package or file that registers it; all of them, where several do.
        target: the entry point, or what a loose file defines; None where several register it.
    """

    name: str
    owner: str
    target: object


class Registry(Generic[P]):
    """The plugins of one kind.

    Args:
        kind: in messages; the entry-point group is `voxbench.<kind>s`.
        objection: why an object is no plugin of this kind, or None if it is one.
    """

    def __init__(self, kind: str, objection: Callable[[object], str | None]) -> None:
        self.kind = kind
        self.loose: dict[str, Registration] = {}
        self.objection = objection

    def plugins(self) -> dict[str, Registration]:
        """All by name; none is imported."""
        found: dict[str, Registration] = {}
        for plugin in (*_installed(f"voxbench.{self.kind}s"), *self.loose.values()):
            other = found.get(plugin.name, plugin)
            clash = Registration(plugin.name, f"{other.owner} and {plugin.owner}", None)
            found[plugin.name] = plugin if other == plugin else clash
        return dict(sorted(found.items()))

    def find(self, name: str) -> P:
        """The plugin of a name, imported.

        Raises:
            PluginError: unknown, broken, not of this kind, or registered twice.
        """
        plugins = self.plugins()
        if name not in plugins:
            raise PluginError(unknown(self.kind, name, plugins))
        return self._load(plugins[name])

    def each(self) -> Iterator[tuple[Registration, P | PluginError]]:
        """Every plugin with what it is; in place of a broken one the error that says why."""
        for plugin in self.plugins().values():
            try:
                yield plugin, self._load(plugin)
            except PluginError as error:
                yield plugin, error

    def _load(self, plugin: Registration) -> P:
        told = f"{self.kind} {plugin.name!r}"
        if plugin.target is None:
            raise PluginError(
                f"{told} is registered twice, by {plugin.owner}: uninstall or rename one."
            )
        told += f" of {plugin.owner}"
        try:
            target = plugin.target
            found: Any = target.load() if isinstance(target, metadata.EntryPoint) else target
        except (Exception, SystemExit) as error:  # a stranger's module may raise anything
            raise PluginError(f"{told} can't be imported: {failure(error)}.") from error
        if objection := self.objection(found):
            raise PluginError(f"{told} {objection}.")
        loaded: P = found
        return loaded


class ClassRegistry(Registry[type[C]], Generic[C]):
    """Plugins that are dataclasses, whose fields a sweep sets."""

    def make(self, ref: Ref, **given: Any) -> C:
        """An instance with the fields of `ref`.

        Raises:
            PluginError: a field is unknown, missing, or refused by the plugin.
        """
        found, told = self.find(ref.name), f"{self.kind} {ref.name!r}"
        fields = _settable(found)
        for name in ref.values:
            if name not in fields:
                raise PluginError(f"{told}: {unknown('field', name, fields)}")
        values = {**ref.values, **given}
        needed = [name for name, field in fields.items() if _has_no_default(field)]
        if missing := [name for name in needed if name not in values]:
            raise PluginError(f"{told} needs {', '.join(missing)} in its table.")
        if mistyped := _mistyped(found, values):
            raise PluginError(f"{told}: {mistyped}.")
        try:
            return found(**values)
        except (TypeError, ValueError) as error:
            raise PluginError(f"{told}: {error}") from error

    def complete(self, ref: Ref) -> Ref:
        """The ref with every field that has a default, so that equal plugins have equal refs.

        A field that was added later is left out where it has its default: see `api.added`.

        Raises:
            PluginError: the plugin is unknown or broken.
        """
        found = self.find(ref.name)
        defaults = {
            name: field.default
            for name, field in _settable(found).items()
            if field.default is not dataclasses.MISSING
        }
        return Ref.of(ref.name, identifying(found, {**defaults, **ref.values}))


def not_of_class(base: type, found: object) -> str | None:
    """Why an object is no plugin class below `base`, or None if it is one."""
    if not (isinstance(found, type) and issubclass(found, base)):
        home = base.__module__.removesuffix(f".{base.__name__.lower()}")
        return f"is {found!r}, not a subclass of {home}.{base.__name__}"
    if absent := getattr(found, "__abstractmethods__", None):
        return f"doesn't define {', '.join(sorted(absent))}"
    return None


def failure(error: BaseException) -> str:
    """What went wrong in a plugin, on one line."""
    if isinstance(error, VoxbenchError):
        return str(error)
    if isinstance(error, ValidationError):
        return f"{error.title}: {first_rule(error)}"
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"


def _settable(found: type[Any]) -> dict[str, "dataclasses.Field[Any]"]:
    return {field.name: field for field in dataclasses.fields(found) if field.init}


def _mistyped(found: Any, values: Mapping[str, Any]) -> str | None:
    """The first value that is not of the type that its field is annotated with."""
    for name, kind in _types(found).items():
        if name not in values:
            continue
        try:
            kind.validate_python(values[name], strict=True)
        except ValidationError as error:
            rule = error.errors(include_url=False, include_input=False)[0]["msg"]
            return f"{name}: {rule}, got {reprlib.repr(values[name])}"
    return None


@cache
def _types(found: Any) -> dict[str, TypeAdapter[Any]]:
    """Of the fields whose annotations say something that can be checked."""
    types: dict[str, TypeAdapter[Any]] = {}
    for name, field in _settable(found).items():
        with suppress(Exception):  # a stranger's annotation may be anything
            types[name] = TypeAdapter(get_type_hints(found)[field.name])
    return types


def _has_no_default(field: "dataclasses.Field[Any]") -> bool:
    return field.default is field.default_factory is dataclasses.MISSING


@cache
def _installed(group: str) -> tuple[Registration, ...]:
    """Of each entry point one, though a path that is listed twice lists them twice."""
    found = {
        (entry.name, entry.value, owner): Registration(entry.name, owner, entry)
        for entry in metadata.entry_points(group=group)
        for owner in [entry.dist.name if entry.dist else entry.value]
    }
    return tuple(found.values())
