"""Has a trained network seen the cases of an external test set, in its weights or its training?"""

from collections.abc import Sequence
from dataclasses import replace

from voxbench.api import Baseline, Case
from voxbench.data.dataset import Dataset
from voxbench.data.external_test import ExternalTest
from voxbench.data.split import Split
from voxbench.errors import VoxbenchError
from voxbench.ledger.copies import find_copies
from voxbench.ledger.verdict import by_case, verdict_for, worst_of
from voxbench.records.provenance import Contamination


def verdict_on(
    test: ExternalTest,
    task: Dataset,
    baseline: Baseline,
    seen: Sequence[tuple[Dataset, Sequence[Case]]] = (),
) -> Contamination:
    """The verdict on an external test set.

    On the arm's weights as on any task. Of the task itself, its training and validation cases are
    proof where the same file, a volume that looks the same, or (where the cards name a common
    corpus) the same patient is among the external cases. What can't be told is unknown.

    Args:
        test: the set.
        task: that the network was trained on.
        baseline: the arm.
        seen: as of `verdict_for`.
    """
    split = test.dataset.split._replace(test=test.cases)
    tested = replace(test.dataset, split=split)
    try:
        found = [verdict_for(baseline, tested, seen, test.corpora), _of_training(test, task)]
    except VoxbenchError as error:
        return Contamination(status="unknown", reason=str(error))
    return worst_of(found)


def _of_training(test: ExternalTest, task: Dataset) -> Contamination:
    trained = (*task.split.train, *task.split.validation)
    one_corpus = bool({*task.card.corpora} & {*test.dataset.card.corpora})
    shared = by_case(trained, test.cases, one_task=one_corpus) | _alike(trained, test.cases)
    if not shared:
        return Contamination(status="clean")
    reason = (
        f"{len(shared)} of {len(test.cases)} cases are among those that {task.card.name} trains on."
    )
    return Contamination(status="overlaps (by case)", shared=sorted(shared), reason=reason)


def _alike(trained: Sequence[Case], tested: Sequence[Case]) -> set[str]:
    """The tested cases that look like a trained one; ids of the two sets may be the same."""
    own = tuple(replace(case, id=f"trained {case.id}") for case in trained)
    their = tuple(replace(case, id=f"tested {case.id}") for case in tested)
    copies = find_copies(Split(own, (), their, sha256=""))
    return {copy.case.removeprefix("tested ") for copy in copies}
