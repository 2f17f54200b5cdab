"""An external test set: another data set that a task's trained networks are scored on."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from voxbench.api import Case, TaskCard
from voxbench.data.dataset import Dataset
from voxbench.design.cell import digest
from voxbench.design.corpus import Corpus
from voxbench.design.structures import canonical
from voxbench.errors import SpecError

_VERSION = 1  # of how external cases are prepared, mapped and scored


@dataclass(frozen=True)
class ExternalTest:
    """Another data set with the classes that it shares with a task.

    Attributes:
        name: in tables.
        dataset: its own; all its labelled cases are tested on, since none was trained on.
        classes: class of the task → class there that is the same structure.
        lacking: classes of the task that it lacks: they are not scored there.
        corpora: that the sweep registers.
    """

    name: str
    dataset: Dataset
    classes: Mapping[str, str] = field(compare=False)
    lacking: tuple[str, ...] = ()
    corpora: tuple[Corpus, ...] = field(default=(), compare=False)

    @property
    def cases(self) -> tuple[Case, ...]:
        """By id."""
        split = self.dataset.split
        found = (*split.train, *split.validation, *split.test)
        return tuple(sorted((c for c in found if c.label is not None), key=lambda case: case.id))

    def key(self, training: str) -> str:
        """Of the record of a training's scores on it: content-addressed, as that of a cell.

        Args:
            training: key of the cell, in which task, grid, tolerances and metrics are.
        """
        return digest(
            ["external", _VERSION, training, self.name, self.dataset.identity, {**self.classes}]
        )[:20]


def external_test(
    name: str, task: Dataset, other: Dataset, corpora: tuple[Corpus, ...] = ()
) -> ExternalTest:
    """What another data set can test of a task, by the canonical names of their classes.

    Raises:
        SpecError: it is the task's own data, has no labels or other channels, shares no class, or
            two of its classes, or of the task's, are one structure.
    """
    told = f"tests: {name} of {task.card.name}: {other.card.name}"
    if other.identity == task.identity:
        raise SpecError(f"{told} is the task's own data; name another data set.")
    if not other.split.labelled:
        raise SpecError(f"{told} has no labels to score by.")
    ours, theirs = len(task.card.channels), len(other.card.channels)
    if ours != theirs:
        raise SpecError(f"{told} has {theirs} channels, the task has {ours}: leave it out.")
    own = _by_structure(told, task.card)
    there = _by_structure(told, other.card)
    classes = {known: there[part] for part, known in own.items() if part in there}
    if not classes:
        raise SpecError(
            f"{told} has nothing to share: its classes are {', '.join(other.card.classes)}, the "
            f"task's {', '.join(task.card.classes)}. Name a data set with one of these structures."
        )
    lacking = tuple(known for known in own.values() if known not in classes)
    return ExternalTest(name, other, classes, lacking, corpora)


def _by_structure(told: str, card: TaskCard) -> dict[str, str]:
    """Canonical name → class of a card."""
    counts = Counter(map(canonical, card.classes))
    if twice := ", ".join(name for name in card.classes if counts[canonical(name)] > 1):
        raise SpecError(f"{told}: {twice} of {card.name} are one structure by name; rename one.")
    return {canonical(name): name for name in card.classes}
