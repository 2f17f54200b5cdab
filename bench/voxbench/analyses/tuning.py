"""What tuning chose for each arm, and what must be known of that."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import median

import numpy as np

from voxbench.analyses.table import Column, Table, number, or_dash, plain_columns
from voxbench.design.tuning import Parameter, Range, Tuning, Value, described
from voxbench.records.record import Arm
from voxbench.records.trials import TrialRecord, Trials, best_of
from voxbench.stats.arrays import Array
from voxbench.stats.best_of import told_apart

BORDER = 0.05
"""A winner that lies so near to an end of its range, as a share of it, lies on the border."""
_FEWEST_NUMBERS = 3  # of a list, to have a border


@dataclass(frozen=True)
class Studied:
    """The trials of one arm at one fraction of a task.

    Attributes:
        trials: in the order of their numbers.
    """

    trials: tuple[TrialRecord, ...]

    @property
    def arm(self) -> Arm:
        """The names that tables group its cells by."""
        return self.trials[0].arm

    @property
    def tuning(self) -> Tuning:
        """As it was declared; grids are kept from asking for more than they have."""
        return Tuning.model_validate({**self.trials[0].tuning, "trials": 1})

    @property
    def best(self) -> TrialRecord | None:
        """Whose values were chosen; None if no trial is complete."""
        return best_of(self.trials)

    @property
    def scores(self) -> Array:
        """Of each trial; a pruned one as it was seen last, at most the median of complete ones."""
        complete = [trial.score for trial in self.trials if trial.state == "complete"]
        most = median(complete) if complete else math.inf
        ends = ((t.score, most if t.state == "pruned" else math.inf) for t in self.trials)
        return np.array([min(pair) for pair in ends])


def studies_in(folder: Path) -> list[Studied]:
    """The studies of an output folder, by task, fraction and adaptation; twins behind their arms.

    Raises:
        RecordError: a trial can't be read.
    """
    found = [Studied(tuple(own)) for _, own in groupby(Trials(folder), lambda trial: trial.study)]

    def order(study: Studied) -> tuple[object, ...]:
        arm = study.arm
        return arm.task, arm.adaptation, arm.fraction, arm.twin is None, arm.baseline

    return sorted(found, key=order)


def study_table(studies: Sequence[Studied]) -> Table:
    """What was chosen for each arm, and what must be known of that."""
    return Table(
        "tuning",
        "Tuning",
        "The trial of each arm that scored best on validation cases; test cases are not read. An "
        "arm and its twin have the same space, number of trials, sampler seed and validation "
        "cases. Alike are the complete trials that validation can't tell from the best: Student's "
        "95% interval of the paired difference over patients holds 0.",
        [
            *plain_columns("task", "fraction", "adaptation", "arm", "sampler", "pruner"),
            *plain_columns("trials", "pruned", "failed", "patients", "folds", number=True),
            Column("best", ("score",), number(3), True),
            Column("chosen", show=or_dash),
            Column("alike", number=True),
            Column("GPU h", ("gpu_hours",), number(3), True),
            Column("CPU h", ("cpu_hours",), number(3), True),
            Column("warning"),
        ],
        [_row(study) for study in studies],
    )


def _row(study: Studied) -> dict[str, object]:
    states = Counter(trial.state for trial in study.trials)
    costs = [trial.cost for trial in study.trials if trial.cost]
    best = study.best
    return {
        **named(study.arm),
        "study": study.trials[0].study,
        "sampler": study.tuning.sampler,
        "pruner": study.tuning.pruner,
        "trials": len(study.trials),
        "pruned": states["pruned"],
        "failed": states["failed"],
        "patients": len(best.scores) if best else 0,
        "folds": study.trials[0].folds,
        "score": best.score if best else math.nan,
        "chosen": described(best.values) if best else "",
        "alike": len(_alike(study, best)) if best else 0,
        "gpu_hours": sum(cost.gpu_hours for cost in costs),
        "cpu_hours": sum(cost.cpu_hours for cost in costs),
        "warning": "; ".join(_warnings(study, best)),
    }


def named(arm: Arm) -> dict[str, object]:
    """The first columns of tables about studies."""
    return {
        "task": arm.task,
        "fraction": arm.fraction,
        "adaptation": arm.adaptation,
        "arm": arm.baseline,
    }


def _alike(study: Studied, best: TrialRecord) -> list[TrialRecord]:
    """The complete trials that validation can't tell from the best."""
    others = [t for t in study.trials if t.state == "complete" and t.number != best.number]
    patients = sorted(best.scores)
    own = np.array([best.scores[patient] for patient in patients])
    return [
        trial
        for trial in others
        if not told_apart(own, np.array([trial.scores.get(p, math.nan) for p in patients]))
    ]


def _warnings(study: Studied, best: TrialRecord | None) -> Iterator[str]:
    if (missing := max(trial.budget for trial in study.trials) - len(study.trials)) > 0:
        yield "1 trial is missing" if missing == 1 else f"{missing} trials are missing"
    if best is None:
        yield "no trial is complete"
        return
    for name, parameter in study.tuning.space.items():
        if on_border(parameter, best.values[name]):
            yield f"{name} lies on the border of the space: widen it"
    complete = sum(trial.state == "complete" for trial in study.trials)
    if len(_alike(study, best)) * 2 >= max(1, complete - 1):
        yield "validation can't tell most trials from the best: the choice is luck"


def on_border(parameter: Parameter, value: Value) -> bool:
    """Whether a value is within 5% of an end of its range, on the scale that it is drawn on.

    Or the smallest or largest of a list of at least three numbers; words have no border.
    """
    if isinstance(parameter, Range):
        place = parameter.place(float(value))
        return not BORDER < place < 1 - BORDER
    numbers = [own for own in parameter if isinstance(own, int | float)]
    ordered = len(numbers) == len(parameter) >= _FEWEST_NUMBERS
    return ordered and value in (min(numbers), max(numbers))
