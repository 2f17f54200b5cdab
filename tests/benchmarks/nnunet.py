"""Scratch here beside nnU-Net's own trainer: one network, equal steps, patches and recipe.

`nox -s nnunet` installs nnU-Net beside voxbench and runs this. Both train the same network on the
same training cases of the hippocampus (Decathlon) and the heart (MS-CMRSeg) with the same
optimiser, rates, clipping, batch, patches and mirrored axes, in training and at test time;
normalisation, sampling, augmentation, loss and windows are each side's own. Test cases are scored
alike.

    nox -s nnunet -- [hippocampus heart] [--steps 500] [--seeds 3] [--size tiny] [--work DIR]
                     [--csv FILE]
"""

import argparse
import csv
import json
import os
import random
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import nibabel
import numpy as np
import torch
import voxbench
from voxbench.data.dataset import Dataset, open_dataset
from voxbench.data.split import Split
from voxbench.design.cell import Ref
from voxbench.design.recipe import Recipe
from voxbench.fit.optim import factor
from voxbench.model.segmenter import Segmenter
from voxbench.plugins import find_baseline, find_task

EPOCH = 10  # steps: nnU-Net changes its rate once an epoch
CONFIGURATION = "3d_fullres"
AXES = {"S": 0, "A": 1, "R": 2}  # as SimpleITK orders the arrays of these images
CPU = torch.device("cpu")


class Comparison(NamedTuple):
    """What both sides train: nnU-Net's number of the data, a sweep's task, a recipe."""

    number: int
    task: Mapping[str, str]
    recipe: Recipe

    @property
    def name(self) -> str:
        """As nnU-Net names data."""
        return f"Dataset{self.number}_{self.task.get('title', self.task['name'])}"

    def dataset(self) -> Dataset:
        """The task's cases, split and mirrored axes."""
        fields = {key: value for key, value in self.task.items() if key != "name"}
        return open_dataset(find_task(Ref.of(self.task["name"], fields)))


class Dice(NamedTuple):
    """A row of the table: the mean over the test cases."""

    task: str
    steps: int
    trainer: str
    seed: int
    structure: str
    dice: float


_SHARED: dict[str, Any] = {
    "learning_rate": 0.005, "gradient_clip": 12.0, "test_time_mirroring": True,
}  # fmt: skip
_HEART = {
    "name": "nnunet-folder", "root": "Dataset602_MSCMR", "title": "ms-cmrseg", "patients": "case",
}  # fmt: skip
COMPARISONS = {
    "hippocampus": Comparison(
        901, {"name": "msd-hippocampus"}, Recipe(steps=500, patch=(32, 32, 32), **_SHARED)
    ),
    "heart": Comparison(
        902, _HEART, Recipe(steps=600, patch=(48, 48, 8), dummy_2d=True, **_SHARED)
    ),
}


def main() -> None:
    """Let both train each task, print the table and write it down."""
    options = _options()
    work = options.work or Path(tempfile.mkdtemp(prefix="nnunet-"))
    for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
        os.environ[name] = str(work / name)
    os.environ |= {"nnUNet_compile": "f", "nnUNet_def_n_proc": "1"}
    rows: list[Dice] = []
    for task in options.tasks:
        found = list(compared(task, options, work))
        shown(found)
        rows += found
    if options.csv:
        written(rows, options.csv)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("tasks", nargs="*", default=list(COMPARISONS), metavar="TASK")
    parser.add_argument("--steps", type=int, help="of each task, in place of 500 and 600")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--size", default="tiny")
    parser.add_argument("--work", type=Path)
    parser.add_argument("--csv", type=Path)
    return parser.parse_args()


def compared(task: str, options: argparse.Namespace, work: Path) -> Iterator[Dice]:
    """What both reach with every seed."""
    comparison = COMPARISONS[task]
    if options.steps:
        recipe = comparison.recipe.model_copy(update={"steps": options.steps})
        comparison = comparison._replace(recipe=recipe)
    steps, dataset = comparison.recipe.steps, comparison.dataset()
    stage(comparison, dataset, work)
    for seed in range(options.seeds):
        theirs = nnunet(comparison, dataset, work, options.size, seed)
        for structure, dice in theirs.items():
            yield Dice(task, steps, "nnU-Net", seed, structure, dice)
    folder = work / f"ours-{task}-{options.size}-{steps}"
    for seed, ours in enumerate(train_ours(comparison, options, folder)):
        for structure, dice in ours.items():
            yield Dice(task, steps, "voxbench", seed, structure, dice)


