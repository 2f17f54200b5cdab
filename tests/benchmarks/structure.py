"""How the product is built, in numbers: lines, names, functions, and the way of one cell.

    python tests/benchmarks/structure.py            # of the checkout in the working folder

Counted by reading: lines of Python, public functions and classes that several modules define, and
the longest functions. Traced by running a sweep of two cells in this process: the first call of
each function from another file is an entry, consecutive entries into one file are a *stay*; a stay
in a room that was left before is a *return*, and one in a room above that of the stay before is a
*climb*. Rooms and their order are those of the import contract in pyproject.toml. There are three
ways, each told by itself: that of a cell, that of a pre-training, and that of the sweep around
them. `--count` leaves the trace out, `--climbs` names the climbs.

Two kinds of climbs are none of the data, and are counted within the others as well as apart:

- An *upward call* is an entry from a room below. No room imports one above it (but for the one
  exception of the contract), so it calls what it was handed: a listener of the progress, the
  function of an architecture, an objective.
- The contracts and the rooms below them (cards, recipes, paths, locks, progress, errors) are what
  all rooms speak in. To ask a card for its classes is no stop of the data on their way, nor is
  what follows a climb: *above the contracts* they, and the plugins beside them, are left out.

What remains of climbs are steps that follow one another: a function calls one that goes far down,
and then the next, which lies higher.

The way of a sweep is what its data pass on an ordinary day: the data sets exist (the sweep is
planned in another process first, which generates the phantoms), and nobody watches, as in a
notebook. What runs while a module is imported is not part of it, nor what is handed to threads
(hashing and preparing of cases).
"""

import ast
import itertools
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from inspect import CO_OPTIMIZED
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from types import CodeType, FrameType
from typing import Any, NamedTuple

SWEEP = """
name = "structure"
tasks = ["phantom-lesion"]
fractions = ["4 shots"]
seeds = 1
baselines = [{ name = "supervised", size = "tiny", source = "phantom-atlas", volumes = 4 }]
[recipe]
steps = 2
patch = [32, 32, 32]
[pretraining]
steps = 2
patch = [32, 32, 32]
"""


class Rooms:
    """The product's files, and how high each room lies; 0 is the ground."""

    def __init__(self, checkout: Path) -> None:
        tools = tomllib.loads((checkout / "pyproject.toml").read_text())["tool"]
        self.roots = [
            checkout / name for name in tools["hatch"]["build"]["targets"]["wheel"]["packages"]
        ]
        layers = next(c for c in tools["importlinter"]["contracts"] if c["type"] == "layers")[
            "layers"
        ]
        self.package = layers[0].split(".")[0]
        self.heights = {
            name.strip(" ()").partition(".")[2]: height
            for height, layer in enumerate(reversed(layers))
            for name in layer.replace("|", ":").split(":")
        }

    def files(self) -> list[Path]:
        return sorted(path for root in self.roots for path in root.rglob("*.py"))

    @cache  # noqa: B019 (there is one)
    def room(self, file: str) -> str | None:
        """The room of a file; None if it is not the product's. Plugins are one room a package."""
        for root in self.roots:
            if file.startswith(f"{root}/"):
                parts = Path(file).relative_to(root).with_suffix("").parts
                return parts[0] if root.name == self.package else root.name
        return None


class Entry(NamedTuple):
    """A first call from one file into another; both with their rooms."""

    caller: str
    file: str
    left: str
    room: str


BEGINNINGS = {"run_sweep": "sweep", "make_weights": "pre-training", "run_cell": "cell"}
"""The function that a way begins with; what is called within a pre-training or a cell is its."""


class Trace:
    """Follows the calls below `run_sweep`: its own, those of a pre-training and of a cell."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self.ways: dict[str, list[Entry]] = defaultdict(list)
        self.seen: set[tuple[str, str, str]] = set()

    def __call__(self, frame: FrameType, _event: str, _arg: Any) -> None:
        """Note a call from another file; nothing is returned, so that no line is traced."""
        code, callers = frame.f_code, self._callers(frame)
        room = self.rooms.room(code.co_filename)
        if room is None or code.co_name in BEGINNINGS:
            return
        caller = next(callers, code)
        if caller.co_filename == code.co_filename:
            return
        calls = [code, caller, *callers]
        ways = [BEGINNINGS[call.co_name] for call in calls if call.co_name in BEGINNINGS]
        if not ways or not all(call.co_flags & CO_OPTIMIZED for call in calls):
            return  # it is not followed yet, or a module is imported
        way = ways[-2:][0]  # the last is the sweep's own
        called = way, code.co_filename, code.co_qualname
        if called not in self.seen:
            self.seen.add(called)
            left = self.rooms.room(caller.co_filename) or ""
            self.ways[way].append(Entry(caller.co_filename, code.co_filename, left, room))

    def _callers(self, frame: FrameType) -> Iterator[CodeType]:
        """The product's functions that a call came through, the nearest first."""
        above = frame.f_back
        while above:
            if self.rooms.room(above.f_code.co_filename):
                yield above.f_code
            above = above.f_back


