"""What a pre-training is made of; without torch, so that planning a sweep can ask."""

import dataclasses
import json
import random
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from voxbench.api import Baseline, Case, Preprocessing, Pretrained, Task
from voxbench.data.content_hash import cases_hash
from voxbench.data.dataset import Dataset, open_dataset, open_images
from voxbench.data.union import own_cases, unite
from voxbench.data.voxel_size import kernel_spacing
from voxbench.design.cell import Ref, digest
from voxbench.design.kernels import Spacing
from voxbench.design.recipe import Pretraining, deciding
from voxbench.design.seeds import stream
from voxbench.design.versions import augmentation_version
from voxbench.errors import DataError, SpecError
from voxbench.fields import identifying
from voxbench.paths import cache_dir
from voxbench.plugins import BASELINES, find_baseline
from voxbench.pretrain import PRETRAINING_VERSION

CARD = "made.json"
"""In the folder of weights that are made here: written last, it says that they are finished."""


@dataclasses.dataclass(frozen=True)
class PretrainingPlan:
    """Weights to be made here, with all that decides them.

    Attributes:
        baseline: whose backbone and objective.
        source: data set that gives images and, where they are used, labels.
        cases: its training cases that are used; those for validation and test never are.
        schedule: steps, patch, seed.
        donor: of the weights that this one changes; None if it is trained itself.
        kernel_spacing: voxel size that decides the network's kernels; None where they are cubes.
        identity: name of the weights: a hash over all that decides them, and no path.

    Raises:
        DataError: a file of the cases is missing, or the header of an image can't be read.
    """

    baseline: Pretrained
    source: Dataset
    cases: tuple[Case, ...]
    schedule: Pretraining
    donor: "PretrainingPlan | None" = None
    kernel_spacing: Spacing | None = dataclasses.field(init=False)
    identity: str = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        spacing = kernel_spacing(self.source, self.grid, self.schedule)
        object.__setattr__(self, "kernel_spacing", spacing)
        object.__setattr__(self, "identity", self._hash())

    def preprocessing(self, dataset: Dataset) -> Preprocessing:
        """The baseline's input contract on a data set, else the data set's own grid and values."""
        contract, card = self.baseline.card.contract, dataset.card
        return contract.on(card.modalities) if contract else card.preprocessing

    @property
    def grid(self) -> Preprocessing:
        """That of the patches: of a union, its first data set's."""
        return self.preprocessing(self.members[0][0])

    @cached_property
    def members(self) -> list[tuple[Dataset, list[Case]]]:
        """The data sets that the cases are of, each with its own; one if the source is no union."""
        if self.source.members:
            return list(own_cases(self.source, self.cases))
        return [(self.source, [*self.cases])]

    def _hash(self) -> str:
        card = self.source.card
        fields = identifying(self.baseline, dataclasses.asdict(self.baseline))
        for name in ("source", "volumes"):  # their content enters as the hash of the cases
            del fields[name]
        fields.pop("decoder", None)  # what a cell loads of the weights, which hold all
        version = self.baseline.version
        return digest(
            {
                **({"donor": self.donor.identity} if self.donor else {}),
                "version": PRETRAINING_VERSION,
                **({"objective": version} if version > 1 else {}),
                **self.source.mirroring.identity,
                **augmentation_version(self.schedule),
                "baseline": [self.baseline.card.name, fields],
                "channels": len(card.channels),
                "classes": list(card.parts.items()),
                **({} if card.ignore is None else {"ignore": card.ignore}),
                **(self._of_union() if self.source.members else self._of_one()),
                "pretraining": deciding(self.schedule.model_dump(mode="json")),
            }
        )[:20]

    def _of_one(self) -> dict[str, object]:
        preprocessing = self.preprocessing(self.source).model_dump(mode="json")
        return {"preprocessing": preprocessing, "data": cases_hash(self.cases)}

    def _of_union(self) -> dict[str, object]:
        return {
            "union": [
                [
                    dataset.card.name,
                    list(dataset.card.parts.items()),
                    dataset.card.ignore,
                    self.preprocessing(dataset).model_dump(mode="json"),
                    cases_hash(cases),
                ]
                for dataset, cases in self.members
            ]
        }


def made_folder(identity: str) -> Path:
    """Where weights lie, by their name."""
    return cache_dir() / "weights" / identity