def shown(rows: Iterable[Dice]) -> None:
    """Mean and range over the seeds, of the structures' mean."""
    found: dict[tuple[str, int, str], dict[int, list[float]]] = {}
    for row in rows:
        found.setdefault(row[:3], {}).setdefault(row.seed, []).append(row.dice)
    for (task, steps, trainer), seeds in found.items():
        means = [fmean(dices) for dices in seeds.values()]
        spread = f"({min(means):.3f} to {max(means):.3f})"
        print(f"{task:12} {steps} steps  {trainer:9} Dice {fmean(means):.3f} {spread}")


def written(rows: Iterable[Dice], file: Path) -> None:
    """The rows as CSV."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(Dice._fields)
        table.writerows(row._replace(dice=f"{row.dice:.6f}") for row in rows)


def stage(comparison: Comparison, dataset: Dataset, work: Path) -> None:
    """The task in nnU-Net's raw layout, planned and prepared there, with our split and patches."""
    split, raw = dataset.split, work / "nnUNet_raw" / comparison.name
    for folder in ("imagesTr", "labelsTr", "imagesTs"):
        (raw / folder).mkdir(parents=True, exist_ok=True)
    for part, folder in ((split.train, "Tr"), (split.validation, "Tr"), (split.test, "Ts")):
        for case in part:
            shutil.copy(case.images[0], raw / f"images{folder}" / f"{case.id}_0000.nii.gz")
            if folder == "Tr":
                shutil.copy(case.label, raw / "labelsTr" / f"{case.id}.nii.gz")
    description = {
        "channel_names": {"0": "MRI"},
        "labels": {"background": 0, **dataset.card.classes},
        "numTraining": len(split.train) + len(split.validation),
        "file_ending": ".nii.gz",
    }
    (raw / "dataset.json").write_text(json.dumps(description))
    _prepare(comparison, split, work / "nnUNet_preprocessed" / comparison.name)


def _prepare(comparison: Comparison, split: Split, prepared: Path) -> None:
    from nnunetv2.experiment_planning.plan_and_preprocess_api import (
        extract_fingerprints,
        plan_experiments,
        preprocess,
    )

    if (prepared / "splits_final.json").exists():
        return
    os.environ |= {"nnUNet_n_proc_DA": "1"}  # planning needs one process
    extract_fingerprints([comparison.number], num_processes=1)
    plan_experiments([comparison.number])
    plans = json.loads((prepared / "nnUNetPlans.json").read_text())
    assert plans["transpose_forward"] == [0, 1, 2], "AXES are those of arrays that are not turned"
    recipe = comparison.recipe
    sizes = {"patch_size": recipe.patch[::-1], "batch_size": recipe.batch}
    plans["configurations"][CONFIGURATION] |= sizes
    (prepared / "nnUNetPlans.json").write_text(json.dumps(plans))
    preprocess([comparison.number], configurations=(CONFIGURATION,), num_processes=(1,))
    parts = {"train": split.train, "val": split.validation}
    fold = {name: [case.id for case in cases] for name, cases in parts.items()}
    (prepared / "splits_final.json").write_text(json.dumps([fold]))


def nnunet(
    comparison: Comparison, dataset: Dataset, work: Path, size: str, seed: int
) -> dict[str, float]:
    """The Dice of one training of nnU-Net's, by structure."""
    steps = comparison.recipe.steps
    predicted = work / "predicted" / f"{comparison.name}-{size}-{steps}-{seed}"
    if not predicted.exists():
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 (nnU-Net draws from the global generator)
        torch.manual_seed(seed)
        os.environ |= {"nnUNet_n_proc_DA": "0"}  # training needs none
        trainer = _trained(comparison, dataset, work / "nnUNet_preprocessed", size)
        unfinished = predicted.with_name(f"{predicted.name}.part")
        unfinished.mkdir(parents=True, exist_ok=True)
        _predict(trainer, work / "nnUNet_raw" / comparison.name / "imagesTs", unfinished)
        unfinished.rename(predicted)
    return _scored(predicted, dataset)


