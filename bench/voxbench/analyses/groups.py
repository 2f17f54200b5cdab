"""The patient-level scores of each arm at each fraction of each task."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxbench.errors import SpecError, unknown
from voxbench.records.convergence import Convergence
from voxbench.stats.arrays import Array, nanmean
from voxbench.stats.metric import ALL, CONVENTIONS_OF


class Where(NamedTuple):
    """What two arms share when they are compared.

    `setting` names recipe, data, metric definitions and smoke by a digest: records that differ
    in these are never compared or averaged. `test` is an external test set, "" the task's own.
    """

    task: str
    adaptation: str
    fraction: str
    setting: str
    test: str = ""

    def __str__(self) -> str:
        """`TASK at FRACTION`, with adaptation and test set if they are not the usual ones."""
        return f"{self.task} at {self.scope}"

    @property
    def scope(self) -> "Scope":
        """What is the same over tasks."""
        return Scope(self.adaptation, self.fraction, self.test)

    @property
    def told(self) -> dict[str, str]:
        """Its names as a row has them, `test` only where it is an external one."""
        return _told(self._asdict())


class Scope(NamedTuple):
    """What arms share when they are compared over tasks."""

    adaptation: str
    fraction: str
    test: str = ""

    def __str__(self) -> str:
        """`FRACTION`, with adaptation and test set if they are not the usual ones."""
        adapted = f" ({self.adapted})" if self.adapted else ""
        return self.fraction + adapted + (f" on {self.test}" if self.test else "")

    @property
    def adapted(self) -> str:
        """Its adaptation; "" of the usual one, `full`."""
        return "" if self.adaptation == "full" else self.adaptation

    @property
    def told(self) -> dict[str, str]:
        """Its names as a row has them, `test` only where it is an external one."""
        return _told(self._asdict())


def _told(names: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in names.items() if name != "test" or value}


class Run(NamedTuple):
    """One training: its labelled subset and its seed; all folds of a cross-validation together."""

    draw: int
    seed: int


class Failed(NamedTuple):
    """A cell without a result."""

    key: str
    run: Run
    reason: str


class Spent(NamedTuple):
    """What an arm took: seconds of fitting a run; hours of all runs, of weights, of tuning."""

    fit_seconds: float
    cpu_hours: float
    gpu_hours: float
    pretraining_cpu_hours: float
    pretraining_gpu_hours: float
    tuning_cpu_hours: float
    tuning_gpu_hours: float


class Course(NamedTuple):
    """How an arm was trained, step by step.

    Attributes:
        steps: of each training; 0 where that is not known.
        rest: a digest of all else that its trainings are of: recipe, weights, data.
        validation: step → Dice of the validation cases, the mean of its trainings.
    """

    steps: int
    rest: str
    validation: Mapping[int, float]


class Scale(NamedTuple):
    """What weights were made of; NaN where it is not known, 0 for scratch."""

    volumes: float
    masks: float
    gpu_hours: float
    cpu_hours: float


@dataclass(frozen=True)
class Group:
    """One arm at one fraction of one task, with all its trainings.

    Attributes:
        where: what it shares with the arms it is compared with.
        arm: its label; arms that differ in axes, grid or pre-training under one label get a suffix.
        twin: the label of its scratch twin; None for scratch.
        train_patients: labelled patients it was trained on; NaN if no run finished.
        runs: the finished trainings.
        keys: the training and the key of each record; every fold of a training has one.
        cases: patient and case of each, sorted.
        folds: patient → the fold of a cross-validation that they are tested in; empty without.
        classes: in the order in which records tell of them.
        values: metric → (case, class, run); NaN is undefined. Dice, NSD and HD95 are so where the
            reference lacks the class, false alarms where it has it or nobody knows.
        lacking: metric → (class,), how many scores of its cases and runs have no value.
        failed: trainings without a result.
        failed_cases: predictions that failed and are scored as the worst.
        spent: its cost.
        scale: of its pre-training.
        contamination: whether its weights have seen the test data, as the ledger knows it.
        smoke: its cells were run with a limit.
        recipe: a digest of recipe, limit and smoke.
        imported: its scores were not made here.
        course: of its trainings.
        convergence: of its trainings, their curves averaged.
        remarks: what a reader must know of its records.
    """

    where: Where
    arm: str
    twin: str | None
    train_patients: float
    runs: tuple[Run, ...]
    keys: tuple[tuple[Run, str], ...]
    cases: tuple[tuple[str, str], ...]
    folds: Mapping[str, int]
    classes: tuple[str, ...]
    values: dict[str, Array]
    lacking: dict[str, NDArray[np.intp]]
    failed: tuple[Failed, ...]
    failed_cases: int
    spent: Spent
    scale: Scale
    contamination: str
    smoke: bool
    recipe: str
    imported: bool
    course: Course
    convergence: Convergence
    remarks: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of its records and of its convergence."""
        return (*self.remarks, *filter(None, [self.convergence.note]))

    @property
    def undefined(self) -> dict[str, int]:
        """Metric → case × class × run scores without a value."""
        return {key: int(own.sum()) for key, own in self.lacking.items()}

    @property
    def unconverged(self) -> bool:
        """Its trainings are known not to have converged."""
        return self.convergence.word == "no"

    def only(self, *names: str) -> "Group":
        """As if there were these classes only; patients in which they are undefined stay."""
        at = [place for place, known in enumerate(self.classes) if known in names]
        return replace(
            self,
            classes=tuple(self.classes[place] for place in at),
            values={key: own[:, at] for key, own in self.values.items()},
            lacking={key: own[at] for key, own in self.lacking.items()},
        )

    @cached_property
    def patients(self) -> tuple[str, ...]:
        """Of the test set, sorted."""
        return tuple(dict.fromkeys(patient for patient, _ in self.cases))

    @cached_property
    def scores(self) -> dict[str, Array]:
        """Metric → (patient, run).

        The mean over a patient's cases of the mean over the defined classes of each; NaN where none
        is defined.
        """
        owners = [patient for patient, _ in self.cases]
        return {key: means_by_patient(self.score(key), owners) for key in ALL}

    def score(self, key: str) -> Array:
        """A metric, (case, class, run); one of the conventions is made of its parts."""
        if key in CONVENTIONS_OF:
            alarms = self.values["false_alarms"]
            return np.where(np.isnan(alarms), self.values[CONVENTIONS_OF[key]], 1 - alarms)
        return self.values[key]

    @property
    def label(self) -> str:
        """The arm's label as records have it, without a suffix."""
        return self.arm.partition("#")[0]


