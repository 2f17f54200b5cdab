"""What an arm is on a task, or why it can't be used there; each thing is looked up once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple

from voxbench.api import Baseline, Pretrained, Published, Task, TaskCard
from voxbench.data.dataset import Dataset
from voxbench.data.external_test import ExternalTest
from voxbench.design.cell import Adaptation, Ref, Source, refs_of
from voxbench.design.corpus import Corpus
from voxbench.design.kernels import Spacing, levels
from voxbench.design.preprocessing import Preprocessing
from voxbench.design.recipe import Recipe
from voxbench.design.structures import shared
from voxbench.errors import DataError, SpecError, VoxbenchError, WeightsError
from voxbench.ledger.corpora import check_own
from voxbench.ledger.verdict import verdict_for
from voxbench.pretrain.plan import (
    PretrainingPlan,
    objective_version,
    open_source,
    plan_pretraining,
    uses_labels,
)
from voxbench.published.file import WeightsFile, verified_file
from voxbench.records.provenance import Contamination
from voxbench.running.arms import SweepArm

_DEEPEST = 10  # levels, more than any network has
InitialWeights = WeightsFile | PretrainingPlan | None


class ArmRecipe(NamedTuple):
    """A recipe of a task, as arms of one contract are trained by it.

    Attributes:
        recipe: with planned values as if they were written.
        planned: what of it was planned, and from what; "" where nothing was.
        grid: grid and intensity of the images.
        kernel_spacing: voxel size that decides the network's kernels; None where they are cubes.
        reason: why the weights of an arm can't be trained by it, if they can't.
    """

    recipe: Recipe
    planned: str
    grid: Preprocessing
    kernel_spacing: Spacing | None = None
    reason: str | None = None


class TaskData(NamedTuple):
    """The data of a task, or of a fold of it, and how networks are trained on them.

    Attributes:
        task: its name and fields.
        dataset: its data.
        recipes: contract that arms have → the recipes of the task under it.
    """

    task: Ref
    dataset: Dataset
    recipes: Mapping[Preprocessing | None, tuple[ArmRecipe, ...]]


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
        objective: version of what they are made here for, see `objective_version`.
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
    objective: Mapping[str, str] = field(default_factory=dict, hash=False)
    contamination: Contamination | None = None
    reason: str | None = None
    tests: tuple[ExternalTest, ...] = ()


class Binder:
    """Binds arms to the data of tasks; an arm's weights and their source are looked up once.

    Args:
        tasks: those that sources are made of.
        corpora: that the sweep registers.

    Raises:
        SpecError: the corpora contradict one another or those of packages.
    """

    def __init__(self, tasks: Mapping[Ref, Task], corpora: tuple[Corpus, ...]) -> None:
        check_own(corpora)
        self.tasks, self.corpora = tasks, corpora
        self.weights = cache(_initial_weights)
        self.sources: dict[tuple[Source, bool], Dataset] = {}

    def bind_arm(self, data: TaskData, arm: SweepArm) -> TaskArm:
        """An arm on the data of a task.

        Raises:
            DataError: data of the arm's source are missing.
            SpecError: the arm's source lacks the labels that it trains on; the arm's weights are to
                be made from a donor that has none.
        """
        dataset, recipes = data.dataset, data.recipes[arm.contract]
        contract = arm.contract and arm.contract.on(dataset.card.modalities)
        on = TaskArm(data.task, arm, dataset, contract, recipes)
        cards = [task.card for task in self._tasks(arm)]
        if reason := _unsuited(arm.baseline, dataset.card, cards):
            return replace(on, reason=reason)
        source = self._source(arm)
        try:
            weights: InitialWeights = self.weights(arm, source)
        except (WeightsError, DataError) as error:
            return replace(on, reason=str(error))
        kernels = [other_kernels(weights, own.kernel_spacing) for own in recipes]
        return replace(
            on,
            weights=weights,
            objective=objective_version(arm.baseline),
            contamination=self._contamination(arm.baseline, dataset, weights),
            recipes=tuple(o._replace(reason=r) for o, r in zip(recipes, kernels, strict=True)),
        )

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
        return [self.tasks[ref] for ref in refs_of(arm.source)]

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


def _initial_weights(arm: SweepArm, source: Dataset | None) -> InitialWeights:
    """The file that an arm's weights are in, or how they are made of their source.

    Raises:
        WeightsError: the file is missing, or another one.
        DataError: the source lacks the volumes that are asked for.
    """
    if isinstance(arm.baseline, Published):
        return verified_file(arm.baseline)
    if isinstance(arm.baseline, Pretrained) and source:
        assert arm.pretraining  # noqa: S101 (every arm with a source has one)
        return plan_pretraining(arm.baseline, source, arm.pretraining)
    return None


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
