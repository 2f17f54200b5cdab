"""Is a record the record of its cell: its key, its random streams, the names of its arm."""

import re
from collections.abc import Iterator

from voxbench.api import Baseline, Published
from voxbench.data.dataset import Dataset
from voxbench.design.cell import Cell, Ref, refs_of
from voxbench.design.seeds import streams
from voxbench.design.versions import OUTSIDE_VERSION, outside_version, training_versions
from voxbench.errors import PluginError, VoxbenchError
from voxbench.plugins import BASELINES, find_baseline
from voxbench.pretrain.plan import objective_version
from voxbench.records import Record
from voxbench.running.arms import label
from voxbench.running.versions import VERSIONS
from voxbench.submission.diagnostics import Diagnostic, error, unchecked, warning
from voxbench.submission.evidence import Evidence


def check_identity(record: Record, cell: Cell, evidence: Evidence) -> Iterator[Diagnostic]:
    """Key, streams and names, recomputed from the resolved cell."""
    yield from _key(record, cell, evidence)
    if streams(cell) != record.seeds:
        yield error("the random streams are not those of the cell", record.key)
    arm = record.arm
    fold = cell.fold.number if cell.fold else None
    axes = (str(cell.fraction), cell.draw, cell.seed, cell.adapted, fold)
    if (arm.fraction, arm.draw, arm.seed, arm.adaptation, arm.fold) != axes:
        yield error("the arm's axes are not those of the cell", f"{record.key}: {axes}")
    if not record.environment:
        yield error("no environment", record.key)
    yield from _arm(record, cell)


def _key(record: Record, cell: Cell, evidence: Evidence) -> Iterator[Diagnostic]:
    if record.data is None:
        yield unchecked("key: the cell failed before its data were known", record.key)
        return
    weights = None if cell.source or not record.weights else record.weights.sha256
    sources: list[str | None] = [None]
    if cell.source:
        sources = [*evidence.identities(cell.source)]
        if not sources:
            yield unchecked(
                "key: it depends on the content of a pre-training source that is not here",
                ", ".join(ref.name for ref in refs_of(cell.source)),
            )
            return
    try:
        possible = _versions(record, cell, evidence)
    except VoxbenchError as missing:
        yield unchecked("key: it depends on an arm's objective that is not here", str(missing))
        return
    data = record.data.fingerprint
    if record.key in {cell.key(data, weights, s, v) for s in sources for v in possible}:
        return
    if record.status == "failed" and weights is None and not cell.source:
        yield unchecked("key: the cell failed before its weights were known", record.key)
        return
    yield error(
        "the key is not the hash of the cell, its data and its weights (or another version of "
        "voxbench made it)",
        record.key,
    )


def _versions(record: Record, cell: Cell, evidence: Evidence) -> list[dict[str, str | int]]:
    """Those that the key may hold: a task that is not here may be z-scored or not."""
    baseline = find_baseline(cell.baseline) if cell.source else None
    task = evidence.find(cell.task, record.arm.task)
    either = VERSIONS | objective_version(baseline) | training_versions(cell)
    if isinstance(task, Dataset):
        return [either | outside_version(cell.contract or task.card.preprocessing)]
    return [either, either | {"outside": OUTSIDE_VERSION}]


def _arm(record: Record, cell: Cell) -> Iterator[Diagnostic]:
    try:
        baseline, name = find_baseline(cell.baseline), label(cell.baseline)
        twin = _twin(baseline, cell)
    except PluginError as missing:
        yield unchecked("names and weights of an arm whose plugin is not here", str(missing))
        return
    arm = record.arm
    told = [_bare(arm.baseline), arm.twin and _bare(arm.twin), arm.strategy, arm.network]
    network = f"{baseline.architecture}-{baseline.size}"
    expected = [name, twin, baseline.card.strategy, network]
    if told != expected:
        yield error("the arm is not called as its cell is", f"{record.key}: {told}, {expected}")
    yield from _weights(record, baseline)


def _twin(baseline: Baseline, cell: Cell) -> str | None:
    if baseline.twin is None or not cell.is_trained:
        return None
    return label(BASELINES.complete(Ref.of(*baseline.twin)))


def _bare(name: str) -> str:
    """A label without the file's name (a place), and without whose input contract a twin has."""
    name = re.sub(r"(?<=[\[,])weights=[^,\]]*,?", "", name.partition(" as ")[0])
    return name.replace(",]", "]").replace("[]", "")


def _weights(record: Record, baseline: Baseline) -> Iterator[Diagnostic]:
    if (found := record.weights) is None:
        if record.status == "ok" and baseline.card.strategy != "scratch":
            yield error("a pre-trained arm without weights", record.key)
        return
    if baseline.card.strategy == "scratch":
        yield error("scratch with weights", record.key)
    if found.audit.loaded_share < baseline.card.min_loaded:
        yield error(
            "less of the encoder was loaded than its card demands",
            f"{record.key}: {found.audit.loaded_share:.1%}",
        )
    if found.audit.hash_before == found.audit.hash_after:
        yield error("loading the weights changed nothing", record.key)
    if not isinstance(baseline, Published) or baseline.size not in baseline.checkpoints:
        return
    algorithm, _, digits = (baseline.checkpoint.checksum or "").partition(":")
    if algorithm == "sha256" and not found.sha256.startswith(digits):
        yield warning("weights of another file than the published one", record.arm.baseline)
