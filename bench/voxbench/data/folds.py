"""What the trials of a tuning may choose by: never more labels than the fraction has.

Few-shot results are overstated where hyper-parameters are chosen on held-out labels that the few
shots do not have (Perez, Kiela & Cho 2021, «True few-shot learning with language models», NeurIPS;
Oliver et al. 2018, «Realistic evaluation of deep semi-supervised learning algorithms», NeurIPS). So
the validation part is scaled with the fraction, as it is for every cell. Where that leaves fewer
than `FEWEST` patients, which tell no two trials apart, a trial is trained several times, each time
without some of the training patients, and judged by all of them.
"""

import random

from voxbench.data.fraction import Subset, cases_of
from voxbench.design.cell import digest

FEWEST = 5
"""Patients of the validation part that trials may be judged by."""
FOLDS = 3


def folds_of(subset: Subset, seed: int) -> tuple[Subset, ...]:
    """What a trial trains on, and what it is judged by, once or several times.

    Args:
        subset: training and validation cases of the fraction.
        seed: of the order of patients.

    Returns:
        The subset itself where its validation part has at least `FEWEST` patients, or there is one
        training patient; else `FOLDS` folds of the training patients, two if there are two.
    """
    patients = sorted({case.patient for case in subset.train})
    count = fold_count(len(patients), len({case.patient for case in subset.validation}))
    if count == 1:
        return (subset,)
    random.Random(seed).shuffle(patients)  # noqa: S311 (a reproducible order, no secret)
    held_out = [set(patients[fold::count]) for fold in range(count)]
    return tuple(
        Subset(cases_of(subset.train, {*patients} - own), cases_of(subset.train, own))
        for own in held_out
    )


def fold_count(train: int, validation: int) -> int:
    """How often a trial is trained, with so many patients in either part."""
    return 1 if validation >= FEWEST else min(FOLDS, train)


def folds_hash(folds: tuple[Subset, ...] | list[Subset]) -> str:
    """sha256 over the cases that each fold trains on and is judged by."""
    return digest([[[case.id for case in part] for part in fold] for fold in folds])
