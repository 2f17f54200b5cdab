"""Tasks, baselines and architectures by name.

Built-in and third-party plugins register the same way, in the entry-point groups `voxbench.tasks`,
`voxbench.baselines` and `voxbench.architectures`; `include` adds the loose files of a folder.
"""

import importlib.util
import re
import sys
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from voxbench.api import Architecture, Baseline, BaselineCard, Task
from voxbench.api.architecture import ARCHITECTURES
from voxbench.design.cell import Ref
from voxbench.errors import DataError, PluginError, unknown
from voxbench.paths import cache_dir, data_root, expanded
from voxbench.registry import ClassRegistry, Registration, failure, not_of_class


def _not_a_baseline(found: object) -> str | None:
    """Why an object is no baseline, or None if it is one."""
    if objection := not_of_class(Baseline, found):
        return objection
    carded = isinstance(getattr(found, "card", None), BaselineCard)
    return None if carded else "has no `card`, a voxbench.api.BaselineCard"


TASKS: ClassRegistry[Task] = ClassRegistry("task", partial(not_of_class, Task))
BASELINES: ClassRegistry[Baseline] = ClassRegistry("baseline", _not_a_baseline)


def find_task(ref: Ref | str) -> Task:
    """A task with its folder resolved: the ref's `root`, its `folder`, or the cache.

    Raises:
        PluginError: unknown or broken.
        DataError: the task, which knows itself by its folder, has no `root`, or there is none.
    """
    ref = Ref(ref) if isinstance(ref, str) else ref
    found = TASKS.find(ref.name)
    given = ref.values.get("root")
    if given is not None:
        root = data_root() / expanded(str(given))
    elif found.generated:
        root = cache_dir() / "generated" / ref.name
    elif found.folder is not None:
        root = data_root() / found.folder
    else:
        raise DataError(f"task {ref.name!r} needs `root`, the folder of its data.")
    if found.folder is None and not found.generated and not root.is_dir():
        raise DataError(
            f"{root}: no such folder, the `root` of task {ref.name!r}; a relative one starts from "
            f"VOXBENCH_DATA, which is {data_root()}."
        )
    return TASKS.make(ref, root=root)


def find_baseline(ref: Ref | str) -> Baseline:
    """A baseline with the axes of `ref`.

    Raises:
        PluginError: unknown or broken, or its architecture is unknown.
    """
    found = BASELINES.make(Ref(ref) if isinstance(ref, str) else ref)
    builds_its_own = type(found).backbone is not Baseline.backbone
    if not builds_its_own and found.architecture not in (known := ARCHITECTURES.plugins()):
        told = unknown("architecture", found.architecture, known)
        raise PluginError(f"baseline {found.card.name!r}: {told}")
    return found


def find_architecture(name: str) -> Architecture[Any]:
    """An architecture, which builds its networks.

    Raises:
        PluginError: unknown or broken.
    """
    return ARCHITECTURES.find(name)


def include(folder: Path) -> None:
    """Add the tasks, baselines and architectures defined in the `*.py` files of a folder.

    A class is registered under `card.name` where its card is a class attribute, else under its
    own name in kebab case; an architecture under its name, where its network is the file's own.

    Raises:
        PluginError: a file can't be imported or defines no plugin.
    """
    files = sorted(folder.glob("*.py"))
    if not files:
        raise PluginError(f"--include-path {folder}: no *.py file there.")
    for path in files:
        module = _import_file(path)
        for item in vars(module).values():
            if isinstance(item, Architecture):
                if item.network.__module__ == module.__name__:  # not of a file that it imports
                    ARCHITECTURES.loose[item.name] = Registration(item.name, str(path), item)
            elif isinstance(item, type) and item.__module__ == module.__name__:
                _register(item, str(path))


def included() -> list[Path]:
    """The folders whose loose files were added."""
    loose = (one for kind in (TASKS, BASELINES, ARCHITECTURES) for one in kind.loose.values())
    return sorted({Path(one.owner).parent for one in loose})


def _register(item: type, owner: str) -> None:
    """A class that is a task or a baseline, and no mere base of some."""
    for registry in (TASKS, BASELINES):
        if registry.objection(item) is None:
            name = getattr(vars(item).get("card"), "name", None) or _kebab(item.__name__)
            registry.loose[name] = Registration(name, owner, item)


def _import_file(path: Path) -> ModuleType:
    name = f"voxbench_included_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path}: not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a stranger's module may raise anything
        raise PluginError(f"{path}: can't be imported: {failure(error)}.") from error
    return module


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
