"""What the values of label maps mean, on either side: what can't be told is an error, no score.

A side of masks has names; a side of label maps has values, which `--class`, a task's card or a
`dataset.json` in or above its folder gives names. Sides meet by the names of their classes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from voxbench.api import TaskCard
from voxbench.data.dataset_json import DatasetJson
from voxbench.data.label_map import label_values
from voxbench.errors import DataError, SpecError, unknown
from voxbench.metrics.labels import LabelValues, label_set
from voxbench.metrics.official import find_scoring
from voxbench.score.pair import CasePairs, mask_structures


class Vocabulary(NamedTuple):
    """What the values of one side's label maps mean.

    Attributes:
        classes: class → its value, or the values of its region.
        origin: what says so; "" where maps may hold other values too.
        ignored: value of the voxels that nobody annotated.
    """

    classes: Mapping[str, LabelValues]
    origin: str = ""
    ignored: int | None = None

    def check(self, labels: NDArray[Any], path: Path) -> None:
        """Refuse a label map that holds a value without a meaning.

        Raises:
            DataError: it does.
        """
        known = {0, *(value for group in self.classes.values() for value in label_set(group))}
        known |= set() if self.ignored is None else {self.ignored}
        strange = [v for v in label_values(labels) if v not in known] if self.origin else []
        if strange:
            raise DataError(
                f"{path} holds {', '.join(map(str, strange[:8]))}, {self.origin} has "
                f"{', '.join(map(str, sorted(known)))}: are these class indices, or the labels of "
                "another data set? A dataset.json beside the maps, or --class name=label, says it."
            )


class Vocabularies(NamedTuple):
    """Those of both sides; every class of the reference is one of the prediction."""

    prediction: Vocabulary
    reference: Vocabulary


def choose_vocabularies(
    pairing: CasePairs,
    prediction: Path,
    reference: Path,
    *,
    card: TaskCard | None = None,
    given: Mapping[str, LabelValues] | None = None,
    scoring: str | None = None,
) -> Vocabularies:
    """What the values of both sides mean.

    Args:
        pairing: of the cases.
        prediction: the folder.
        reference: the folder.
        card: of a task, which counts before what lies in the folders.
        given: classes and their values, as a user said them; they count before all.
        scoring: an official one, which may know its classes.

    Raises:
        SpecError: nothing says what values mean.
        DataError: the prediction lacks a class of the reference, or a `dataset.json` is wrong.
    """
    theirs = read_vocabulary(reference)
    ignored = theirs.ignored if theirs else None
    if given:
        return Vocabularies(*[Vocabulary(given, ignored=ignored)] * 2)
    if card:
        return Vocabularies(*[Vocabulary(card.classes, "the card of the task", ignored)] * 2)
    ours = read_vocabulary(prediction)
    masks = {name: number for number, name in enumerate(mask_structures(pairing), start=1)}
    if scoring and (known := find_scoring(scoring).classes):
        theirs = theirs or Vocabulary(known, f"--scoring {scoring}")
    truth = Vocabulary(masks) if masks else theirs or ours
    if truth is None:
        raise SpecError(
            "no classes are known: give --task, --class name=label, or a dataset.json beside the"
            " references."
        )
    if not any(isinstance(files, Path) for files, _ in pairing.cases.values()):
        return Vocabularies(truth, truth)  # masks, which have names
    found = ours or theirs
    if found is None:
        raise SpecError(
            f"{prediction} holds label maps, {reference} masks, and nothing says which value is "
            f"which: give --class {next(iter(masks))}=1 …, or put a dataset.json beside the maps."
        )
    for name in truth.classes:
        if name not in found.classes:
            raise DataError(
                f"{prediction}: {unknown('class', name, found.classes)} It is one of {reference}; "
                "sides meet by the names of classes: give --class name=label."
            )
    if masks:
        truth = Vocabulary({name: found.classes[name] for name in masks})
    return Vocabularies(found, truth)


def read_vocabulary(folder: Path) -> Vocabulary | None:
    """That of the first `dataset.json` in or above a folder, nnU-Net's or the Decathlon's, if any.

    Raises:
        DataError: it can't be read, or its labels make no sense.
    """
    for near in (folder, folder.parent):
        if (file := near / "dataset.json").is_file():
            described = DatasetJson.read(file)
            if "labels" in described.table:
                return Vocabulary(described.classes, str(file), described.ignored)
    return None
