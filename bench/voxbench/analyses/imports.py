"""Imported scores beside own arms: on the cases that both have, whatever the recipe."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from voxbench.analyses.groups import Group, Where
from voxbench.records import Facts


def homes(
    records: Sequence[Facts], setting: Mapping[str, str]
) -> dict[tuple[str, str], list[Where]]:
    """(task, fraction) → where own arms were run, which imported ones are compared with."""
    found: dict[tuple[str, str], dict[Where, None]] = defaultdict(dict)
    for record in records:
        arm = record.arm
        if not record.imported and not record.smoke and record.data:
            where = Where(arm.task, arm.adaptation, arm.fraction, setting[record.key])
            found[arm.task, arm.fraction][where] = None
    return {key: list(own) for key, own in found.items()}


def adopted(groups: Sequence[Group]) -> list[Group]:
    """The groups, the imported ones with the patients and the runs of own arms.

    Scores of others are by case: own records know whose it is. A single training of others, of
    which nothing is known but its scores, is compared with every run of an own arm.
    """
    own: dict[Where, list[Group]] = defaultdict(list)
    for group in groups:
        if not group.imported:
            own[group.where].append(group)
    return [
        _adopted(group, own[group.where]) if group.imported and own[group.where] else group
        for group in groups
    ]


def _adopted(group: Group, own: Sequence[Group]) -> Group:
    owner = {case: patient for arm in own for patient, case in arm.cases}
    cases = [(owner.get(case, patient), case) for patient, case in group.cases]
    order = sorted(range(len(cases)), key=cases.__getitem__)
    there = tuple(sorted({run for arm in own for run in arm.runs}))
    runs = there if len(group.runs) == 1 and there else group.runs
    times = len(runs) // len(group.runs) if group.runs else 1
    return replace(
        group,
        cases=tuple(cases[row] for row in order),
        values={key: np.repeat(of[order], times, axis=2) for key, of in group.values.items()},
        runs=runs,
        recipe=own[0].recipe,
        keys=tuple(
            (runs[place * times + again], key)
            for place, (_, key) in enumerate(group.keys)
            for again in range(times)
        ),
    )
