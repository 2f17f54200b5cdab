"""What networks lose on external test sets: in-distribution and external scores of one training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from voxbench.analyses.effects import Effect, effects
from voxbench.analyses.groups import Group, Where
from voxbench.analyses.pairing import twins
from voxbench.analyses.ranks.leagues import task_leagues
from voxbench.analyses.table import (
    Column,
    Table,
    as_row,
    interval_column,
    or_dash,
    plain_columns,
)
from voxbench.stats.bootstrap import Sample, bootstrap, bootstrap_shift
from voxbench.stats.interval import UNDEFINED, Interval
from voxbench.stats.metric import Metric

Place = tuple[Where, str]


@dataclass(frozen=True)
class Shift:
    """An arm on an external test set, beside the task's own test cases.

    Attributes:
        classes: that both have; all scores here are of these.
        patients, external_patients: who was tested.
        runs: trainings that were scored on both.
        inside: mean on the task's own test cases; outside: on the external ones.
        shift: outside − inside.
        place, external_place: among the arms of the task, by mean rank; 0 where it is alone.
        effect, external_effect: against the scratch twin; undefined for scratch.
        verdict, external_verdict: of them.
        contamination: whether weights or training have seen the external cases.
    """

    where: Where
    arm: str
    classes: str
    patients: int
    external_patients: int
    runs: int
    inside: Interval
    outside: Interval
    shift: Interval
    place: int
    external_place: int
    effect: Interval
    verdict: str
    external_effect: Interval
    external_verdict: str
    contamination: str


def shifts(
    own: Sequence[Group],
    external: Sequence[Group],
    training_of: Mapping[str, str],
    metric: Metric,
    margin: float,
) -> list[Shift]:
    """Every arm on every external test set that some of its trainings were scored on.

    Args:
        own: groups of the task's own test cases.
        external: groups of external test sets.
        training_of: key of an external record → key of the cell whose network it is.
        metric: of the scores.
        margin: of practical equivalence.
    """
    homes = {key: group for group in own for _, key in group.keys}
    pairs = [
        (replace(homes[training].only(*group.classes), where=group.where), group)
        for group in external
        if group.runs and (training := training_of[group.keys[0][1]]) in homes
    ]
    inside, outside = ([pair[side] for pair in pairs] for side in (0, 1))
    ranked, compared = (
        [_places(groups, metric, margin) for groups in (inside, outside)],
        [_effects(groups, metric, margin) for groups in (inside, outside)],
    )
    return [
        _shift(one, other, metric, ranked, compared)
        for one, other in zip(inside, outside, strict=True)
    ]


def _places(groups: Sequence[Group], metric: Metric, margin: float) -> dict[Place, int]:
    leagues = task_leagues(groups, metric, margin)
    return {(where, row.arm): row.place for where, found in leagues.items() for row in found.rows}


def _effects(groups: Sequence[Group], metric: Metric, margin: float) -> dict[Place, Effect]:
    found = effects(twins(groups, metric), margin)
    return {(effect.where, effect.arm): effect for effect in found}


def _shift(
    inside: Group,
    outside: Group,
    metric: Metric,
    ranked: Sequence[Mapping[Place, int]],
    compared: Sequence[Mapping[Place, Effect]],
) -> Shift:
    runs = tuple(run for run in outside.runs if run in inside.runs)
    draws = tuple(run.draw for run in runs)
    one, other = (
        Sample(group.scores[metric.key][:, [group.runs.index(run) for run in runs]], draws)
        for group in (inside, outside)
    )
    at = outside.where, outside.arm
    effect, there = (own.get(at) for own in compared)
    most = metric.most
    return Shift(
        where=outside.where,
        arm=outside.arm,
        classes=", ".join(outside.classes),
        patients=len(inside.patients),
        external_patients=len(outside.patients),
        runs=len(runs),
        inside=bootstrap(one).within(0.0, most),
        outside=bootstrap(other).within(0.0, most),
        shift=bootstrap_shift(one, other).within(-most, most),
        place=ranked[0].get(at, 0),
        external_place=ranked[1].get(at, 0),
        effect=effect.effect if effect else UNDEFINED,
        verdict=effect.verdict if effect else "",
        external_effect=there.effect if there else UNDEFINED,
        external_verdict=there.verdict if there else "",
        contamination=outside.contamination,
    )


def shift_table(found: Sequence[Shift], metric: Metric) -> Table:
    """In-distribution, external and shift of every arm, with its places and effects."""
    rows = [as_row(row) for row in found]
    digits = metric.digits
    adapted = {row["adaptation"] for row in rows} - {"full"}
    return Table(
        f"shift-{metric.key}",
        "External test sets",
        f"{metric.title} of the same trainings on the task's own test cases (in-distribution) and "
        "on another data set, of the classes that both have. Shift: external − in-distribution, "
        "with its 95% bootstrap interval; trainings are drawn together, patients apart. Places "
        "are those among the arms of the task. Effects are against the scratch twin, with "
        "intervals that hold at once for all rows of this table, in-distribution and external "
        "each.",
        [
            *plain_columns("task", "test", "fraction", *(["adaptation"] if adapted else [])),
            *plain_columns("arm", "classes"),
            Column("patients", ("patients", "external_patients"), "{} / {}".format, True),
            Column("runs", number=True),
            interval_column("in-distribution", "inside", digits),
            interval_column("external", "outside", digits),
            interval_column("shift [95%]", "shift", digits, signed=True),
            Column("place", ("place", "external_place"), _places_told, True),
            interval_column("effect in-distribution", "effect", digits, signed=True),
            Column("verdict", show=or_dash),
            interval_column("effect external", "external_effect", digits, signed=True),
            Column("external verdict", ("external_verdict",), or_dash),
            Column("contamination"),
        ],
        rows,
    )


def _places_told(place: int, external: int) -> str:
    return f"{place} / {external}" if place else or_dash("")
