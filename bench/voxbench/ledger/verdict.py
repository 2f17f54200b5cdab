"""Has an arm seen what it is tested on? By the names of corpora, and by case where that is known.

- Scratch has seen nothing: clean.
- Names: both sides are closed over their ancestors. Where the closures meet, the arm overlaps.
  Where a side is unnamed, not registered, or not known completely, the answer is unknown.
- Cases: weights made here have seen the training cases of their source, and nothing else. A test
  case that is among them (same patient of the same task, or same file) is proof of an overlap,
  whatever the names say; altered copies are for `overlap` to find. If source and target are one
  task with one split, that proves the opposite: other patients of a corpus are what a training
  set is for.
"""

from collections.abc import Sequence

from voxbench.api import Baseline, Case
from voxbench.data.content_hash import file_hashes
from voxbench.data.dataset import Dataset
from voxbench.design.corpus import Corpus
from voxbench.errors import PluginError
from voxbench.ledger.corpora import Corpora, corpora
from voxbench.records.provenance import Contamination


def verdict_for(
    baseline: Baseline,
    dataset: Dataset,
    seen: Sequence[tuple[Dataset, Sequence[Case]]] = (),
    own: tuple[Corpus, ...] = (),
) -> Contamination:
    """The verdict on an arm's weights and a task's test cases.

    Args:
        baseline: the arm.
        dataset: what it is tested on.
        seen: the data sets that weights which are made here were trained on, each with the cases
            that were used; none for all others.
        own: corpora that the sweep registers.
    """
    if baseline.card.strategy == "scratch":
        return Contamination(status="clean")
    known = corpora(own)
    if not seen:
        return by_corpus(baseline.card.pretraining_data, dataset.card.corpora, known)
    return worst_of([_of_source(dataset, source, cases, known) for source, cases in seen])


def worst_of(found: Sequence[Contamination]) -> Contamination:
    """What several are together: one that overlaps is enough."""
    order: list[str] = ["overlaps (by case)", "overlaps (by corpus)", "unknown", "clean"]
    status = min((one.status for one in found), key=order.index)
    told = [one for one in found if one.status == status]
    if not told[1:]:
        return told[0]
    shared = sorted({name for one in told for name in one.shared})
    reasons = dict.fromkeys(one.reason for one in told if one.reason)
    return Contamination(status=told[0].status, shared=shared, reason=" ".join(reasons))


def _of_source(
    dataset: Dataset, source: Dataset, seen: Sequence[Case], known: Corpora
) -> Contamination:
    one_task = (source.card.name, source.split.sha256) == (dataset.card.name, dataset.split.sha256)
    if shared := by_case(seen, dataset.split.test, one_task=one_task):
        return Contamination(status="overlaps (by case)", shared=sorted(shared))
    if one_task:
        return Contamination(status="clean")
    return by_corpus(source.card.corpora, dataset.card.corpora, known)


def by_corpus(seen: Sequence[str], tested: Sequence[str], known: Corpora) -> Contamination:
    """The verdict of the names alone; what is not registered is unknown, never an error."""
    for names, side in ((seen, "the weights'"), (tested, "the task's")):
        if not names:
            return Contamination(status="unknown", reason=f"{side} corpora are not named.")
    registered = [[name for name in names if known.knows(name)] for names in (seen, tested)]
    weights, task = (known.closure(names) for names in registered)
    if shared := weights & task:
        return Contamination(status="overlaps (by corpus)", shared=_nearest(shared, known))
    if same := set(seen) & set(tested):
        return Contamination(status="overlaps (by corpus)", shared=sorted(same))
    for name in (*seen, *tested):
        try:
            known.find(name)
        except PluginError as error:
            return Contamination(status="unknown", reason=str(error).split(" Known:")[0])
    return _doubts(seen, tested, known)


def _doubts(seen: Sequence[str], tested: Sequence[str], known: Corpora) -> Contamination:
    """Clean, unless a suspected origin or an incomplete list stands against it."""
    weights, task = (known.closure(names, suspected=True) for names in (seen, tested))
    if maybe := weights & task:
        names = ", ".join(_nearest(maybe, known))
        return Contamination(status="unknown", reason=f"may share {names}.")
    for one, other in ((weights, task), (task, weights)):
        kinds = {kind for name in other for kind in known.find(name).kind}
        for name in sorted(one):
            corpus = known.find(name)
            if not corpus.complete and kinds & set(corpus.kind):
                reason = f"not all origins of {name} are known."
                return Contamination(status="unknown", reason=reason)
    return Contamination(status="clean")


def _nearest(shared: set[str], known: Corpora) -> list[str]:
    """Without those that are only there as ancestors of another shared one."""
    older: set[str] = set()
    for name in shared:
        older |= known.closure([name], suspected=True) - {name}
    return sorted(shared - older)


def by_case(seen: Sequence[Case], test: Sequence[Case], *, one_task: bool) -> set[str]:
    """Test cases of a patient that was seen (within one task), or whose image file was."""
    patients = {case.patient for case in seen} if one_task else set()
    hashes = file_hashes([path for case in (*seen, *test) for path in case.images])
    files = {hashes[path] for case in seen for path in case.images if path in hashes}
    return {
        case.id
        for case in test
        if case.patient in patients or any(hashes.get(path) in files for path in case.images)
    }
