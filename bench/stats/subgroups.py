"""Effects within groups of patients: by scanner, site, sex, age, from a table of cases."""

import csv
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from bench.errors import SpecError, unknown
from bench.stats.bootstrap import Sample, bootstrap
from bench.stats.counts import Array
from bench.stats.effects import Pair
from bench.stats.frame import nanmean
from bench.stats.paired import holm, verdict, wilcoxon

SMALLEST = 5  # patients of a group that is tested
_CATEGORIES = 6  # distinct numbers up to which a column is taken as categories
_PARTS = 3

CaseTable = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class SubgroupRow:
    """The effect within one group of patients.

    Attributes:
        column, value: of the case table; "" is a patient without an entry.
        p_holm: over the groups of the column that are large enough.
        p_groups: Kruskal and Wallis' test that the groups have the same effect.
    """

    task: str
    fraction: str
    column: str
    value: str
    patients: int
    effect: float
    low: float
    high: float
    p: float
    p_holm: float
    p_groups: float
    verdict: str
    note: str


def read_table(path: Path) -> CaseTable:
    """Patient → column → value, from a CSV with a column `patient` (or `case`).

    Raises:
        SpecError: the file can't be read, lacks that column, or gives a patient two rows that
            differ.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SpecError(f"{path}: can't be read as CSV ({error}).") from None
    name = next((n for n in ("patient", "case") if rows and n in rows[0]), None)
    if name is None:
        raise SpecError(f"{path}: no column 'patient' or 'case'; add one with the patients' names.")
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        own = {k: (v or "").strip() for k, v in row.items() if k and k not in ("patient", "case")}
        if found.setdefault(row[name], own) != own:
            raise SpecError(f"{path}: patient {row[name]!r} has two rows that differ; keep one.")
    return found


def subgroups(pair: Pair, cases: CaseTable, column: str, margin: float) -> list[SubgroupRow]:
    """The effect of a pair in each group of a column; numbers are cut into thirds.

    A group with fewer than 5 patients is a row without a test.

    Raises:
        SpecError: the table has no such column.
    """
    known = {name for row in cases.values() for name in row}
    if column not in known:
        raise SpecError(unknown("column", column, known))
    ours, theirs = pair.samples()
    there = set(pair.other.patients) if pair.other else set()
    patients = [patient for patient in pair.arm.patients if patient in there]
    values = [cases.get(patient, {}).get(column, "") for patient in patients]
    difference = ours.values - theirs.values
    members: dict[str, list[int]] = defaultdict(list)
    for row, label in enumerate(labels(values)):
        if not np.isnan(difference[row]).all():
            members[label].append(row)
    groups = {label: Sample(difference[members[label]], ours.draws) for label in sorted(members)}
    return _rows(pair, column, groups, margin)


def labels(values: Sequence[str]) -> list[str]:
    """The group of each value: itself, or the third of the numbers that it falls into."""
    numbers = [_number(value) for value in values]
    given = np.array([n for n in numbers if not math.isnan(n)])
    texts = sum(bool(value) for value in values)
    if len(given) < texts or len(set(given)) <= _CATEGORIES:
        return list(values)
    edges = np.quantile(given, [0, 1 / 3, 2 / 3, 1])
    names = [f"{edges[i]:g} to {edges[i + 1]:g}" for i in range(_PARTS)]
    return ["" if math.isnan(n) else names[np.searchsorted(edges[1:3], n)] for n in numbers]


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return math.nan


def _rows(
    pair: Pair, column: str, groups: Mapping[str, Sample], margin: float
) -> list[SubgroupRow]:
    means = {label: nanmean(sample.values, axis=1) for label, sample in groups.items()}
    large = {label: own for label, own in means.items() if len(own) >= SMALLEST}
    tested = {label: wilcoxon(own) for label, own in large.items()}
    family = dict(zip(tested, holm(list(tested.values())), strict=True))
    together = _same_effect(list(large.values()))
    rows = []
    for label, sample in groups.items():
        interval = bootstrap(sample).within(-pair.metric.most, pair.metric.most)
        p, p_holm = tested.get(label, math.nan), family.get(label, math.nan)
        enough = label in large
        rows.append(
            SubgroupRow(
                pair.arm.where.task, pair.arm.where.fraction, column, label, len(sample.values),
                *interval, p, p_holm, together,
                verdict(interval, p_holm, len(sample.values), margin, pair.metric.sign)
                if enough else "",
                "" if enough else f"fewer than {SMALLEST} patients: not tested",
            )
        )  # fmt: skip
    return rows


def _same_effect(groups: Sequence[Array]) -> float:
    if len(groups) < 2:
        return math.nan
    pooled = np.concatenate(groups)
    return 1.0 if (pooled == pooled[0]).all() else float(stats.kruskal(*groups).pvalue)
