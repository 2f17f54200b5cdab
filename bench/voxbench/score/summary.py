"""What came of scoring a folder: means by class, nnU-Net's `summary.json`, and a Parquet table."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from voxbench.errors import SpecError
from voxbench.files import write_atomically
from voxbench.metrics import METRICS_VERSION, ClassMetrics
from voxbench.score.folder import CaseResult
from voxbench.score.options import ScoreOptions
from voxbench.score.pair import CasePairs

SUMMARY_METRICS = {"Dice": "dice", "NSD": "nsd", "HD95": "hd95_mm"}
SUMMARY_COUNTS = ("IoU", "TP", "FP", "FN", "TN", "n_pred", "n_ref")


class ClassMean(NamedTuple):
    """Means of one class over the cases in which it is defined, and how many that were.

    `undefined` counts the cases where both masks are empty, `flagged` those with one empty or with
    no prediction.
    """

    dice: float
    nsd: float
    hd95_mm: float
    defined: int
    undefined: int
    flagged: int


def class_means(results: Sequence[CaseResult]) -> dict[str, ClassMean]:
    """The mean of every class over its cases."""
    by_class: dict[str, list[ClassMetrics]] = {}
    for result in results:
        for name, score in result.scores.items():
            by_class.setdefault(name, []).append(score)
    return {name: _mean(scores) for name, scores in by_class.items()}


def _mean(scores: Sequence[ClassMetrics]) -> ClassMean:
    undefined = sum(math.isnan(score.dice) for score in scores)
    return ClassMean(
        _average([score.dice for score in scores]),
        _average([score.nsd for score in scores]),
        _average([score.hd95_mm for score in scores]),
        len(scores) - undefined,
        undefined,
        sum(bool(score.flag) and not math.isnan(score.dice) for score in scores),
    )


def _average(values: Sequence[float]) -> float:
    """The mean of the values that are defined, NaN if none is."""
    defined = [value for value in values if not math.isnan(value)]
    return math.fsum(defined) / len(defined) if defined else math.nan


def write_summary(
    file: Path,
    results: Sequence[CaseResult],
    options: ScoreOptions,
    pairing: CasePairs,
) -> Path:
    """Write `file` (.json) in the shape of nnU-Net's summary, and a table of all scores beside it.

    Returns the table's path (.parquet). Each file is complete or not there. Undefined scores are
    NaN in both, as in nnU-Net's own file.

    Raises: SpecError if `file` is not named .json.
    """
    if file.suffix != ".json":
        raise SpecError(f"the output must be named .json, got {file}.")
    table = file.with_suffix(".parquet")
    document = _document(results, options) | {
        "missing": list(pairing.missing),
        "extra": pairing.extra,
        "left_out": pairing.left_out,
    }
    write_atomically(file, json.dumps(document, indent=2).encode())
    write_atomically(table, _parquet(results, options))
    return table


def _document(results: Sequence[CaseResult], options: ScoreOptions) -> dict[str, Any]:
    """The summary: nnU-Net's keys, with ours beside them."""
    keys = {name: _key(value) for name, value in options.classes.items()}
    metrics = [
        {keys[name]: _metrics(score, result.voxels) for name, score in result.scores.items()}
        for result in results
    ]
    columns = (*SUMMARY_METRICS, *SUMMARY_COUNTS)
    mean = {
        key: {name: _average([case[key][name] for case in metrics]) for name in columns}
        for key in keys.values()
    }
    counted = class_means(results)
    return {
        "foreground_mean": {
            name: _average([values[name] for values in mean.values()]) for name in columns
        },
        "mean": mean,
        "metric_per_case": [
            {
                "metrics": found,
                "prediction_file": str(result.prediction or ""),
                "reference_file": str(result.reference),
            }
            for found, result in zip(metrics, results, strict=True)
        ],
        "classes": {key: name for name, key in keys.items()},
        "undefined": {keys[name]: count.undefined for name, count in counted.items()},
        "flagged": {keys[name]: count.flagged for name, count in counted.items()},
        "definition": options.definition,
        "scoring": options.scoring,
        "tolerance_mm": {keys[name]: options.tolerance_of(name) for name in keys},
        "metrics_version": METRICS_VERSION,
        **({"lesions": _lesions(results, keys)} if options.lesions else {}),
    }


def _lesions(results: Sequence[CaseResult], keys: Mapping[str, str]) -> list[dict[str, Any]]:
    """Case after case, class by class: counts, F1 and Dice over lesions."""
    return [
        {
            keys[name]: {**found._asdict(), "f1": found.f1, "dice": found.dice}
            for name, found in result.lesions.items()
        }
        for result in results
    ]


def _key(value: Any) -> str:
    """A class as nnU-Net writes it: its label, or its labels in brackets."""
    return str(value) if isinstance(value, int) else str(tuple(value))


def _metrics(score: ClassMetrics, voxels: int) -> dict[str, Any]:
    """One class of one case, with the counts that nnU-Net gives."""
    both, ours, theirs = score.voxels_both, score.voxels_prediction, score.voxels_reference
    union = ours + theirs - both
    return {
        **{metric: getattr(score, field) for metric, field in SUMMARY_METRICS.items()},
        "IoU": both / union if union else math.nan,
        "TP": both,
        "FP": ours - both,
        "FN": theirs - both,
        "TN": voxels - union,
        "n_pred": ours,
        "n_ref": theirs,
        "flag": score.flag,
    }


def _parquet(results: Sequence[CaseResult], options: ScoreOptions) -> bytes:
    """One row per case and class, every number of `ClassMetrics`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        {
            "case": result.case,
            "class": name,
            **{k: v for k, v in score._asdict().items() if k != "hd_mm"},
            **{f"hd{percent:g}_mm": mm for percent, mm in score.hd_mm.items()},
            "tolerance_mm": options.tolerance_of(name),
            "definition": options.definition,
            "scoring": options.scoring,
            "metrics_version": METRICS_VERSION,
        }
        for result in results
        for name, score in result.scores.items()
    ]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return bytes(sink.getvalue())