def means_by_patient(values: Array, owners: Sequence[str]) -> Array:
    """Means of patients, (…, patient, run), of cases with their classes, (…, case, class, run).

    Args:
        values: NaN is undefined, and left out.
        owners: the patient of each case, sorted.
    """
    by_case = nanmean(values, axis=-2)
    starts = [row for row, own in enumerate(owners) if row == 0 or own != owners[row - 1]]
    if len(starts) == len(owners):
        return by_case
    parts = np.split(by_case, starts[1:], axis=-2)
    return np.stack([nanmean(part, axis=-2) for part in parts], axis=-2)


def find_arm(labels: Iterable[str], name: str) -> str:
    """The arm that `find_arms` finds.

    Raises:
        SpecError: there is none, or there are several.
    """
    found = find_arms(labels, name)
    if len(found) > 1:
        raise SpecError(f"arm {name!r} is ambiguous: {', '.join(found)}; give the whole label.")
    return found[0]


def find_arms(labels: Iterable[str], name: str) -> list[str]:
    """The arm of that label; or those whose label begins so; or, with * in it, those like it.

    Raises:
        SpecError: there is none.
    """
    arms = sorted(set(labels))
    if name in arms:
        return [name]
    pattern = re.escape(name if "*" in name else f"{name}*").replace(r"\*", ".*")
    if found := [arm for arm in arms if re.fullmatch(pattern, arm)]:
        return found
    bare = {arm.partition("[")[0] for arm in arms}
    raise SpecError(unknown("arm", name, {*arms, *bare}))