def _trained(comparison: Comparison, dataset: Dataset, prepared: Path, size: str):
    plans, description = (
        json.loads((prepared / comparison.name / f"{name}.json").read_text())
        for name in ("nnUNetPlans", "dataset")
    )
    plans["continue_training"] = False
    axes = tuple(sorted(AXES[axis] for axis in dataset.mirroring.axes))
    kind = _trainer(comparison.recipe, len(dataset.card.classes), size, axes)
    trainer = kind(plans, CONFIGURATION, 0, description, device=CPU)
    trainer.run_training()
    return trainer


def _trainer(recipe: Recipe, classes: int, size: str, axes: tuple[int, ...]):
    """nnU-Net's trainer with our network, optimiser and rates, on the same axes."""
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    class Trainer(nnUNetTrainer):
        def initialize(self):
            self.num_epochs = -(-recipe.steps // EPOCH)
            self.num_iterations_per_epoch = EPOCH
            self.num_val_iterations_per_epoch = 1
            self.enable_deep_supervision = False
            self.disable_checkpointing = True
            self.logger.plot_progress_png = lambda _folder: None  # longer than the epoch's steps
            super().initialize()

        @staticmethod
        def build_network_architecture(plans_manager, *_others):
            scratch = find_baseline(Ref.of("scratch", {"size": size}))
            return Segmenter(scratch.backbone(1), classes)

        def set_deep_supervision_enabled(self, enabled):
            pass

        def configure_rotation_dummyDA_mirroring_and_inital_patch_size(self):  # noqa: N802
            rotation, flat, initial, _ = (
                super().configure_rotation_dummyDA_mirroring_and_inital_patch_size()
            )
            self.inference_allowed_mirroring_axes = axes
            return rotation, flat, initial, axes

        def configure_optimizers(self):
            chosen = torch.optim.AdamW(
                self.network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
            )
            rates = torch.optim.lr_scheduler.LambdaLR(
                chosen, lambda epoch: factor((epoch or 0) * EPOCH, recipe)
            )
            rates_step = rates.step
            rates.step = lambda *_epoch: rates_step()
            return chosen, rates

    return Trainer


def _predict(trainer, images: Path, into: Path) -> None:
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    predictor = nnUNetPredictor(device=CPU, perform_everything_on_device=False)
    predictor.manual_initialization(
        trainer.network, trainer.plans_manager, trainer.configuration_manager,
        [trainer.network.state_dict()], trainer.dataset_json, type(trainer).__name__,
        trainer.inference_allowed_mirroring_axes,
    )  # fmt: skip
    predictor.predict_from_files_sequential(str(images), str(into), overwrite=True)


def train_ours(
    comparison: Comparison, options: argparse.Namespace, folder: Path
) -> list[dict[str, float]]:
    """The Dice of each seed of scratch, by structure."""
    sweep = {
        "name": "beside-nnunet",
        "tasks": [comparison.task],
        "baselines": [{"name": "scratch", "size": options.size}],
        "seeds": options.seeds,
        "recipe": comparison.recipe.model_dump(mode="json"),
    }
    voxbench.run(sweep, folder)
    records = sorted(voxbench.load_records(folder), key=lambda record: record.arm.seed)
    return [_means(case.classes for case in record.cases) for record in records]


def _scored(folder: Path, dataset: Dataset) -> dict[str, float]:
    return _means(
        _scores(folder / f"{case.id}.nii.gz", case, dataset) for case in dataset.split.test
    )


def _scores(file: Path, case: Any, dataset: Dataset):
    truth, predicted = nibabel.load(case.label), nibabel.load(file)
    labels = (np.asarray(one.dataobj).astype(np.uint8) for one in (predicted, truth))
    spacing = truth.header.get_zooms()[:3]
    return voxbench.evaluate(*labels, dataset.card.classes, spacing, dataset.card.tolerance_mm)


def _means(cases: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    found = list(cases)
    return {name: fmean(scores[name].dice for scores in found) for name in found[0]}


if __name__ == "__main__":
    main()
