"""Scratch here beside nnU-Net's own trainer: one network, equal steps, patches and recipe.

`nox -s nnunet` installs nnU-Net beside voxbench and runs this. Both train the same network on the
same training cases of the hippocampus with the same optimiser, rates, batch, patches and mirrored
axes; normalisation, sampling, augmentation, loss, prediction and test-time mirroring are each
side's own. Test cases are scored alike.

    nox -s nnunet -- [--steps 500] [--seeds 3] [--size tiny] [--work DIR]
"""

import argparse
import json
import os
import random
import shutil
import tempfile
from pathlib import Path
from statistics import fmean, stdev

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

ID, NAME = 901, "Dataset901_Hippocampus"
PATCH, BATCH, RATE = [32, 32, 32], 2, 0.005
EPOCH = 10  # steps: nnU-Net changes its rate once an epoch
AXES = {"S": 0, "A": 1, "R": 2}  # as SimpleITK orders the arrays of these images


def main() -> None:
    """Prepare, let both train, and print the table."""
    options = _options()
    work = options.work or Path(tempfile.mkdtemp(prefix="nnunet-"))
    for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
        os.environ[name] = str(work / name)
    os.environ |= {"nnUNet_compile": "f", "nnUNet_n_proc_DA": "1", "nnUNet_def_n_proc": "1"}
    dataset = stage(work)
    os.environ |= {"nnUNet_n_proc_DA": "0"}  # planning there needs one, training here none
    theirs = [nnunet(options, dataset, work, seed) for seed in range(options.seeds)]
    ours = train_ours(options, work / f"ours-{options.size}-{options.steps}")
    print(
        f"{options.steps} steps, batch {BATCH}, patch {PATCH}, AdamW {RATE}, U-Net {options.size}"
    )
    for name, found in (("nnU-Net's trainer", theirs), ("voxbench", ours)):
        spread = f" ± {stdev(found):.3f}" if len(found) > 1 else ""
        print(f"{name:18} Dice {fmean(found):.3f}{spread}  {[round(dice, 3) for dice in found]}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--size", default="tiny")
    parser.add_argument("--work", type=Path)
    return parser.parse_args()


def stage(work: Path) -> Dataset:
    """The task in nnU-Net's raw layout, planned and prepared there, with our split and patches."""
    dataset = open_dataset(find_task(Ref("msd-hippocampus")))
    split, raw = dataset.split, work / "nnUNet_raw" / NAME
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
    _prepare(work / "nnUNet_preprocessed" / NAME, split)
    return dataset


def _prepare(prepared: Path, split: Split) -> None:
    from nnunetv2.experiment_planning.plan_and_preprocess_api import (
        extract_fingerprints,
        plan_experiments,
        preprocess,
    )

    if (prepared / "splits_final.json").exists():
        return
    extract_fingerprints([ID], num_processes=1)
    plan_experiments([ID])
    plans = json.loads((prepared / "nnUNetPlans.json").read_text())
    plans["configurations"]["3d_fullres"] |= {"patch_size": PATCH, "batch_size": BATCH}
    (prepared / "nnUNetPlans.json").write_text(json.dumps(plans))
    preprocess([ID], configurations=("3d_fullres",), num_processes=(1,))
    parts = {"train": split.train, "val": split.validation}
    fold = {name: [case.id for case in cases] for name, cases in parts.items()}
    (prepared / "splits_final.json").write_text(json.dumps([fold]))


def nnunet(options: argparse.Namespace, dataset: Dataset, work: Path, seed: int) -> float:
    """The mean Dice of one training of nnU-Net's."""
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    predicted = work / "predicted" / f"{options.size}-{options.steps}-{seed}"
    if not predicted.exists():
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 (nnU-Net draws from the global generator)
        torch.manual_seed(seed)
        prepared = work / "nnUNet_preprocessed" / NAME
        plans, description = (
            json.loads((prepared / f"{name}.json").read_text())
            for name in ("nnUNetPlans", "dataset")
        )
        axes = tuple(sorted(AXES[axis] for axis in dataset.mirroring.axes))
        cpu = torch.device("cpu")
        plans["continue_training"] = False
        trainer = _trainer(options, axes)(plans, "3d_fullres", 0, description, device=cpu)
        trainer.run_training()
        predictor = nnUNetPredictor(device=cpu, perform_everything_on_device=False)
        predictor.manual_initialization(
            trainer.network, trainer.plans_manager, trainer.configuration_manager,
            [trainer.network.state_dict()], description, type(trainer).__name__, axes,
        )  # fmt: skip
        unfinished = predicted.with_name(f"{predicted.name}.part")
        unfinished.mkdir(parents=True, exist_ok=True)
        tests = work / "nnUNet_raw" / NAME / "imagesTs"
        predictor.predict_from_files_sequential(str(tests), str(unfinished), overwrite=True)
        unfinished.rename(predicted)
    return _scored(predicted, dataset)


def _trainer(options: argparse.Namespace, axes: tuple[int, ...]):
    """nnU-Net's trainer with our network, optimiser and rates, on the same axes."""
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    recipe = Recipe(steps=options.steps, learning_rate=RATE)

    class Trainer(nnUNetTrainer):
        def initialize(self):
            self.num_epochs = -(-options.steps // EPOCH)
            self.num_iterations_per_epoch = EPOCH
            self.num_val_iterations_per_epoch = 1
            self.enable_deep_supervision = False
            self.disable_checkpointing = True
            super().initialize()

        @staticmethod
        def build_network_architecture(plans_manager, *_others):
            scratch = find_baseline(Ref.of("scratch", {"size": options.size}))
            return Segmenter(scratch.backbone(1), 2)

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
                self.network.parameters(), lr=RATE, weight_decay=recipe.weight_decay
            )
            rates = torch.optim.lr_scheduler.LambdaLR(
                chosen, lambda epoch: factor((epoch or 0) * EPOCH, recipe)
            )
            rates_step = rates.step
            rates.step = lambda *_epoch: rates_step()
            return chosen, rates

    return Trainer


def train_ours(options: argparse.Namespace, folder: Path) -> list[float]:
    """The mean Dice of each seed of scratch."""
    voxbench.run(
        {
            "name": "beside-nnunet",
            "tasks": ["msd-hippocampus"],
            "baselines": [{"name": "scratch", "size": options.size}],
            "seeds": options.seeds,
            "recipe": {
                "steps": options.steps, "batch": BATCH, "patch": PATCH, "learning_rate": RATE,
            },
        },
        folder,
    )  # fmt: skip
    return [
        fmean(score.dice for case in record.cases for score in case.classes.values())
        for record in voxbench.load_records(folder)
    ]


def _scored(folder: Path, dataset: Dataset) -> float:
    found = []
    for case in dataset.split.test:
        truth = nibabel.load(case.label)
        predicted = nibabel.load(folder / f"{case.id}.nii.gz")
        scores = voxbench.evaluate(
            *(np.asarray(one.dataobj).astype(np.uint8) for one in (predicted, truth)),
            dataset.card.classes, truth.header.get_zooms()[:3], dataset.card.tolerance_mm,
        )  # fmt: skip
        found += [score.dice for score in scores.values()]
    return fmean(found)


if __name__ == "__main__":
    main()
