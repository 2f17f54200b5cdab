"""Folders in, judged cases out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from voxbench.data.patients import UnsettledPatientsError, find_patients
from voxbench.errors import DataError, SpecError, unknown
from voxbench.metrics.labels import label_set
from voxbench.score.options import parse_classes
from voxbench.score.pair import find_cases
from voxbench.score.uncertainty.case import Files, Predicted, Question, predict
from voxbench.score.uncertainty.judged import JudgedCase, judge_case
from voxbench.score.uncertainty.members import Layout, find_layout, find_members, read_members
from voxbench.score.uncertainty.validation import NOTHING, learn
from voxbench.score.vocabulary import read_vocabulary
from voxbench.uncertainty.measures import Measures


class Part(NamedTuple):
    """A folder of predictions, with a folder of references a rater.

    Attributes:
        predictions: the folder.
        references: folders, one a rater.
        cases: name → files.
        extra: predictions without a reference, which are not judged.
    """

    predictions: Path
    references: Sequence[Path]
    cases: dict[str, Files]
    extra: Sequence[str] = ()


def find_part(predictions: Path, references: Sequence[Path]) -> Part:
    """Pair the cases by name.

    Raises:
        DataError: a case lacks a prediction, or the reference of a rater.
    """
    theirs = [_label_maps(folder) for folder in references]
    names = sorted(theirs[0])
    members = find_members(predictions, find_layout(predictions, names))
    if lacking := [name for name in names if name not in members]:
        raise DataError(
            f"{len(lacking)} references have no prediction in {predictions}: "
            f"{', '.join(lacking[:5])}. Predict them, or give a folder without their references."
        )
    for folder, own in zip(references, theirs, strict=True):
        if lacking := [name for name in names if name not in own]:
            raise DataError(f"{folder} lacks the case {lacking[0]} that {references[0]} has.")
    return Part(
        predictions,
        references,
        {name: Files(members[name], [own[name] for own in theirs]) for name in names},
        sorted(members.keys() - set(names)),
    )


def find_strange(predictions: Path, layout: Layout) -> Part:
    """Cases of another distribution, which need no reference.

    Raises:
        DataError: there are none.
    """
    if not predictions.is_dir():
        raise DataError(f"{predictions} is not a folder: give the folder of OoD predictions.")
    members = find_members(predictions, layout)
    return Part(predictions, (), {name: Files(files, ()) for name, files in members.items()})


def choose_question(
    part: Part, classes: Sequence[str], measures: Sequence[str], *, by_class: bool = False
) -> Question:
    """What is asked: of classes as said, else by a dataset.json, else of all that are predicted.

    Raises:
        SpecError: a class is a region, an unknown measure, or label maps without any names.
    """
    for measure in measures:
        if measure not in Measures._fields:
            raise SpecError(unknown("measure", measure, Measures._fields))
    vocabulary = read_vocabulary(part.references[0])
    said = parse_classes(classes) or (vocabulary.classes if vocabulary else {})
    found = {}
    for name, value in said.items():
        if len(group := label_set(value)) > 1:
            raise SpecError(
                f"class {name!r} is a region of {sorted(group)}: uncertainty is measured of "
                "classes with one index each; give --class name=index."
            )
        found[name] = min(group)
    if not found:
        first = next(iter(part.cases.values())).members[0]
        member = next(read_members(first, None))
        if member.ndim == 3:
            raise SpecError(
                f"no classes are known: {first} is a label map; give --class name=label, or a "
                "dataset.json beside the references."
            )
        found = {str(index): index for index in range(1, len(member))}
    ignored = vocabulary.ignored if vocabulary else None
    return Question(found, ignored, measures or Measures._fields, by_class=by_class)


class Answer(NamedTuple):
    """The judged cases of the test part and of the OoD parts."""

    test: list[JudgedCase]
    ood: list[JudgedCase]


def judge_folders(
    test: Part,
    question: Question,
    *,
    validation: Part | None = None,
    ood: Sequence[Part] = (),
    patients: str | None = None,
    tolerance_mm: float | None = None,
    done: Callable[[], None] = lambda: None,
) -> Answer:
    """Judge all cases, one at a time.

    Args:
        test: what is judged.
        question: what is asked of each case.
        validation: cases apart, for thresholds and calibration.
        ood: cases of other distributions.
        patients: who is who, as a sweep says it: prefix, case or a file.
        tolerance_mm: of NSD, which is a risk too where it is given.
        done: hears of each case.

    Raises:
        DataError: a file can't be read or does not fit, or nothing says who is who.
    """

    def predicted(part: Part) -> Iterator[Predicted]:
        for name, files in part.cases.items():
            yield predict(name, files, question)
            done()

    learnt = NOTHING
    if validation:
        _require_apart(test, validation)
        learnt = learn(predicted(validation), question)

    def judged(part: Part, who: Mapping[str, str]) -> list[JudgedCase]:
        return [
            judge_case(name, who[name], case, question, learnt, tolerance_mm)
            for name, case in zip(part.cases, predicted(part), strict=True)
        ]

    who = _patients(test.references[0], test, patients)
    rule = patients if patients in ("case", "prefix") else None
    strange: list[JudgedCase] = []
    for part in ood:
        strange += judged(part, _patients(part.predictions, part, rule))
    return Answer(judged(test, who), strange)


def _patients(folder: Path, part: Part, said: str | None) -> dict[str, str]:
    """Who each case of a part shows."""
    try:
        return find_patients(folder, list(part.cases), said).of
    except UnsettledPatientsError as error:
        raise DataError(f"{error} That is --patients here.") from None


def _require_apart(test: Part, validation: Part) -> None:
    """No case that is judged may have a say in what it is judged by.

    Raises:
        DataError: one is in both parts.
    """
    if shared := sorted(test.cases.keys() & validation.cases.keys()):
        raise DataError(
            f"{len(shared)} cases are in {test.predictions} and in --validation, {shared[0]} among "
            "them; validate on other cases."
        )


def _label_maps(folder: Path) -> dict[str, Path]:
    """The label maps of a rater."""
    found = {name: file for name, file in find_cases(folder).items() if isinstance(file, Path)}
    if not found:
        raise DataError(f"{folder} holds masks; uncertainty needs label maps (case.nii.gz).")
    return found
