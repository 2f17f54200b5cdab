"""What an arm is on a task, or why it can't be used there; each thing is looked up once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

from voxbench.api import Baseline, Pretrained, Published, Task, TaskCard
from voxbench.data.cross_validation import cross_validated
from voxbench.data.dataset import Dataset, open_dataset
from voxbench.data.external_test import ExternalTest
from voxbench.data.voxel_size import kernel_spacing
from voxbench.design.cell import Adaptation, Ref, Source, refs_of
from voxbench.design.corpus import Corpus
from voxbench.design.fold import Fold
from voxbench.design.kernels import Spacing, levels
from voxbench.design.preprocessing import Preprocessing
from voxbench.design.recipe import Recipe
from voxbench.design.recipe_table import TaskRecipe
from voxbench.design.structures import shared
from voxbench.errors import DataError, SpecError, VoxbenchError, WeightsError
from voxbench.ledger.corpora import check_own
from voxbench.ledger.verdict import verdict_for
from voxbench.plugins import find_task
from voxbench.pretrain.plan import (
    PretrainingPlan,
    open_source,
    plan_pretraining,
    uses_labels,
)
from voxbench.published.file import WeightsFile, verified_file
from voxbench.records.record import Contamination
from voxbench.running.arms import SweepArm

_DEEPEST = 10  # levels, more than any network has
InitialWeights = WeightsFile | PretrainingPlan | None


class ArmRecipe(NamedTuple):
    """A recipe of a task, as an arm is trained by it.

    Attributes:
        recipe: with planned values as if they were written.
        planned: what of it was planned, and from what; "" where nothing was.
        grid: grid and intensity of the images.
        kernel_spacing: voxel size that decides the network's kernels; None where they are cubes.
        reason: why the arm's weights can't be trained by it, if they can't.
    """

    recipe: Recipe
    planned: str
    grid: Preprocessing
    kernel_spacing: Spacing | None = None
    reason: str | None = None


@dataclass(frozen=True)
class TaskArm:
    """An arm on a task: what all its cells have in common.

    Attributes:
        task: its name and fields.
        arm: of the sweep.
        dataset: the task's.
        contract: grid and intensity that the arm demands; None takes the task's own.
        recipes: that its cells are trained by.
        weights: the file they are in, or how they are made here; None for scratch.
        source: what weights made here are trained on.
        contamination: whether they have seen the test cases.
        reason: why the arm can't be used here, if it can't; then nothing more is known.
        tests: external test sets of the task.
    """

    task: Ref
    arm: SweepArm
    dataset: Dataset
    contract: Preprocessing | None
    recipes: tuple[ArmRecipe, ...]
    weights: InitialWeights = None
    source: Dataset | None = None
    contamination: Contamination | None = None
    reason: str | None = None
    tests: tuple[ExternalTest, ...] = ()


class Binder:
    """Binds arms to tasks; a task, its data and an arm's weights are looked up once.

    Args:
        corpora: that the sweep registers.

    Raises:
        SpecError: they contradict one another or those of packages.
    """

    def __init__(self, corpora: tuple[Corpus, ...] = ()) -> None:
        check_own(corpora)
        self.corpora = corpora
        self.task = cache(find_task)
        self.dataset = cache(self._labelled)
        self.folded = cache(self._folded)
        self.weights = cache(self._weights)
        self.sources: dict[tuple[Source, bool], Dataset] = {}

    def bind_arm(
        self, ref: Ref, arm: SweepArm, recipes: Sequence[TaskRecipe], fold: Fold | None = None
    ) -> TaskArm:
        """An arm on a task, or on a fold of it, with the task's recipes.

        Raises:
            DataError: data of the task, or of the arm's source, are missing.
            SpecError: the task has no labels, or the arm's source lacks those that it trains on;
                the arm's weights are to be made from a donor that has none.
        """
        dataset: Dataset = self.folded(ref, fold) if fold else self.dataset(ref)
        contract = arm.contract and arm.contract.on(dataset.card.modalities)
        grids = [own.grid(contract, dataset.card.preprocessing) for own in recipes]
        own = tuple(ArmRecipe(*one, grid) for one, grid in zip(recipes, grids, strict=True))
        on = TaskArm(ref, arm, dataset, contract, own)
        cards = [task.card for task in self._tasks(arm)]
        if reason := _unsuited(arm.baseline, dataset.card, cards):
            return replace(on, reason=reason)
        source = self._source(arm)
        try:
            weights = self.weights(arm)
        except (WeightsError, DataError) as error:
            return replace(on, reason=str(error))
        contamination = self._contamination(arm.baseline, dataset, weights)
        shaped = tuple(_shaped(one, dataset, weights) for one in own)
        return replace(
            on, weights=weights, source=source, contamination=contamination, recipes=shaped
        )

    def _labelled(self, ref: Ref) -> Dataset:
        dataset = open_dataset(self.task(ref))
        if not dataset.split.labelled:
            raise SpecError(
                f"task {dataset.card.name!r}: has no labels to train on and to score by; it can be "
                "the source of a baseline that needs none."
            )
        return dataset

    def _folded(self, ref: Ref, fold: Fold) -> Dataset:
        return cross_validated(self.task(ref), self.dataset(ref), fold)

    def _weights(self, arm: SweepArm) -> InitialWeights:
        if isinstance(arm.baseline, Published):
            return verified_file(arm.baseline)
        if isinstance(arm.baseline, Pretrained) and (source := self._source(arm)):
            assert arm.pretraining  # noqa: S101 (every arm with a source has one)
            return plan_pretraining(arm.baseline, source, arm.pretraining)
        return None

    def _source(self, arm: SweepArm) -> Dataset | None:
        """What an arm is trained on; the same for all arms that use labels, or that don't."""
        if not (isinstance(arm.baseline, Pretrained) and arm.source):
            return None
        kind = arm.source, uses_labels(arm.baseline)
        if kind not in self.sources:
            self.sources[kind] = open_source(arm.baseline, *self._tasks(arm))
        return self.sources[kind]

    def _tasks(self, arm: SweepArm) -> list[Task]:
        """What an arm's source is made of."""
        return [self.task(ref) for ref in refs_of(arm.source)]

    def _contamination(
        self, baseline: Baseline, dataset: Dataset, weights: InitialWeights
    ) -> Contamination:
        """The verdict on an arm's weights, by the names of corpora, by patient and by file.

        What can't be told (a broken ledger) is unknown, with the reason: it must not stop a sweep.
        Copies that were altered are not looked for here, which would read every image of the
        source: that is what `voxbench overlap` does.
        """
        made_on = weights.members if isinstance(weights, PretrainingPlan) else ()
        try:
            return verdict_for(baseline, dataset, made_on, self.corpora)
        except VoxbenchError as error:
            return Contamination(status="unknown", reason=str(error))


