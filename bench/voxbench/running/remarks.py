"""What should be known of a sweep before it runs: who is who, the split, mirroring, the patch."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from statistics import median

from voxbench.api import Change, Preprocessing
from voxbench.data.dataset import Dataset
from voxbench.data.image import read_extent, read_spacing
from voxbench.data.outside import told_outside
from voxbench.data.voxel_size import across_slices, kernel_spacing
from voxbench.design.recipe import Pretraining, Recipe, deciding
from voxbench.errors import DataError
from voxbench.pretrain.plan import PretrainingPlan
from voxbench.running.bound import BoundCell, Trainings
from voxbench.stats.paired import FEWEST_PATIENTS

_LOOKED_AT = 64  # images of a data set, whose headers say how large they are


def remarks(cells: Iterable[BoundCell]) -> list[str]:
    """One line a fact, each once, of the tasks and sources of the cells that can be run."""
    found = [one for one in dict.fromkeys(cell.trainings for cell in cells) if not one.reason]
    lines = (line for one in found for line in _of(one))
    return list(dict.fromkeys((*lines, *_schedules(found))))


def _schedules(found: Sequence[Trainings]) -> Iterator[str]:
    """What is another in the pre-training of each arm, where it is not the same for all."""
    told = {
        one.arm.baseline: deciding(one.cell.pretraining.model_dump(mode="json"))
        for one in found
        if one.cell.pretraining
    }
    keys = sorted({key for schedule in told.values() for key in schedule})
    differing = [key for key in keys if len({str(each.get(key)) for each in told.values()}) > 1]
    for arm, schedule in told.items() if differing else ():
        words = (f"{key} {_value(schedule[key])}" for key in differing if key in schedule)
        yield f"{arm}: pre-trained with {', '.join(words)}"


def _of(one: Trainings) -> Iterator[str]:
    if one.planned:
        yield f"{one.dataset.card.name}: {one.planned}"
    yield from _told(one.dataset, one.preprocessing, one.cell.recipe)
    yield from _few_tested(one.dataset)
    yield from _flat(one.dataset, one.preprocessing, one.cell.recipe)
    yield from _external(one)
    if isinstance(plan := one.weights, PretrainingPlan):
        yield from _flat(plan.source, plan.grid, plan.schedule)
        forbidden = (plan.donor or plan).baseline.forbids
        if forbidden and plan.schedule.augmentation != "none":
            changes = ", ".join(sorted(forbidden))
            yield f"{one.arm.baseline}: pre-trained without the augmentation's {changes}"
        united = plan.source.members
        if united:
            yield from _united(plan.source, plan.schedule, forbidden)
        for dataset, _ in plan.members:
            kept: Collection[Change] = {*forbidden, "mirror"} if united else forbidden
            yield from _told(dataset, plan.preprocessing(dataset), plan.schedule, kept)


def _few_tested(dataset: Dataset) -> Iterator[str]:
    """That nothing can be decided, where a sweep does not test on every patient in turn."""
    tested = len({case.patient for case in dataset.split.test})
    if dataset.fold is None and tested < FEWEST_PATIENTS:
        yield (
            f"{dataset.card.name}: {tested} test patients, too few for any verdict: it takes "
            f"{FEWEST_PATIENTS}; `folds = 5` tests on every patient in turn"
        )


def _external(one: Trainings) -> Iterator[str]:
    """What of a task is scored on each external test set, and what is not."""
    card = one.dataset.card
    for test in one.tests:
        other = test.dataset.card
        told = (
            f"{card.name}: {test.name} tests {', '.join(test.classes)} on {len(test.cases)} cases"
        )
        told += f"; it lacks {', '.join(test.lacking)}" if test.lacking else ""
        if other.modalities != card.modalities:
            told += f"; trained on {_both(card.modalities)}, tested on {_both(other.modalities)}"
        yield told


def _both(modalities: Sequence[str]) -> str:
    return "/".join(dict.fromkeys(modalities))


def _flat(
    dataset: Dataset, preprocessing: Preprocessing, schedule: Recipe | Pretraining
) -> Iterator[str]:
    """How patches are moved and what shape kernels have, where that depends on the voxels."""
    if schedule.dummy_2d:
        thick = across_slices(dataset, preprocessing)
        how = "in all axes, as no slices are thick" if thick is None else "in the plane of slices"
        yield f"{dataset.card.name}: patches are turned and scaled {how}"
    if schedule.anisotropic:
        spacing = kernel_spacing(dataset, preprocessing, schedule)
        told = f"follow voxels of {_by(spacing)} mm" if spacing else "are cubes, as voxels nearly"
        yield f"{dataset.card.name}: kernels and strides {told}"


def _united(source: Dataset, schedule: Pretraining, forbidden: Collection[Change]) -> Iterator[str]:
    """What a union is, and what it mirrors, whatever its data sets would by themselves."""
    yield from (f"{source.card.name}: {note}" for note in source.notes)
    if schedule.augmentation != "none":
        yield from _mirrored(source, forbidden)


def _mirrored(dataset: Dataset, forbidden: Collection[Change]) -> Iterator[str]:
    if "mirror" not in forbidden:
        yield f"{dataset.card.name}: {dataset.mirroring.told}"


def _told(
    dataset: Dataset,
    preprocessing: Preprocessing,
    schedule: Recipe | Pretraining,
    forbidden: Collection[Change] = (),
) -> Iterator[str]:
    yield from (f"{dataset.card.name}: {note}" for note in dataset.notes)
    if schedule.augmentation != "none":
        yield from _mirrored(dataset, forbidden)
    patch = schedule.patch
    shapes = shapes_of(dataset, preprocessing)
    small = sum(any(n < side for n, side in zip(shape, patch, strict=True)) for shape in shapes)
    if small:
        size = [round(median(axis)) for axis in zip(*shapes, strict=True)]
        yield (
            f"{dataset.card.name}: a patch of {_by(patch)} is larger than {small} of "
            f"{len(shapes)} volumes (median {_by(size)} voxels, before they are cropped); beyond "
            f"them lies {told_outside(preprocessing, len(dataset.card.channels))}"
        )


@cache
def shapes_of(dataset: Dataset, preprocessing: Preprocessing) -> list[list[int]]:
    """Voxels along the prepared axes of some of the images, by their headers."""
    split = dataset.split
    cases = [*split.train, *split.validation, *split.test]
    shapes = []
    for case in cases[:: max(1, len(cases) // _LOOKED_AT)]:
        try:
            extent = read_extent(case.images[0], preprocessing.axes)
            spacing = preprocessing.spacing_mm or read_spacing(case.images[0], preprocessing.axes)
        except DataError:  # told when the case is prepared
            continue
        shapes.append([round(mm / side) for mm, side in zip(extent, spacing, strict=True)])
    return shapes


def _value(value: object) -> str:
    return _by(value) if isinstance(value, list) else str(value)


def _by(sides: Sequence[float]) -> str:
    return " × ".join(f"{side:g}" for side in sides)
