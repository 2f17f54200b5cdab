"""The external test sets of a sweep's tasks, looked up once."""

from collections import Counter
from collections.abc import Mapping

from voxbench.data.dataset import Dataset, open_dataset
from voxbench.data.external_test import ExternalTest, external_test
from voxbench.design.cell import Ref
from voxbench.design.entries import Entry
from voxbench.design.spec import Sweep
from voxbench.errors import SpecError, unknown
from voxbench.plugins import TASKS, find_task


def external_tests(
    sweep: Sweep, tasks: Mapping[Ref, Dataset]
) -> dict[Ref, tuple[ExternalTest, ...]]:
    """Task of a sweep → the sets that its trained networks are scored on besides.

    Args:
        sweep: that names the sets.
        tasks: those of the sweep, with their data.

    Raises:
        SpecError: a task is none of the sweep's, or a set has nothing to test of it.
        PluginError, DataError: a set is unknown, or its data are missing.
    """
    plugins = Counter(ref.name for ref in tasks)
    names = {ref.name: ref for ref in tasks if plugins[ref.name] == 1}
    names |= {dataset.card.name: ref for ref, dataset in tasks.items()}
    opened, corpora = dict(tasks), tuple(sweep.corpora.values())
    found: dict[Ref, tuple[ExternalTest, ...]] = {}
    for entry in sweep.tests:
        if entry.task not in names:
            raise SpecError(f"tests: {unknown('task', entry.task, names)}")
        ref, other = names[entry.task], _data(entry.data, names)
        if other not in opened:
            opened[other] = open_dataset(find_task(other))
        made = external_test(entry.name, tasks[ref], opened[other], corpora)
        if made.name in {test.name for test in found.get(ref, ())}:
            raise SpecError(f"tests: {made.name} of {entry.task} is named twice; rename one.")
        found[ref] = (*found.get(ref, ()), made)
    return found


def _data(entry: Entry, tasks: dict[str, Ref]) -> Ref:
    """A task of the sweep where the name alone is given, else the plugin with its fields."""
    if not entry.fields and entry.name in tasks:
        return tasks[entry.name]
    return TASKS.complete(entry.ref)
