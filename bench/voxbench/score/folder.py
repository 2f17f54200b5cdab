"""Score the cases of two folders, several at a time: one is read while another is scored."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from voxbench.cores import available_cores, threads_each
from voxbench.data.label_map import read_label_map
from voxbench.data.nifti import Volume
from voxbench.errors import DataError
from voxbench.metrics import ClassMetrics, Definition, evaluate, worst
from voxbench.metrics.labels import LabelValues, label_set
from voxbench.metrics.official import find_scoring
from voxbench.score.grid import labels_on_grid, same_grid
from voxbench.score.lesions import LesionScores, score_lesions
from voxbench.score.options import ScoreOptions
from voxbench.score.pair import CasePairs, Files
from voxbench.score.vocabulary import Vocabulary


class CaseResult(NamedTuple):
    """Scores of one case by class, and the files they are of; no prediction if it was missing.

    `lesions` holds the classes that were asked for lesion by lesion.
    """

    case: str
    scores: dict[str, ClassMetrics]
    voxels: int
    prediction: Path | None
    reference: Path
    lesions: Mapping[str, LesionScores] = MappingProxyType({})


def score_folders(
    pairing: CasePairs,
    options: ScoreOptions,
    jobs: int | None = None,
    done: Callable[[CaseResult], None] = lambda _: None,
) -> list[CaseResult]:
    """Score every case of `pairing`, in the order of their names; `done` hears of each as it ends.

    Cases without a prediction get the worst value and are flagged `failed`. `jobs` cases are worked
    on at once, as many as there are cores by default.

    Raises: DataError for files that can't be read or do not fit, naming the case.
    """
    tasks: dict[str, tuple[Files | None, Files]] = dict(pairing.cases)
    tasks |= {name: (None, files) for name, files in pairing.missing.items()}
    wanted = max(1, min(jobs or available_cores(), len(tasks)))
    threads = threads_each(wanted)
    results = []
    with ThreadPoolExecutor(wanted) as pool:
        running = [pool.submit(_case, n, *files, options, threads) for n, files in tasks.items()]
        try:
            for future in as_completed(running):
                results.append(future.result())
                done(results[-1])
        finally:
            pool.shutdown(cancel_futures=True)
    return sorted(results, key=lambda result: result.case)


def _case(
    name: str, prediction: Files | None, reference: Files, options: ScoreOptions, threads: int
) -> CaseResult:
    """Read one case and score it."""
    try:
        if prediction is None:
            scores, voxels = _failed(reference, options)
        elif isinstance(prediction, Path) and isinstance(reference, Path) and options.meet_by_value:
            scores, voxels = _maps(prediction, reference, options, threads)
        else:
            scores, voxels = _masks(prediction, reference, options, threads)
        lesions = _lesions(prediction, reference, options) if options.lesions else {}
    except DataError as error:
        raise DataError(f"case {name}: {error}") from error
    if options.scoring:
        official = find_scoring(options.scoring)
        scores = {name: official.counted(score) for name, score in scores.items()}
    predicted = None if prediction is None else _origin(prediction)
    return CaseResult(name, scores, voxels, predicted, _origin(reference), lesions)


def _failed(reference: Files, options: ScoreOptions) -> tuple[dict[str, ClassMetrics], int]:
    """The worst scores for every class of a case that has no prediction, and its voxels."""
    scores: dict[str, ClassMetrics] = {}
    voxels = 0
    for name, truth in _structures(reference, options.classes, options.sides.reference):
        scores |= worst(truth.array, {name: 1}, truth.spacing_mm)
        voxels = truth.array.size
    return scores, voxels


def _maps(
    prediction: Path, reference: Path, options: ScoreOptions, threads: int
) -> tuple[dict[str, ClassMetrics], int]:
    """Scores of a case with a label map on either side of one vocabulary, and its voxels."""
    ours, theirs = options.sides
    truth, found = _read(reference, theirs), _read(prediction, ours)
    labels = _fitted(found, truth, prediction, options)
    if theirs.ignored is not None:
        annotated = truth.array != theirs.ignored
        labels, truth = labels * annotated, truth._replace(array=truth.array * annotated)
    return _scores(labels, truth, options.classes, options, threads), truth.array.size


def _masks(
    prediction: Files, reference: Files, options: ScoreOptions, threads: int
) -> tuple[dict[str, ClassMetrics], int]:
    """Scores of a case whose sides meet by names, one structure at a time, and its voxels."""
    scores: dict[str, ClassMetrics] = {}
    voxels = 0
    for name, mask, truth in _pairs(prediction, reference, options, options.classes):
        scores |= _scores(mask, truth, {name: 1}, options, threads)
        voxels = truth.array.size
    return scores, voxels


def _lesions(
    prediction: Files | None, reference: Files, options: ScoreOptions
) -> dict[str, LesionScores]:
    """Scores lesion by lesion; of a case without a prediction all are missed."""
    if prediction is None:
        masks = _structures(reference, options.lesions, options.sides.reference)
        return {n: score_lesions(truth.array * 0, truth.array) for n, truth in masks}
    pairs = _pairs(prediction, reference, options, options.lesions)
    return {name: score_lesions(mask, truth.array) for name, mask, truth in pairs}


def _pairs(
    prediction: Files, reference: Files, options: ScoreOptions, names: Iterable[str]
) -> Iterator[tuple[str, NDArray[Any], Volume]]:
    """Each class with its mask on either side, on one grid, where the reference is annotated."""
    ours, theirs = options.sides
    names, annotated = list(names), None
    if theirs.ignored is not None and isinstance(reference, Path):
        annotated = _read(reference).array != theirs.ignored
    sides = _structures(prediction, names, ours), _structures(reference, names, theirs)
    for (name, found), (_, truth) in zip(*sides, strict=True):
        mask = _fitted(found, truth, _origin(prediction), options)
        yield name, mask if annotated is None else mask * annotated, truth


def _read(path: Path, vocabulary: Vocabulary | None = None) -> Volume:
    """A label map of a volume or of a slice, whose values have a meaning."""
    found = read_label_map(path, slices=True)
    if vocabulary:
        vocabulary.check(found.array, path)
    return found


def _structures(
    files: Files, names: Iterable[str], vocabulary: Vocabulary
) -> Iterator[tuple[str, Volume]]:
    """Each class with its mask (0 and 1), from its own file or from the label map of all."""
    whole = _read(files, vocabulary) if isinstance(files, Path) else None
    for name in names:
        if whole:
            inside = np.isin(whole.array, list(label_set(vocabulary.classes[name])))
            yield name, whole._replace(array=inside.view(np.uint8))
        elif isinstance(files, dict) and name in files:
            yield name, _mask(files[name])
        else:
            raise DataError(
                f"{_origin(files)} has no mask of {name!r}: an empty one is needed where the"
                " structure was not found."
            )


def _mask(path: Path) -> Volume:
    """The mask of one structure, as uint8."""
    mask = _read(path)
    low, high = int(mask.array.min()), int(mask.array.max())
    if low < 0 or high > 1:
        raise DataError(f"{path}: a mask holds 0 and 1, found {low} … {high}.")
    return mask._replace(array=(mask.array != 0).view(np.uint8))


def _fitted(found: Volume, truth: Volume, path: Path, options: ScoreOptions) -> NDArray[Any]:
    """The prediction's labels on the reference's grid."""
    if same_grid(found, truth):
        return found.array
    if not options.resample:
        raise DataError(
            f"{path} lies on another grid than its reference: {found.array.shape} voxels of"
            f" {_mm(found)} mm against {truth.array.shape} of {_mm(truth)} mm, or turned or moved."
            " Resample it, or give --resample (nearest voxel)."
        )
    return labels_on_grid(found, truth)


def _scores(
    labels: NDArray[Any],
    truth: Volume,
    classes: Mapping[str, LabelValues],
    options: ScoreOptions,
    threads: int,
) -> dict[str, ClassMetrics]:
    """Scores by the definition that is asked for."""
    if options.scoring:
        return find_scoring(options.scoring).measure(
            labels,
            truth.array,
            classes,
            truth.spacing_mm,
            {name: options.tolerance_of(name) for name in classes},
            truth.body_axis,
            threads,
        )
    return evaluate(
        labels,
        truth.array,
        classes,
        truth.spacing_mm,
        options.tolerance_mm,
        cast("Definition", options.definition),
        percentiles=options.percentiles,
        assd=options.assd,
        threads=threads,
    )


def _origin(files: Files) -> Path:
    """The file, or the folder of the masks."""
    return files if isinstance(files, Path) else next(iter(files.values())).parent


def _mm(found: Volume) -> str:
    return " x ".join(f"{mm:.3g}" for mm in found.spacing_mm)
