"""Was a record trained and tested on what its task's split says."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from voxbench.data.dataset import Dataset
from voxbench.data.split import SPLIT_PARTS, FrozenSplit, split_name
from voxbench.design.cell import DIRECT, Cell
from voxbench.errors import VoxbenchError
from voxbench.ledger.verdict import verdict_for
from voxbench.plugins import find_baseline
from voxbench.records import Record
from voxbench.records.provenance import Data
from voxbench.submission.diagnostics import Diagnostic, error, unchecked, warning
from voxbench.submission.evidence import Evidence
from voxbench.submission.scores import RELATIVE_ROUNDING


def check_data(record: Record, cell: Cell, evidence: Evidence) -> Iterator[Diagnostic]:
    """Parts, patients, tested cases, split and data, as far as they are known here."""
    if (data := record.data) is None:
        if record.status == "ok":
            yield error("no data", record.key)
        return
    yield from _parts(record, data)
    found = evidence.find(cell.task, record.arm.task, cell.fold)
    if isinstance(found, Dataset):
        yield from _against_task(record, data, cell, found)
        return
    frozen = evidence.split(split_name(record.arm.task, cell.fold))
    if frozen and cell.fold:
        yield from _within(record, data, frozen.ids)
    elif frozen:
        yield from _against_split(record, data, frozen)
    yield unchecked(
        "data, patients and contamination of a task that is not here"
        + ("" if frozen else ", and its split"),
        f"{record.arm.task}: {found}",
    )


def _parts(record: Record, data: Data) -> Iterator[Diagnostic]:
    """What can be said without knowing the task."""
    parts = {part: getattr(data, part) for part in SPLIT_PARTS}
    seen: dict[str, str] = {}
    for part, cases in parts.items():
        for case in cases:
            if case in seen:
                yield error(
                    "a case lies in two parts", f"{record.key} {case}: {seen[case]}, {part}"
                )
            seen[case] = part
    if record.status == "ok" and [case.case for case in record.cases] != data.test:
        yield error("the scored cases are not the test cases", record.key)
    direct = record.arm.adaptation in DIRECT
    if record.status == "ok" and not data.test:
        yield error("nothing was tested", record.key)
    if not 0 <= data.train_patients <= len(data.train):
        yield error(
            "more patients were trained on than cases",
            f"{record.key}: {data.train_patients} of {len(data.train)}",
        )
    if not direct and not data.train_patients and record.status == "ok":
        yield error("nothing was trained on", record.key)


def _against_split(record: Record, data: Data, split: FrozenSplit) -> Iterator[Diagnostic]:
    """Against the split in the results: by hash, and by the ids of each part."""
    if data.split_sha256 != split.sha256:
        yield error("another split than the committed one", f"{record.key} {record.arm.task}")
        return
    yield from _within(record, data, split.ids)


def _within(record: Record, data: Data, parts: Mapping[str, Sequence[str]]) -> Iterator[Diagnostic]:
    if data.test != sorted(parts["test"]):
        lacking = sorted({*parts["test"]} - {*data.test})
        yield error(
            "not all test cases of the split, and no others",
            f"{record.key}: {len(lacking)} missing {', '.join(lacking[:3])}",
        )
    for part in ("train", "validation"):
        if strange := sorted({*getattr(data, part)} - {*parts[part]}):
            yield error(f"cases that the split has not in {part}", f"{record.key} {strange[0]}")


def _against_task(record: Record, data: Data, cell: Cell, found: Dataset) -> Iterator[Diagnostic]:
    """Against the task itself: patients, the fraction, and the content of its files too."""
    split, where = found.split, record.key
    if data.split_sha256 != (found.partition or split.sha256):
        yield error("another split than the task's", f"{where} {record.arm.task}")
        return
    yield from _within(record, data, {p: [c.id for c in getattr(split, p)] for p in SPLIT_PARTS})
    if data.fingerprint != found.identity:
        yield error("other data than the task has here", f"{where} {record.arm.task}")
    patients = {case.id: case.patient for part in SPLIT_PARTS for case in getattr(split, part)}
    if wrong := [c.case for c in record.cases if patients.get(c.case) != c.patient]:
        yield error("a test case of another patient", f"{where} {wrong[0]}")
    trained = {patients[case] for case in data.train if case in patients}
    wanted = cell.fraction.count(len({case.patient for case in split.train}))
    if (len(trained), data.train_patients) != (wanted, wanted):
        yield error(
            "another number of training patients than the fraction asks for",
            f"{where}: {data.train_patients}, {len(trained)} named, {wanted} asked for",
        )
    yield from _classes(record, found)
    yield from _contamination(record, cell, found)


def _classes(record: Record, found: Dataset) -> Iterator[Diagnostic]:
    """Every annotated class of every case was scored; a published head gives some of them."""
    annotated = {case.id: case.labelled for case in found.split.test}
    card = found.card
    for case in record.cases:
        if case.case not in annotated:
            continue
        known = annotated[case.case]
        wanted = [name for name in card.classes if known is None or name in known]
        if not (
            list(case.classes) == wanted
            or (record.arm.adaptation in DIRECT and set(case.classes) <= set(wanted))
        ):
            yield error("other classes than the task has", f"{record.key} {case.case}")


def _contamination(record: Record, cell: Cell, found: Dataset) -> Iterator[Diagnostic]:
    """The ledger's verdict, where it depends on names alone."""
    if cell.source or record.contamination is None:
        return
    try:
        verdict = verdict_for(find_baseline(cell.baseline), found)
    except VoxbenchError:
        return
    if verdict.status != record.contamination.status:
        yield warning(
            "the ledger of corpora says otherwise about contamination",
            f"{record.arm.baseline} on {record.arm.task}: {verdict.status}",
        )


