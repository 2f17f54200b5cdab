"""What is asked of every case: classes, tolerances and definition."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from voxbench.api import TaskCard
from voxbench.errors import SpecError, unknown
from voxbench.metrics.labels import LabelValues
from voxbench.metrics.official import find_scoring
from voxbench.score.pair import CasePairs
from voxbench.score.vocabulary import Vocabularies, Vocabulary, choose_vocabularies


@dataclass(frozen=True)
class ScoreOptions:
    """What is asked of every case.

    `classes` maps a class to its value, or the values of its region, in label maps of both sides,
    unless `vocabularies` says more. `definition` is `surface` or `voxel`; `tolerance_mm` is one
    number or one a class; `scoring` is one of `voxbench.metrics.official`, or voxbench's own; of
    `lesions`, some of the classes, each connected part is scored by itself, too.
    """

    classes: Mapping[str, LabelValues]
    tolerance_mm: Mapping[str, float] | float
    definition: str = "surface"
    resample: bool = False
    percentiles: tuple[float, ...] = ()
    assd: bool = False
    vocabularies: Vocabularies | None = None
    scoring: str | None = None
    lesions: tuple[str, ...] = ()

    @property
    def sides(self) -> Vocabularies:
        """What label maps of prediction and reference mean."""
        return self.vocabularies or Vocabularies(*[Vocabulary(self.classes)] * 2)

    @property
    def meet_by_value(self) -> bool:
        """Whether a class has the same values in label maps of both sides."""
        ours, theirs = self.sides
        return all(ours.classes[name] == value for name, value in theirs.classes.items())

    def tolerance_of(self, name: str) -> float:
        """The tolerance of a class in mm."""
        one = self.tolerance_mm
        return one[name] if isinstance(one, Mapping) else one


def choose_options(
    pairing: CasePairs,
    prediction: Path,
    reference: Path,
    *,
    card: TaskCard | None = None,
    classes: Iterable[str] = (),
    tolerance_mm: Iterable[str] = (),
    definition: str | None = None,
    resample: bool = False,
    scoring: str | None = None,
    lesions: Iterable[str] = (),
) -> ScoreOptions:
    """Options from what a user said, else from a task's card, else from the folders.

    Args:
        pairing: of the cases.
        prediction: the folder.
        reference: the folder.
        card: of a task that gives classes and tolerances.
        classes: texts as `parse_classes` takes them.
        tolerance_mm: texts as `parse_tolerances` takes them.
        definition: surface, which is the default, or voxel.
        resample: bring predictions onto the reference's grid.
        scoring: an official one, which has its definition and may have classes and tolerances.
        lesions: classes that are scored lesion by lesion, too.

    Raises:
        SpecError: no classes are known, a class has no tolerance, a text makes no sense, or the
            scoring has its own of what is said, or does not score a class.
        DataError: a `dataset.json` can't be used, or classes of the two sides differ.
    """
    if definition not in (None, *(known := ("surface", "voxel"))):
        raise SpecError(unknown("definition", definition, known))
    official = find_scoring(scoring) if scoring else None
    if official and definition:
        raise SpecError(f"--scoring {scoring} has its own definition: leave --definition out.")
    tolerance_mm = tuple(tolerance_mm)
    if official and official.tolerance_mm and tolerance_mm:
        raise SpecError(f"--scoring {scoring} has its own tolerances: leave --tolerance-mm out.")
    sides = choose_vocabularies(
        pairing,
        prediction,
        reference,
        card=card,
        given=parse_classes(classes),
        scoring=scoring,
    )
    found = sides.reference.classes
    tolerances = dict(card.tolerance_mm) if card else {}
    tolerances |= parse_tolerances(tolerance_mm, list(found))
    if official:
        own = {name: official.tolerance_of(name) for name in found}
        tolerances |= {name: mm for name, mm in own.items() if mm is not None}
    if lacking := [name for name in found if name not in tolerances]:
        raise SpecError(
            f"no tolerance for {', '.join(lacking)}: give --tolerance-mm 2.0, or one a class as"
            f" --tolerance-mm {lacking[0]}=2.0, or --task."
        )
    for name in lesions:
        if name not in found:
            raise SpecError(f"--lesions: {unknown('class', name, found)}")
    wanted = {name: tolerances[name] for name in found}
    boundary = official.definition if official else definition or "surface"
    return ScoreOptions(
        found, wanted, boundary, resample,
        vocabularies=sides, scoring=scoring, lesions=tuple(lesions),
    )  # fmt: skip


def parse_classes(texts: Iterable[str]) -> dict[str, int | tuple[int, ...]]:
    """Classes from `name=label` and `name=1+2`.

    Raises:
        SpecError: a text is neither.
    """
    found: dict[str, int | tuple[int, ...]] = {}
    for text in texts:
        name, _, labels = text.partition("=")
        try:
            values = tuple(int(label) for label in labels.split("+"))
        except ValueError as error:
            raise SpecError(f"--class must be name=label or name=1+2, got {text!r}.") from error
        found[name] = values if len(values) > 1 else values[0]
    return found


def parse_tolerances(texts: Iterable[str], classes: Sequence[str]) -> dict[str, float]:
    """Tolerances in mm by class, from `2.0` (all classes) and `name=2.0`.

    Raises:
        SpecError: a text is neither, or names another class.
    """
    found: dict[str, float] = {}
    for text in sorted(texts, key=lambda text: "=" in text):
        name, _, number = text.rpartition("=")
        if name and name not in classes:
            raise SpecError(unknown("class", name, classes))
        try:
            found |= dict.fromkeys([name] if name else classes, float(number))
        except ValueError as error:
            raise SpecError(f"--tolerance-mm must be a number of mm, got {text!r}.") from error
    return found