def told(entries: list[Entry], rooms: Rooms, *, names: bool) -> Iterator[str]:
    """The way in numbers, the upward calls, and the climbs by `names`."""
    upward = {
        f"    upward call: {_short(e.caller)} -> {_short(e.file)}"
        for e in entries
        if _is_upward(e, rooms)
    }
    yield f"{len({e.file for e in entries})} files, {len(upward)} upward calls"
    yield from sorted(upward)
    inside = [e for e in entries if _height(e.room, rooms) > rooms.heights["api"]]
    for place, way in ("everywhere", entries), ("above the contracts", inside):
        stays = [e for i, e in enumerate(way) if i == 0 or e.file != way[i - 1].file]
        climbs = [
            (one, other)
            for one, other in itertools.pairwise(stays)
            if _height(other.room, rooms) > _height(one.room, rooms)
        ]
        called = sum(_is_upward(other, rooms) for _, other in climbs)
        yield (
            f"{place}: {len(stays)} stays, {_returns(stays)} returns, {len(climbs)} climbs, "
            f"{called} of them upward calls"
        )
        for one, other in climbs if names else ():
            left, entered = _short(one.file), _short(other.file)
            yield f"    climb: {left} then {entered} from {_short(other.caller)}"


def _returns(stays: list[Entry]) -> int:
    visited: set[str] = set()
    returns, before = 0, ""
    for stay in stays:
        returns += stay.room in visited and stay.room != before
        visited.add(stay.room)
        before = stay.room
    return returns


def _is_upward(entry: Entry, rooms: Rooms) -> bool:
    return _height(entry.room, rooms) > _height(entry.left, rooms)


def _height(room: str, rooms: Rooms) -> int:
    """Plugins lie beside the contracts that they fill; a file on its own is on the ground."""
    return rooms.heights.get(room, rooms.heights["api"] if room.startswith("voxbench_") else 0)


def _short(file: str) -> str:
    return "/".join(Path(file).parts[-3:])


def trace(rooms: Rooms) -> Trace:
    """Run the sweep in this process, once its data sets are there."""
    import os
    import subprocess
    from importlib import import_module

    tracer = Trace(rooms)
    with TemporaryDirectory() as folder:
        spec, output = Path(folder) / "structure.toml", Path(folder) / "out"
        spec.write_text(SWEEP)
        os.environ["VOXBENCH_CACHE"] = f"{folder}/cache"
        plan = [sys.executable, "-m", rooms.package, "plan", str(spec), "-o", str(output)]
        subprocess.run(plan, check=True, stdout=subprocess.DEVNULL)
        run = import_module(rooms.package).run
        sys.settrace(tracer)
        try:
            run(spec, output)
        finally:
            sys.settrace(None)
    return tracer


def counts(rooms: Rooms) -> Iterator[str]:
    """Lines, names and functions."""
    lengths, functions, names = [], [], defaultdict(set)
    for path in rooms.files():
        text = path.read_text()
        lengths.append(text.count("\n"))
        tree = ast.parse(text)
        for node in tree.body:
            named = isinstance(node, ast.FunctionDef | ast.ClassDef)
            if named and not node.name.startswith("_"):  # type: ignore[attr-defined]
                names[node.name].add(path)  # type: ignore[attr-defined]
        functions += [
            (node.end_lineno - node.lineno + 1, node.name, path)
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and node.end_lineno
        ]
    twice = {name: files for name, files in names.items() if len(files) > 1}
    yield f"{len(lengths)} files, {sum(lengths)} lines; median {median(lengths):g} a file"
    yield f"{len(functions)} functions; median {median(f[0] for f in functions):g} lines"
    yield f"{len(twice)} of {len(names)} public functions and classes defined in several modules"
    for name, files in sorted(twice.items()):
        yield f"    {name}: {', '.join(sorted(_short(str(file)) for file in files))}"
    yield "longest functions:"
    for length, name, path in sorted(functions, key=lambda f: -f[0])[:8]:
        yield f"    {length} lines: {name} in {_short(str(path))}"


if __name__ == "__main__":
    product, names = Rooms(Path.cwd()), "--climbs" in sys.argv
    print(*counts(product), sep="\n")
    if "--count" not in sys.argv:
        found = trace(product)
        for way, entries in found.ways.items():
            print(f"one {way}:", *told(entries, product, names=names), sep="\n  ")
