"""From scores to records that say where they came from."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from voxbench.design.cell import digest
from voxbench.errors import DataError
from voxbench.external.long import is_long, read_long
from voxbench.external.names import arm_of, distinct_names
from voxbench.external.nnunet import read_summary
from voxbench.external.scores import (
    METRIC_ALIASES,
    ImportedArm,
    ImportedScore,
    check_names,
    check_once,
)
from voxbench.external.table import read_header
from voxbench.external.wide import read_wide
from voxbench.records import Record
from voxbench.records.case_scores import CaseScores, ClassScores
from voxbench.records.provenance import Data, Imported
from voxbench.records.record import Arm

IMPORTED = "imported"


def import_scores(
    files: Sequence[Path],
    task: str | None = None,
    arm: str | None = None,
    metric: str | None = None,
    fraction: str = "100%",
    labelled: int = 0,
    source: str = "",
) -> list[Record]:
    """Records of one layout, one for each training; files of one arm are put together.

    Args:
        files: summary.json of nnU-Net, or CSV, wide or long.
        task: name of the task; long tables can have a column for it.
        arm: name of the arm; long tables can have a column, wide ones and summaries a path.
        metric: of a wide table whose name doesn't tell.
        fraction: of the training set.
        labelled: patients that were trained on; 0 is unknown.
        source: who published the scores.

    Raises:
        DataError: a file is none of these, or a value in it is impossible.
    """
    if not files:
        raise DataError("no file to import.")
    layout = _layout(files)
    by_training: dict[ImportedArm, list[ImportedScore]] = defaultdict(list)
    sources: dict[ImportedArm, dict[str, str]] = defaultdict(dict)
    for name, file in zip(distinct_names(files), files, strict=True):
        found = _scores(layout, file, task, arm, metric, fraction)
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        for score in found:
            by_training[score.training].append(score)
            sources[score.training][name] = content
    scores = [score for own in by_training.values() for score in own]
    check_once(scores, ", ".join(str(file) for file in files))
    if not any(not math.isnan(score.value) for score in scores):
        raise DataError(f"{files[0]}: no defined score in it.")
    for training in by_training:
        check_names(training)
    return [
        _record(training, own, _imported(layout, source, sources[training]), labelled)
        for training, own in sorted(by_training.items())
    ]


def _imported(layout: str, source: str, files: dict[str, str]) -> Imported:
    return Imported(
        layout=layout,  # type: ignore[arg-type]
        source=source or ", ".join(sorted(files)),
        files=files,
    )


def _layout(files: Sequence[Path]) -> str:
    found = {file: _layout_of(file) for file in files}
    if len(set(found.values())) > 1:
        told = ", ".join(f"{file} ({layout})" for file, layout in found.items())
        raise DataError(f"files of several layouts: {told}; import them one after another.")
    return next(iter(found.values()))


def _layout_of(file: Path) -> str:
    if file.suffix.lower() == ".json":
        return "nnunet"
    return "long" if is_long(read_header(file)) else "wide"


def _scores(
    layout: str, file: Path, task: str | None, arm: str | None, metric: str | None, fraction: str
) -> list[ImportedScore]:
    if layout == "long":
        return read_long(file, task, arm, fraction)
    if not task:
        raise DataError(f"{file}: says no task; give --task NAME.")
    if layout == "wide":
        return read_wide(file, task, arm, metric, fraction)
    return read_summary(file, task, arm or arm_of(file), fraction)


def _record(
    training: ImportedArm, scores: Sequence[ImportedScore], source: Imported, labelled: int
) -> Record:
    cases = _cases(scores)
    names = [case.case for case in cases]
    # arms of one task are compared whatever cases they have: each pair on those that both have
    same = digest([IMPORTED, training.task])
    return Record(
        key=digest([IMPORTED, training, labelled, source.model_dump(mode="json")["files"]])[:20],
        status="ok",
        smoke=False,
        sweep=IMPORTED,
        arm=Arm(
            task=training.task, baseline=training.arm, twin=None, strategy=IMPORTED,
            network="unknown", fraction=training.fraction, draw=training.draw,
            seed=training.seed, adaptation="full",
        ),
        cell={"imported": source.layout},
        environment={},
        seeds={},
        data=Data(
            fingerprint=same, split_sha256=same, train=[], validation=[], test=names,
            train_patients=labelled,
        ),
        metrics_version=IMPORTED,
        cases=cases,
        imported=source,
    )  # fmt: skip


def _cases(scores: Sequence[ImportedScore]) -> list[CaseScores]:
    values: dict[tuple[str, str], dict[str, dict[str, float]]] = defaultdict(dict)
    for score in scores:
        values[score.case, score.patient].setdefault(score.name, {})[score.metric] = score.value
    unknown = dict.fromkeys(
        (*METRIC_ALIASES, "volume_mm3_prediction", "volume_mm3_reference"), math.nan
    )
    return [
        CaseScores(
            case=case,
            patient=patient,
            classes={
                name: ClassScores.model_validate({**unknown, **own})
                for name, own in classes.items()
            },
        )
        for (case, patient), classes in sorted(values.items())
    ]
