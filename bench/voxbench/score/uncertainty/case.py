"""One case: its members, its references, and all that is asked of them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from voxbench.data.label_map import label_values, read_label_map
from voxbench.data.nifti import Volume
from voxbench.design.uncertainty import Aggregation, Application
from voxbench.errors import DataError
from voxbench.score.grid import same_grid
from voxbench.score.uncertainty.members import read_members
from voxbench.stats.arrays import nanmean
from voxbench.uncertainty.agreement import class_dice, pairwise_dice
from voxbench.uncertainty.ambiguity import Masks
from voxbench.uncertainty.conformal import miss_rates
from voxbench.uncertainty.measures import Measures, Members


@dataclass(frozen=True)
class Question:
    """What is asked of every case; nothing else is computed.

    Attributes:
        classes: name → class index.
        ignored: value of voxels in references that nobody annotated.
        measures: which maps.
        aggregations: of each map, and pairwise Dice.
        applications: that the figures are for.
        by_class: score the maps of each class against the rest too, over the image, the class's
            predicted foreground and its boundary; without a threshold, which is learnt of all.
    """

    classes: Mapping[str, int]
    ignored: int | None
    measures: Sequence[str]
    aggregations: Sequence[str] = get_args(Aggregation)
    applications: Sequence[str] = get_args(Application)
    by_class: bool = False

    @property
    def learns(self) -> bool:
        """Whether validation cases teach something that is asked for."""
        taught = {"calibration", "risk control"}
        return "threshold" in self.aggregations or not taught.isdisjoint(self.applications)


class Files(NamedTuple):
    """Of one case: predictions, and a reference of each rater; none of an OoD case."""

    members: Sequence[Path]
    references: Sequence[Path]


Maps = Mapping[str, NDArray[np.float32]]
"""Measure → (d, h, w)."""


class Predicted(NamedTuple):
    """What the members of a case say.

    Attributes:
        maps: over all classes.
        mean: of the members, (class, d, h, w).
        labels: the most probable classes, (d, h, w).
        members: their label maps, each (d, h, w).
        raters: the references, each (d, h, w).
        spacing_mm: of a voxel; NaN where nothing says it.
        of_class: class index → its maps against the rest, made when they are asked for; None where
            nothing was kept by class.
    """

    maps: Maps
    mean: NDArray[np.float32]
    labels: NDArray[np.uint8]
    members: Sequence[NDArray[np.uint8]]
    raters: Sequence[NDArray[Any]]
    spacing_mm: tuple[float, ...]
    of_class: Callable[[int], Maps] | None = None

    @property
    def foreground(self) -> NDArray[np.bool_]:
        """Where a class is predicted."""
        return self.labels > 0

    @property
    def agreement(self) -> float:
        """The mean Dice of pairs of members; NaN of one."""
        return pairwise_dice(self.members, len(self.mean))

    def judged(self, question: Question) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """For how many raters each voxel's label is right, and how many judged it."""
        right = np.zeros(self.labels.shape, np.int64)
        trials = np.zeros(self.labels.shape, np.int64)
        for rater in self.raters:
            counted = _annotated(rater, question)
            trials += counted
            right += counted & (rater == self.labels)
        return right, trials

    def dice(self, question: Question) -> float:
        """Mean Dice over raters and, before it, over the classes that either side has."""
        found = []
        wanted = [index - 1 for index in question.classes.values()]
        for rater in self.raters:
            counted = _annotated(rater, question)
            own = class_dice(self.labels * counted, rater * counted, len(self.mean))[wanted]
            found += [float(np.nanmean(own))] if not np.isnan(own).all() else []
        return float(np.mean(found)) if found else math.nan

    def missed(self, index: int, thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share of a class that masks of its mean probability miss, (threshold,), over raters."""
        rates = [miss_rates(self.mean[index], rater == index, thresholds) for rater in self.raters]
        return nanmean(np.array(rates), axis=0)

    def masks(self, index: int, question: Question) -> tuple[Masks, Masks]:
        """Of one class: those of the members and those of the raters."""
        counted = np.logical_and.reduce([_annotated(rater, question) for rater in self.raters])
        ours, theirs = (
            Masks.of((side == index) & counted for side in sides)
            for sides in (self.members, self.raters)
        )
        return ours, theirs


def predict(name: str, files: Files, question: Question) -> Predicted:
    """Read one case, member by member.

    Raises:
        DataError: a file can't be read or does not fit, naming the case.
    """
    try:
        return _predict(files, question)
    except DataError as error:
        raise DataError(f"case {name}: {error}") from error


def _predict(files: Files, question: Question) -> Predicted:
    raters = [read_label_map(path) for path in files.references]
    like = raters[0] if raters else None
    for path, rater in zip(files.references, raters, strict=True):
        if not same_grid(rater, raters[0]):
            raise DataError(f"{path} lies on another grid than {files.references[0]}; resample it.")
    members, labels = None, []
    for path in files.members:
        for member in read_members(path, like):
            spatial = member.shape[-3:]
            classes = len(member) if member.ndim == 4 else max(question.classes.values()) + 1
            members = members or Members(classes, spatial, by_class=question.by_class)
            try:
                (members.add if member.ndim == 4 else members.add_labels)(member)
            except DataError as error:
                raise DataError(f"{path}: {error}") from None
            own = member.argmax(axis=0) if member.ndim == 4 else member
            labels.append(own.astype(np.uint8))
    if members is None:
        raise DataError("no member in its files.")
    _check_classes(members.classes, question, raters, files)
    return Predicted(
        _asked(members.measures(), question),
        members.mean,
        members.labels.astype(np.uint8),
        labels,
        [rater.array for rater in raters],
        like.spacing_mm if like else (math.nan,) * 3,
        partial(_of_class, members, question) if question.by_class else None,
    )


def _of_class(members: Members, question: Question, index: int) -> Maps:
    return _asked(members.of_class(index), question)


def _asked(found: Measures, question: Question) -> Maps:
    return {measure: getattr(found, measure) for measure in question.measures}


def _check_classes(
    classes: int, question: Question, raters: Sequence[Volume], files: Files
) -> None:
    """Refuse classes and labels that the predictions have no place for.

    Raises:
        DataError: one is there.
    """
    for name, index in question.classes.items():
        if not 0 < index < classes:
            raise DataError(
                f"class {name!r} is {index}, the predictions have {classes} classes, 0 … "
                f"{classes - 1}, with the background; give --class name=index."
            )
    if classes > 256:
        raise DataError(f"{classes} classes; 256 at most.")
    for path, rater in zip(files.references, raters, strict=True):
        strange = [v for v in label_values(rater.array) if v != question.ignored]
        strange = [value for value in strange if not 0 <= value < classes]
        if strange:
            raise DataError(
                f"{path} holds {', '.join(map(str, strange[:8]))}, the predictions have "
                f"{classes} classes, 0 … {classes - 1}; a value that nobody annotated is the "
                "`ignore` label of a dataset.json."
            )


def _annotated(rater: NDArray[Any], question: Question) -> NDArray[np.bool_]:
    if question.ignored is None:
        return np.ones(rater.shape, np.bool_)
    return np.asarray(rater != question.ignored, np.bool_)
