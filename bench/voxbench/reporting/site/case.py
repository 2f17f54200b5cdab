"""The cases of a result: their scores, and pictures of the worst, the median and the best."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from voxbench.api import Case, Task, TaskCard
from voxbench.data.doubt_map import doubt_path
from voxbench.data.kept_map import read_prediction
from voxbench.data.label_map import read_label_map
from voxbench.data.volumes import CaseReader
from voxbench.errors import DataError, VoxbenchError
from voxbench.plugins import find_task
from voxbench.records import Facts, Scored
from voxbench.records.case_scores import CaseScores, ClassScores
from voxbench.records.places import without_places
from voxbench.records.predictions import prediction_path
from voxbench.records.scored import scores_of
from voxbench.reporting.names import slug
from voxbench.reporting.site.cards import ref_of
from voxbench.reporting.site.material import ArmResult, Material
from voxbench.reporting.site.picture import Picture, picture
from voxbench.stats.metric import METRICS, Metric

FLAGS = {
    "both_empty": "empty in both",
    "prediction_empty": "prediction empty",
    "reference_empty": "reference empty",
    "failed": "prediction failed",
}


class CaseRow(NamedTuple):
    """One case: the mean over runs of each class and metric, and why scores are what they are.

    Attributes:
        mean: of the leading metric over classes.
        scores: class → (dice, nsd, hd95_mm).
        mark: worst, median, best, or "".
        page: from the root of the site, or "" where there is no picture, for `reason`.
    """

    case: str
    patient: str
    mean: float
    scores: dict[str, tuple[float, ...]]
    notes: str
    mark: str = ""
    page: str = ""
    reason: str = ""


class CasePage(NamedTuple):
    """What the page of a case shows: the scores are those of the record that is pictured."""

    result: ArmResult
    row: CaseRow
    record: Facts
    scores: dict[str, ClassScores]
    card: TaskCard
    picture: Picture


def case_rows(result: ArmResult, metric: Metric) -> list[CaseRow]:
    """Every case of a result, with worst, median and best marked."""
    runs: dict[str, list[CaseScores]] = {}
    for record in result.records:
        for case in scores_of(record).by_case():
            runs.setdefault(case.case, []).append(case)
    rows = [_row(own, metric) for own in runs.values()]
    ordered = sorted(
        (row for row in rows if not math.isnan(row.mean)),
        key=lambda row: (metric.sign * row.mean, row.case),
    )
    marks: dict[str, str] = {}
    if ordered:
        marks[ordered[len(ordered) // 2].case] = "median"
        marks[ordered[-1].case] = "best"
        marks[ordered[0].case] = "worst"
    return [row._replace(mark=marks.get(row.case, "")) for row in rows]


def _row(own: list[CaseScores], metric: Metric) -> CaseRow:
    names = list(dict.fromkeys(name for case in own for name in case.classes))
    scores = {
        name: tuple(
            _mean([getattr(case.classes[name], key) for case in own if name in case.classes])
            for key in METRICS
        )
        for name in names
    }
    leading = list(METRICS).index(metric.key)
    flags = Counter(
        f"{name}: {FLAGS.get(score.flag, score.flag)}"
        for case in own
        for name, score in case.classes.items()
        if score.flag
    )
    notes = [
        word if count == len(own) else f"{word} in {count} of {len(own)} runs"
        for word, count in flags.items()
    ]
    notes += sorted({case.failure for case in own if case.failure})
    mean = _mean([values[leading] for values in scores.values()])
    return CaseRow(own[0].case, own[0].patient, mean, scores, "; ".join(notes))


def _mean(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def pictured(
    material: Material, result: ArmResult, rows: list[CaseRow]
) -> Iterator[tuple[CaseRow, CasePage | None]]:
    """Each row with its page, or with the reason why it has none."""
    for row in rows:
        stored = _stored(material, result, row.case)
        if stored is None:
            yield row._replace(reason="no prediction stored"), None
        elif not row.mark:
            yield row._replace(reason="only worst, median and best are pictured"), None
        else:
            yield _with_page(material, result, row, *stored)


def _stored(material: Material, result: ArmResult, case: str) -> tuple[Scored, Path] | None:
    """The first run that kept its prediction."""
    for record in result.records:
        path = prediction_path(material.store.root, record.key, case)
        if path.is_file():
            return record, path
    return None


def _with_page(
    material: Material, result: ArmResult, row: CaseRow, record: Scored, path: Path
) -> tuple[CaseRow, CasePage | None]:
    try:
        task, cases = _readable(record, material)
        maps = _doubts(material, record.key, row.case)
        made = _picture(task, cases, row.case, path, maps)
    except VoxbenchError as error:
        return row._replace(reason=without_places(str(error))), None
    scores = next(case.classes for case in scores_of(record).by_case() if case.case == row.case)
    stem = result.page.removeprefix("results/").removesuffix(".html")
    row = row._replace(page=f"cases/{stem}-{slug(row.case)}.html")
    return row, CasePage(result, row, record, scores, task.card, made)


def _readable(record: Facts, material: Material) -> tuple[Task, dict[str, Case]]:
    """The record's task and its cases by id, if their files may be shown and are here.

    Where its data lie only a sweep of the reader's own may tell, never a record.
    """
    known = material.tasks_here.get(record.arm.task)
    task = known or find_task(ref_of(record))
    if material.public and not (task.generated or is_open(task.card.licence)):
        raise DataError(
            f"pages that are given away have no pictures of data under «{task.card.licence}»."
        )
    return task, _cases(task)


_OPEN = re.compile(r"\b(?:CC0|CC[- ]BY|public domain|Apache|MIT|BSD)\b", re.IGNORECASE)
_CLOSED = re.compile(r"\bN[CD]\b|non-?commercial|no derivatives|agreement", re.IGNORECASE)


def is_open(licence: str) -> bool:
    """Whether volumes under a licence may be shown to anyone by anyone."""
    return bool(_OPEN.search(licence)) and not _CLOSED.search(licence)


@lru_cache(maxsize=8)
def _cases(task: Task) -> dict[str, Case]:
    return {case.id: case for cases in task.cases().values() for case in cases}


def _doubts(material: Material, key: str, case: str) -> dict[str, Path]:
    """What a cell's case was doubted by → the map that was kept of it."""
    paths = {
        f"{model} · {measure.replace('_', ' ')}": doubt_path(
            material.store.root, one.key, measure, case
        )
        for model, one in material.doubted.get(key, ())
        for measure in one.asked.get("measures", ())
    }
    return {name: path for name, path in paths.items() if path.is_file()}


def _picture(
    task: Task, cases: dict[str, Case], name: str, path: Path, maps: Mapping[str, Path]
) -> Picture:
    if name not in cases:
        raise DataError("the task has no case of this name on this machine.")
    reader = CaseReader(cases[name], task.card)
    volumes = reader.read()
    if volumes is None:
        problem = next(problem for problem in reader.problems if problem.fatal)
        raise DataError(f"{problem.file}: {problem.kind}: {problem.detail}.")
    doubts = {told: read_label_map(own) for told, own in maps.items()}
    return picture(volumes, read_prediction(path, task.card.parts), task.card, doubts)
