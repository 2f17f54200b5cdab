"""What is kept of uncertainty in an output folder, by arm and prediction model."""

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from voxbench.analyses.by_run import ByPatient
from voxbench.analyses.groups import Run, Where
from voxbench.analyses.read import by_arm
from voxbench.analyses.uncertainty.figures import Scored, What, detections, figures
from voxbench.records import ScoredRecord
from voxbench.records.uncertainty import UncertaintyRecord, UncertaintyRecords


@dataclass(frozen=True)
class Doubt:
    """An arm at one fraction of one task as a prediction model doubts it.

    Attributes:
        where: what it shares with the arms it is compared with.
        arm: its label.
        twin: the label of its scratch twin; None for scratch.
        model: name and fields, what was asked of it, and the seeds that predict together.
        runs: draw and seed, the first of several → record.
    """

    where: Where
    arm: str
    twin: str | None
    model: str
    runs: Mapping[Run, UncertaintyRecord]

    @property
    def label(self) -> str:
        """The model as tables call it."""
        (name, fields), _, seeds = json.loads(self.model)
        together = f" of {len(seeds)}" if seeds else ""
        return model_label(name, fields) + together

    @property
    def name(self) -> str:
        """Of the prediction model."""
        return next(iter(self.runs.values())).model[0]

    @cached_property
    def silent(self) -> frozenset[str]:
        """Measures that are 0 everywhere, as the mutual information of a single member is."""
        scores: dict[str, list[float]] = defaultdict(list)
        for record in self.runs.values():
            for case in record.test:
                for measure, own in case.scores.items():
                    scores[measure] += [score for score in own.values() if not math.isnan(score)]
        return frozenset(name for name, own in scores.items() if own and not any(own))

    @cached_property
    def values(self) -> dict[What, dict[Run, ByPatient]]:
        """Figure → run → patient → value; an area has pseudo-values. Silent measures have none."""
        found: dict[What, dict[Run, ByPatient]] = defaultdict(dict)
        for run, record in self.runs.items():
            for what, own in figures(record):
                if what.measure not in self.silent:
                    found[what][run] = own
        return found

    def detected(self) -> dict[What, dict[Run, Scored]]:
        """What OoD detection is judged by: scores of each strange set → run → cases."""
        found: dict[What, dict[Run, Scored]] = defaultdict(dict)
        for run, record in self.runs.items():
            for what, own in detections(record):
                if what.measure not in self.silent:
                    found[what][run] = own
        return found


def model_label(name: str, fields: Mapping[str, Any]) -> str:
    """A prediction model with its options, as tables call it."""
    told = ",".join(f"{key}={value}" for key, value in fields.items())
    return f"{name}[{told}]" if told else name


def doubts_in(folder: Path, records: Sequence[ScoredRecord]) -> list[Doubt]:
    """What is kept of uncertainty in an output folder, by arm and model.

    Cells that predicted again, since an external test set was added, count with all their sets.

    Raises:
        RecordError: a file can't be read.
    """
    arms = {
        record.key: (where, arm, record.arm.twin)
        for (where, arm), own in by_arm(records).items()
        for record in own
    }
    found: dict[tuple[Where, str, str | None, str], dict[Run, UncertaintyRecord]] = defaultdict(
        dict
    )
    for one in sorted(UncertaintyRecords(folder), key=lambda record: len(record.external)):
        if one.cells[0] in arms:
            together = one.seeds if len(one.seeds) > 1 else None
            model = json.dumps([one.model, one.asked, together], sort_keys=True)
            found[*arms[one.cells[0]], model][Run(one.arm.draw, one.seeds[0])] = one
    return [Doubt(*own, runs) for own, runs in sorted(found.items(), key=lambda item: str(item[0]))]