def _unsuited(baseline: Baseline, card: TaskCard, sources: Sequence[TaskCard]) -> str | None:
    """Why an arm can't be used on a task, or None; `sources` are what its weights are made from."""
    supervised = isinstance(baseline, Pretrained) and uses_labels(baseline)
    for source in sources:
        if supervised and source.name == card.name:
            return "its supervised source is the task itself, whose labels the fraction rations"
        if (channels := len(source.channels)) != len(card.channels):
            return f"its source has {channels} channels, the task has {len(card.channels)}"
    return baseline.unfit(card)


def _shaped(own: ArmRecipe, dataset: Dataset, weights: InitialWeights) -> ArmRecipe:
    """A recipe with the voxel size that decides kernels, where those of the weights are the same.

    Raises:
        DataError: the header of an image can't be read.
    """
    spacing = kernel_spacing(dataset, own.grid, own.recipe)
    return own._replace(kernel_spacing=spacing, reason=other_kernels(weights, spacing))


def other_kernels(weights: InitialWeights, spacing: Spacing | None) -> str | None:
    """Why an arm's weights can't be those of a network with kernels by a voxel size, or None.

    Args:
        weights: of the arm.
        spacing: that decides the kernels on the task; None where they are cubes.
    """
    if isinstance(weights, WeightsFile):
        return "recipe.anisotropic: its weights have cubic kernels" if spacing else None
    made = weights.kernel_spacing if weights else spacing
    if levels(_DEEPEST, spacing=made) == levels(_DEEPEST, spacing=spacing):
        return None
    source, task = ("cubic voxels" if mm is None else f"{mm} mm" for mm in (made, spacing))
    return (
        f"anisotropic: its weights are made with kernels for {source}, those of the task are for "
        f"{task}; say the same in [pretraining] and [recipe], on grids of the same spacing."
    )


def outputs_of(baseline: Baseline, weights: InitialWeights) -> tuple[str, ...]:
    """The structures that the head of an arm's weights gives; none where they have no head.

    Raises:
        SpecError: it was to be trained on more structures than its source has.
    """
    if isinstance(baseline, Pretrained) and isinstance(weights, PretrainingPlan):
        return baseline.outputs(weights.source.card, weights.schedule.seed)
    return baseline.card.outputs if isinstance(baseline, Published) else ()


def headless(
    baseline: Baseline, weights: InitialWeights, card: TaskCard, adaptation: Adaptation
) -> str | None:
    """Why a baseline's head can't infer a task directly, or None if it can."""
    try:
        outputs = outputs_of(baseline, weights)
    except SpecError as error:
        return str(error)
    if not (isinstance(baseline, Published | Pretrained) and outputs):
        return "its weights have no head to infer with"
    if not baseline.decoder:
        return "a head needs the decoder that it was trained with"
    if card.has_regions:
        return "the task's classes are regions, a head's are not"
    if adaptation == "direct-postprocessed":
        outputs = baseline.card.postprocessed
        if not outputs:
            return "nothing is known of how its authors process its masks; adaptation 'direct' is"
    if not shared(outputs, card.classes):
        return f"its head has no class of the task: it gives {', '.join(outputs)}"
    return None