def check_together(records: Iterable[Record], known: Iterable[Record]) -> Iterator[Diagnostic]:
    """What records of one task must agree on, with each other and with the results.

    Arms of a draw train on the same cases, fractions are nested, and a reference has one volume.
    """
    own = [record for record in records if record.data]
    every = [*own, *(record for record in known if record.data)]
    yield from _subsets(own, every)
    yield from _references(own, every)


def _subsets(own: Sequence[Record], every: Sequence[Record]) -> Iterator[Diagnostic]:
    draws: dict[tuple[object, ...], list[Record]] = defaultdict(list)
    for record in every:
        if record.data and record.arm.adaptation not in DIRECT and not record.smoke:
            draws[_draw(record)].append(record)
    keys = {record.key for record in own}
    for group in draws.values():
        ordered = sorted(group, key=lambda record: len(record.data.train) if record.data else 0)
        for small, large in pairwise(ordered):
            if not keys & {small.key, large.key} or not (small.data and large.data):
                continue
            if not set(small.data.train) <= set(large.data.train):
                yield error(
                    "training cases of one draw that are neither the same nor nested",
                    f"{small.key}, {large.key}",
                )


def _draw(record: Record) -> tuple[object, ...]:
    """What decides the order in which a draw takes the patients."""
    assert record.data is not None  # noqa: S101 (the callers have looked)
    contract = str(record.cell.get("contract"))
    arm = record.arm
    return arm.task, record.data.fingerprint, arm.draw, arm.fold, contract


def _references(own: Sequence[Record], every: Sequence[Record]) -> Iterator[Diagnostic]:
    first: dict[tuple[str, str, str, str], tuple[float, str]] = {}
    keys = {record.key for record in own}
    for record in every:
        for case in record.cases:
            for name, score in case.classes.items():
                assert record.data is not None  # noqa: S101 (the caller has looked)
                reference = (record.arm.task, record.data.fingerprint, case.case, name)
                own_volume = (score.volume_mm3_reference, record.key)
                volume, key = first.setdefault(reference, own_volume)
                apart = abs(volume - score.volume_mm3_reference)
                if apart > RELATIVE_ROUNDING * volume and keys & {key, record.key}:
                    yield error(
                        "two volumes of one reference",
                        f"{case.case}, {name}: {key} and {record.key}",
                    )
