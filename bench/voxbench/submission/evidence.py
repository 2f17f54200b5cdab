"""What this machine has to check against: tasks with their data, and results that are known."""

import itertools
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from voxbench.data.cross_validation import cross_validated
from voxbench.data.dataset import Dataset, open_dataset, open_images
from voxbench.data.split import FrozenSplit, read_frozen
from voxbench.data.union import unite
from voxbench.design.cell import Ref, Source, refs_of
from voxbench.design.fold import Fold
from voxbench.design.spec import Sweep
from voxbench.errors import VoxbenchError
from voxbench.plugins import TASKS, find_task
from voxbench.records import Record, Store


class Evidence:
    """Tasks and results to check a bundle against.

    A stranger's cell says which task it is, never where: data are looked for where a sweep of the
    person who verifies says, else where the task's plugin says, if all its fields are the defaults.

    Attributes:
        results: folder of the results, or None.
        records: the results' records by key.
    """

    def __init__(self, results: Path | None = None, sweeps: Iterable[Sweep] = ()) -> None:
        self.results = results if results and (results / "records").is_dir() else None
        self.records: dict[str, Record] = (
            {record.key: record for record in Store(self.results)} if self.results else {}
        )
        self._known: dict[str, list[Ref]] = {}
        for sweep in sweeps:
            named = [entry for entry in sweep.sources.values() if not entry.union]
            for entry in (*sweep.tasks, *named):
                ref = TASKS.complete(entry.ref)
                self._known.setdefault(_identity(ref), []).append(ref)
        self._found: dict[tuple[Ref, Fold | None], Dataset | str] = {}
        self._sources: dict[Source, list[str]] = {}

    def find(self, ref: Ref, name: str, fold: Fold | None = None) -> Dataset | str:
        """A task that calls itself `name`, or a fold of it; or why it can't be had here."""
        reasons = []
        for candidate in self._candidates(ref):
            found = self._look(candidate, fold)
            if isinstance(found, Dataset) and found.card.name == name:
                return found
            reasons.append(found if isinstance(found, str) else f"its name is {found.card.name}")
        return reasons[0] if reasons else f"{ref.name} does not say where its data lie"

    def identities(self, source: Source) -> list[str]:
        """The identity of every data set here that a cell's source may be, with labels or not."""
        if source not in self._sources:
            self._sources[source] = list(self._identities(source))
        return self._sources[source]

    def _identities(self, source: Source) -> Iterator[str]:
        for candidates in itertools.product(*map(self._candidates, refs_of(source))):
            for opened in (open_dataset, open_images):
                with suppress(VoxbenchError):
                    found = [opened(find_task(ref)) for ref in candidates]
                    yield (unite(found, "source") if found[1:] else found[0]).identity

    def split(self, name: str) -> FrozenSplit | None:
        """The split of a task that the results were made with; None if there is none."""
        folder = self.results and self.results / "splits"
        path = {path.stem: path for path in folder.glob("*.json")}.get(name) if folder else None
        return read_frozen(path) if path else None

    def _candidates(self, ref: Ref) -> list[Ref]:
        known = self._known.get(_identity(ref), [])
        return known or ([ref] if _safe(ref) else [])

    def _look(self, ref: Ref, fold: Fold | None) -> Dataset | str:
        if (ref, fold) not in self._found:
            try:
                self._found[ref, fold] = self._open(ref, fold)
            except VoxbenchError as error:
                self._found[ref, fold] = str(error)
        return self._found[ref, fold]

    def _open(self, ref: Ref, fold: Fold | None) -> Dataset | str:
        if fold is None:
            return open_dataset(find_task(ref))
        whole = self._look(ref, None)
        return cross_validated(find_task(ref), whole, fold) if isinstance(whole, Dataset) else whole


def replaces(record: Record, known: Record) -> bool:
    """Whether a record takes the place of the one of its key: a good one that of a failed one."""
    return record.status == "ok" and known.status == "failed"


def contradicts(record: Record, known: Record) -> bool:
    """Whether a record says otherwise than the one of its key, which it does not replace.

    The ledger's verdict is brought up to date in place, and is no difference.
    """
    apart = {"contamination"}
    same = record.model_dump_json(exclude=apart) == known.model_dump_json(exclude=apart)
    return not same and not replaces(record, known)


def _safe(ref: Ref) -> bool:
    """Whether a stranger's task may be looked for: a plugin as it is by default, with a place."""
    try:
        plugin = TASKS.find(ref.name)
        return bool(plugin.folder or plugin.generated) and ref == TASKS.complete(Ref(ref.name))
    except VoxbenchError:
        return False


def _identity(ref: Ref) -> str:
    return json.dumps(ref.to_json(), sort_keys=True)
