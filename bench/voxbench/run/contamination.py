"""What the ledger says of a cell: has its arm seen what it is tested on?"""

import functools

from voxbench.api import Pretrained, Task
from voxbench.design.cell import Cell, Ref
from voxbench.errors import VoxbenchError
from voxbench.ledger.verdict import Verdict, verdict_for
from voxbench.plugins import find_baseline, find_task
from voxbench.pretrain.volumes import volumes
from voxbench.records.record import Contamination


def contamination(cell: Cell) -> Contamination:
    """The verdict on a cell, by the names of corpora, by patient and by file.

    What can't be told (a source that lacks the volumes, a broken ledger) is unknown, with the
    reason: it must not stop a sweep. Copies that were altered are not looked for here, which would
    read every image of the source: that is what `voxbench overlap` does.
    """
    seed = cell.pretraining.seed if cell.pretraining else 0
    try:
        found = _verdict(cell.baseline, cell.task, cell.source, seed)
    except VoxbenchError as error:
        found = Verdict("unknown", reason=str(error))
    return Contamination(status=found.status, shared=list(found.shared), reason=found.reason)


@functools.cache
def _verdict(baseline: Ref, task: Ref, source: Ref | None, seed: int) -> Verdict:
    arm, target = find_baseline(baseline), _task(task)
    if source is None or not isinstance(arm, Pretrained):
        return verdict_for(arm, target)
    origin = _task(source)
    return verdict_for(arm, target, origin, volumes(arm, origin, seed))


@functools.cache
def _task(ref: Ref) -> Task:
    """One instance a task, whose card, which may read every header, is read once."""
    return find_task(ref)
