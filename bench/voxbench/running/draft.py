"""A first sweep for a folder of volumes: what lies there, and what to compare on it."""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from voxbench.api import Published, Task, TaskCard
from voxbench.data.folder_card import median_spacing
from voxbench.data.image import read_extent
from voxbench.data.patients import UnsettledPatientsError
from voxbench.data.split import split_cases
from voxbench.design.cell import Ref
from voxbench.errors import DataError, PluginError, WeightsError
from voxbench.paths import data_root
from voxbench.plugins import BASELINES, TASKS, find_baseline, find_task

_MULTIPLE = 32  # every axis of a patch: what each network that there is can divide
_LARGEST = 96
_ASKED = (
    'are these patients? "prefix" below keeps the cases of one together; say "case" if each shows '
    "another person, or name a file with columns case and patient"
)


class Survey(NamedTuple):
    """What a folder holds.

    Attributes:
        ref: the task that reads it, with the fields that it needs.
        card: of that task.
        cases: volumes, labelled if there are classes.
        patients: persons whom they show.
        train_patients: of them, those in the training part.
        spacing_mm: of the grid that networks work on, or the median of the files.
        size: median voxels along the three axes of that grid.
        notes: of the task, and what remains to be settled.
    """

    ref: Ref
    card: TaskCard
    cases: int
    patients: int
    train_patients: int
    spacing_mm: tuple[float, ...]
    size: tuple[int, ...]
    notes: tuple[str, ...]

    def told(self) -> list[str]:
        """In words, a line a fact."""
        card, size = self.card, " × ".join(map(str, self.size))
        spacing = " × ".join(f"{mm:g}" for mm in self.spacing_mm)
        return [
            f"{self.ref.name}: {self.cases} cases of {self.patients} patients, "
            f"{self.train_patients} of them in the training part",
            f"images: {', '.join(dict.fromkeys(card.modalities))} ({', '.join(card.channels)}), "
            f"in the median {size} voxels of {spacing} mm",
            f"classes: {', '.join(card.classes) or 'none; nobody labelled these images'}",
            *self.notes,
        ]


def survey(folder: Path) -> Survey:
    """Look at a folder with the task that recognises it.

    Raises:
        DataError: no task does, or its volumes are not what that task needs.
    """
    ref = _reader(folder.resolve())
    task, asked = find_task(ref), False
    try:
        split = split_cases(task)
    except UnsettledPatientsError:
        ref = Ref.of(ref.name, {**ref.values, "patients": "prefix"})
        task, asked = find_task(ref), True
        split = split_cases(task)
    cases = [*split.train, *split.validation, *split.test] or [*split.unlabelled]
    images = [case.images[0] for case in cases]
    spacing = task.card.spacing_mm or median_spacing(images)
    extents = zip(*map(read_extent, images), strict=True)
    return Survey(
        ref=ref,
        card=task.card,
        cases=len(cases),
        patients=len({case.patient for case in cases}),
        train_patients=len({case.patient for case in split.train or split.unlabelled}),
        spacing_mm=spacing,
        size=tuple(round(median(mm) / s) for mm, s in zip(extents, spacing, strict=True)),
        notes=(*task.notes, *([_ASKED] if asked else [])),
    )


def _reader(folder: Path) -> Ref:
    """The task for a folder, with its place: one that knows it by name, else by its layout."""
    tasks = dict(_tasks())
    found = [name for name, task in tasks.items() if task.recognises(folder)]
    if not found:
        layouts = [f"{task.layout} ({name})" for name, task in tasks.items() if task.layout]
        folders = [f"{task.folder} ({name})" for name, task in tasks.items() if task.folder]
        raise DataError(
            f"{folder}: no task reads this layout. Looked for {'; '.join(layouts)}; and for a "
            f"folder called {', '.join(folders)}. Bring it into one of these, or write a task."
        )
    name = min(found, key=lambda name: tasks[name].folder is None)
    root = data_root().resolve()
    if folder.parent == root and folder.name == tasks[name].folder:
        return Ref(name)
    below = folder.relative_to(root) if folder.is_relative_to(root) else folder
    return Ref.of(name, {"root": str(below)})


def _tasks() -> Iterator[tuple[str, type[Task]]]:
    """Those that can be imported."""
    for name in TASKS.plugins():
        try:
            yield name, TASKS.find(name)
        except PluginError:
            continue


def draft(found: Survey) -> str:
    """The text of a sweep file that compares scratch, weights made here and ImageNet's.

    Images without labels are its source alone: what they are fine-tuned on is left to be named.
    """
    told = "".join(f"# {line}\n" for line in found.told())
    task = _table(found.ref)
    source = "the training part itself; a larger set of the same kind is better"
    if not found.card.classes:
        task, source = _UNNAMED, "the images of this folder"
    shots = [f'"{count} shot{"s" if count > 1 else ""}"' for count in _shots(found)]
    patch = ", ".join(str(_side(size)) for size in found.size)
    return f"""{told}name = "{found.card.name}"
fractions = [{", ".join([*shots, "1.0"])}]  # of the training patients, nested
seeds = 3  # trainings of every arm: more of them settle more

[[tasks]]
{task}
# what is compared; any baseline of `voxbench ls baselines` can stand here

[[baselines]]
name = "scratch"  # random initialisation, which the others are held against
# size = "tiny"  # without a GPU, here and below: a thirtieth of the parameters

[[baselines]]
name = "masked-autoencoder"  # pre-trained here, without labels
source = "own"

{_imagenet()}
[sources.own]  # {source}
{_table(found.ref)}
[recipe]  # fine-tuning, the same for every arm
steps = 1000
patch = [{patch}]  # voxels

[pretraining]  # the same for all weights that are made here
steps = 2000
patch = [{patch}]
"""


_UNNAMED = """name = "nnunet-folder"  # a task with labels, which the images of this folder lack
root = "FOLDER"
"""


def _shots(found: Survey) -> list[int]:
    return [count for count in (1, 3, 10) if 2 * count <= found.train_patients][-2:]


def _side(size: int) -> int:
    """The largest side of a patch that lies within so many voxels."""
    return max(_MULTIPLE, min(_LARGEST, size // _MULTIPLE * _MULTIPLE))


def _table(ref: Ref) -> str:
    values = "".join(f"{key} = {json.dumps(value)}\n" for key, value in ref.fields)
    return f'name = "{ref.name}"\n{values}'


def _imagenet() -> str:
    """A baseline with ImageNet's weights that lie here; else how to come by them."""
    missing = ""
    for name in BASELINES.plugins():
        try:
            baseline = find_baseline(name)
            if isinstance(baseline, Published) and baseline.card.strategy == "imagenet":
                baseline.file()
                return f'[[baselines]]\nname = "{name}"\n'
        except PluginError:
            continue
        except WeightsError as error:
            missing = missing or f'# {error}\n# [[baselines]]\n# name = "{name}"\n'
    return missing
