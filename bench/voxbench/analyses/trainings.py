"""Which records are one training: those of its folds, or imported ones of other cases."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from voxbench.analyses.groups import Failed, Run, Where
from voxbench.analyses.settings import Kind
from voxbench.errors import RecordError
from voxbench.records import Facts, Scored
from voxbench.records.scored import scores_of


def finished_in(where: Where, arm: str, records: Sequence[Kind]) -> dict[Run, list[Kind]]:
    """The records of each training: of several folds, or imported ones of other cases.

    Raises:
        RecordError: two records hold the same training.
    """
    found: dict[Run, list[Kind]] = defaultdict(list)
    for record in records:
        if record.status == "ok":
            run = Run(record.arm.draw, record.arm.seed)
            for other in found[run]:
                if not _parts(record, other):
                    raise RecordError(
                        f"records {other.key} and {record.key} are the same training ({arm} on "
                        f"{where.task}, {where.fraction}, draw {run.draw}, seed {run.seed}) with "
                        "other weights, data or scores: delete the older one."
                    )
            found[run].append(record)
    return _whole(found)


def _parts(one: Facts, other: Facts) -> bool:
    apart = one.arm.fold != other.arm.fold or (one.imported and other.imported)
    both = [set(record.data.test) for record in (one, other) if apart and record.data]
    return len(both) == 2 and not both[0] & both[1]


def _whole(found: dict[Run, list[Kind]]) -> dict[Run, list[Kind]]:
    """The runs with the folds of the one that has most; a run that lacks some is not over."""
    folds = {run: {record.arm.fold for record in records} for run, records in found.items()}
    most = max((folds[run] for run in sorted(folds)), key=len, default=set())
    return {run: records for run, records in found.items() if folds[run] == most}


def folds_in(records: Iterable[Scored]) -> dict[str, int]:
    """The fold of each patient."""
    return {
        patient: record.arm.fold
        for record in records
        if record.arm.fold is not None
        for patient in scores_of(record).patients
    }


def waiting_in(records: Iterable[Facts], runs: Sequence[Run]) -> Iterator[str]:
    """Of the runs that lack folds which the others have."""
    begun = {Run(r.arm.draw, r.arm.seed) for r in records if r.status == "ok"}
    if lacking := len(begun.difference(runs)):
        yield f"{lacking} run{'s' if lacking > 1 else ''} with other folds left out"


def failed_in(
    records: Iterable[Facts], finished: Mapping[Run, Sequence[Facts]]
) -> tuple[Failed, ...]:
    """The failed trainings, of one fold each, that no later record replaces."""
    over = {(run, record.arm.fold) for run, own in finished.items() for record in own}
    found = {}
    for record in records:
        run = Run(record.arm.draw, record.arm.seed)
        if record.status == "failed" and (run, record.arm.fold) not in over:
            failed = Failed(record.key, run, record.failure or "no reason recorded")
            found[run, -1 if record.arm.fold is None else record.arm.fold] = failed
    return tuple(found[place] for place in sorted(found))
