"""Which cases of a source are pre-trained on; without torch, so that planning can ask."""

import random

from voxbench.api import Case, Pretrained, Task
from voxbench.data.split import split_cases
from voxbench.design.seeds import stream
from voxbench.errors import DataError


def volumes(baseline: Pretrained, source: Task, seed: int) -> tuple[Case, ...]:
    """The first `baseline.volumes` training cases of the source, sorted by id.

    Patients are put in one random order a seed and their cases follow one another, so that
    fewer volumes are always a subset of more.

    Raises:
        DataError: there are fewer.
    """
    train = split_cases(source).train
    count = len(train) if baseline.volumes is None else baseline.volumes
    if not 0 < count <= len(train):
        raise DataError(
            f"{baseline.card.name}: volumes = {count}, but source {source.card.name!r} has "
            f"{len(train)} training cases; ask for 1 to {len(train)}."
        )
    patients = sorted({case.patient for case in train})
    random.Random(stream("volumes", seed=seed)).shuffle(patients)  # noqa: S311 (no secret)
    order = {patient: place for place, patient in enumerate(patients)}
    ordered = sorted(train, key=lambda case: (order[case.patient], case.id))
    return tuple(sorted(ordered[:count], key=lambda case: case.id))