def seconds_made(identity: str) -> float | None:
    """What making weights took, by their card; None where there are none."""
    try:
        card = json.loads((made_folder(identity) / CARD).read_text(encoding="utf-8"))
        return float(card["seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def plan_pretraining(
    baseline: Pretrained, source: Dataset, schedule: Pretraining
) -> PretrainingPlan:
    """Choose the cases of a pre-training and find its donor.

    Args:
        baseline: what is pre-trained.
        source: on whose training cases.
        schedule: how.

    Raises:
        DataError: the source lacks the volumes that are asked for.
        SpecError: the donor is not pre-trained here, or the schedule can't train the objective.
        PluginError: there is no such donor.
    """
    if reason := baseline.unfit_schedule(schedule):
        raise SpecError(f"{baseline.card.name}: {reason}")
    donor = find_donor(baseline)
    if schedule.parts > 1 and not donor and not baseline.divisible:
        raise SpecError(
            f"{baseline.card.name}: its loss looks at the whole batch at once, so that "
            "pretraining.devices and micro_batch would change it; give it the keys "
            f"`pretraining = {{ devices = 1, micro_batch = {schedule.batch} }}` of its own."
        )
    chosen = choose_volumes(
        baseline, source.card.name, source.split.train, schedule.seed, union=bool(source.members)
    )
    return PretrainingPlan(
        baseline,
        source,
        chosen,
        schedule,
        plan_pretraining(donor, source, schedule) if donor else None,
    )


def open_source(baseline: Pretrained, *tasks: Task) -> Dataset:
    """Tasks as a baseline is pre-trained on them: their images alone where no labels are used.

    Args:
        baseline: what is pre-trained.
        tasks: one, or several that are united.

    Raises:
        DataError: a file is missing, or the cases can't be split.
        SpecError: labels are used and there are none; the tasks can't be united; the donor is not
            pre-trained here.
    """
    labels = uses_labels(baseline)
    found = [open_dataset(task) if labels else open_images(task) for task in tasks]
    if labels and (bare := [one.card.name for one in found if not one.split.labelled]):
        of_it = f" ({', '.join(bare)})" if found[1:] else ""
        raise SpecError(
            f"{baseline.card.name}: is trained on labels, and its source {baseline.source!r}{of_it}"
            " has none; name a source with labels, or a baseline that needs none."
        )
    return unite(found, baseline.source) if found[1:] else found[0]


def uses_labels(baseline: Pretrained) -> bool:
    """Whether a baseline, or the donor that it changes, is trained on labels.

    Raises:
        SpecError, PluginError: as `find_donor`.
    """
    return (find_donor(baseline) or baseline).needs_labels


def find_donor(baseline: Pretrained) -> Pretrained | None:
    """The baseline whose weights this one changes, or None if it is trained itself.

    Raises:
        SpecError: the donor is not pre-trained here.
        PluginError: there is no such baseline.
    """
    if baseline.donor is None:
        return None
    name, fields = baseline.donor
    if not issubclass(BASELINES.find(name), Pretrained):
        raise SpecError(
            f"{baseline.card.name}: its donor {name!r} is not pre-trained here; name a baseline "
            "that is, for instance supervised."
        )
    found = find_baseline(Ref.of(name, fields))
    assert isinstance(found, Pretrained)  # noqa: S101 (for the type checker)
    return found


def objective_version(baseline: Baseline | None) -> dict[str, str]:
    """`objective` → that of what weights made here are trained for; nothing where it is the first.

    Args:
        baseline: of the weights; None where they are not made here.

    Raises:
        SpecError, PluginError: as `find_donor`.
    """
    versions = []
    while isinstance(baseline, Pretrained):
        versions.append(baseline.version)
        baseline = find_donor(baseline)
    changed = any(version > 1 for version in versions)
    return {"objective": ".".join(map(str, versions))} if changed else {}


def choose_volumes(
    baseline: Pretrained, source: str, train: Sequence[Case], seed: int, *, union: bool = False
) -> tuple[Case, ...]:
    """The first `baseline.volumes` of a source's training cases, sorted by id.

    Patients are put in one random order a seed and their cases follow one another, so that
    fewer volumes are always a subset of more. The patients of a union are put in order data set by
    data set, and taken in turn so that each has given the same share of its own at any number.

    Args:
        baseline: says how many.
        source: what messages call it.
        train: its training cases.
        seed: of the order.
        union: the patients are called `<data set>/<name>`.

    Raises:
        DataError: there are fewer.
    """
    count = len(train) if baseline.volumes is None else baseline.volumes
    if not 0 < count <= len(train):
        raise DataError(
            f"{baseline.card.name}: volumes = {count}, but source {source!r} has "
            f"{len(train)} training cases; ask for 1 to {len(train)}."
        )
    groups: dict[str, set[str]] = {}
    for case in train:
        groups.setdefault(case.patient.partition("/")[0] if union else "", set()).add(case.patient)
    turn: dict[str, float] = {}
    for group in groups.values():
        patients = sorted(group)
        random.Random(stream("volumes", seed=seed)).shuffle(patients)  # noqa: S311 (no secret)
        turn |= {patient: (n + 0.5) / len(patients) for n, patient in enumerate(patients)}
    ordered = sorted(train, key=lambda case: (turn[case.patient], case.id))
    return tuple(sorted(ordered[:count], key=lambda case: case.id))
