"""The ten tasks of the Medical Segmentation Decathlon (Antonelli et al. 2022).

Numbers, names, channels and labels are those of the published `dataset.json` files; the values and
channels of the lists in `Downstream/monai` of https://github.com/Luffy03/Large-Scale-Medical at
commit 1ad538b agree for all ten, which call the colon's class and the prostate's second otherwise.
Of the 64 cases that are announced for the lung 63 were released; the other counts are those of the
pages `MSD_*.md` and `LiTS.md` in `resources` of
https://github.com/openmedlab/Awesome-Medical-Dataset at commit 81da0ee. Addresses and checksums of
the archives are those of MONAI's `DecathlonDataset`. The grids are the median spacings that
nnU-Net's full resolution uses (Isensee et al. 2021). The NSD tolerances are voxbench's own: 1 mm
for the hippocampus, whose voxels are 1 mm, 2 mm elsewhere. The five folds are those of
`nnunetv2/utilities/crossval_split.py` of https://github.com/MIC-DKFZ/nnUNet at commit 47766ae,
rebuilt by its rule; the hippocampus has none, since they divide its people.
The challenge's test labels are not public: its training cases are split by patient here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from voxbench.api import Archive, Case, Part, PublicTask, Source, TaskCard
from voxbench.toolkit import DatasetJson, stem_of


def _card(
    name: str,
    channels: tuple[str, ...],
    classes: tuple[str, ...],
    spacing_mm: tuple[float, float, float],
    tolerance_mm: float = 2.0,
    window: tuple[float, float] = (-175.0, 250.0),
    corpora: tuple[str, ...] = (),
) -> TaskCard:
    return TaskCard(
        name=f"msd-{name}",
        modality="CT" if channels == ("CT",) else "MR",
        channels=channels,
        classes={label: value for value, label in enumerate(classes, start=1)},
        spacing_mm=spacing_mm,
        tolerance_mm=dict.fromkeys(classes, tolerance_mm),
        window=window,
        licence="CC-BY-SA 4.0",
        reference="Antonelli et al., The Medical Segmentation Decathlon, Nat Commun 13:4128 (2022)",
        corpora=(f"msd-{name}", *corpora),
    )


def _source(name: str, md5: str, cases: int) -> Source:
    url = f"https://msd-for-monai.s3-us-west-2.amazonaws.com/{name}.tar"
    return Source(
        where=f"Unpack {name}.tar of medicaldecathlon.com.",
        free=True,
        archives=(Archive(url, f"md5:{md5}"),),
        counts={"all": cases},
    )


@dataclass(frozen=True, kw_only=True)
class Decathlon(PublicTask):
    """A folder as the Decathlon publishes it: `dataset.json`, `imagesTr/`, `labelsTr/`."""

    def cases(self) -> Mapping[Part, Sequence[Case]]:
        """The published training cases."""
        archive = f"{self.folder}.tar of medicaldecathlon.com"
        hint = f"Unpack {archive} there, or set `root` or VOXBENCH_DATA."
        described = DatasetJson.read(self.root / "dataset.json", hint)
        cases = [self._case(image, label) for image, label in described.training]
        return {"all": sorted(cases, key=lambda case: case.id)}

    def released(self) -> Mapping[Part, Sequence[Case]]:
        """The published training cases."""
        return self.cases()

    def _case(self, image: Path, label: Path) -> Case:
        name = stem_of(image.name) or image.name
        return Case(id=name, images=(image,), label=label, patient=self.patient(name))

    def patient(self, case: str) -> str:
        """Who a case shows; each is a patient of its own, unless a task knows better."""
        return case

    def folds(self, of: int) -> Mapping[str, int] | None:
        """nnU-Net's five: its cases, shuffled, are cut into five runs."""
        cases = [case.id for case in self.cases()["all"]]
        if of != 5 or any(self.patient(case) != case for case in cases):
            return None
        shuffled = np.array(cases)
        np.random.RandomState(12345).shuffle(shuffled)
        runs = np.array_split(shuffled, of)
        return {str(case): fold for fold, run in enumerate(runs) for case in run}


@dataclass(frozen=True, kw_only=True)
class BrainTumour(Decathlon):
    """Task 1: glioma in multi-parametric MR."""

    folder: ClassVar[str] = "Task01_BrainTumour"
    source = _source("Task01_BrainTumour", "240a19d752f0d9e9101544901065d872", 484)
    card: ClassVar[TaskCard] = _card(
        "braintumour",
        ("FLAIR", "T1w", "t1gd", "T2w"),
        ("edema", "non-enhancing tumor", "enhancing tumour"),
        (1.0, 1.0, 1.0),
        corpora=("brats-2016", "brats-2017"),
    )


@dataclass(frozen=True, kw_only=True)
class Heart(Decathlon):
    """Task 2: left atrium in MR."""

    folder: ClassVar[str] = "Task02_Heart"
    source = _source("Task02_Heart", "06ee59366e1e5124267b774dbd654057", 20)
    card: ClassVar[TaskCard] = _card("heart", ("MRI",), ("left atrium",), (1.25, 1.25, 1.37))


@dataclass(frozen=True, kw_only=True)
class Liver(Decathlon):
    """Task 3: liver and its tumours in portal-venous CT."""

    folder: ClassVar[str] = "Task03_Liver"
    source = _source("Task03_Liver", "a90ec6c4aa7f6a3d087205e23d4e6397", 131)
    card: ClassVar[TaskCard] = _card(
        "liver", ("CT",), ("liver", "cancer"), (0.77, 0.77, 1.0), corpora=("lits",)
    )


@dataclass(frozen=True, kw_only=True)
class Hippocampus(Decathlon):
    """Task 4: anterior and posterior hippocampus in cropped T1 MR.

    Cases 2k − 1 and 2k are the two sides of one scan: their intensities are whole multiples of one
    factor, which 71 of 71 such pairs share to eight digits and none of 60 pairs 2k, 2k + 1 does
    (`tests/benchmarks/patients.py`). Case 245 shares the factor of 299 and 300, perhaps by chance;
    they count as one patient.
    """

    folder: ClassVar[str] = "Task04_Hippocampus"
    source = _source("Task04_Hippocampus", "9d24dba78a72977dbd1d2e110310f31b", 260)
    card: ClassVar[TaskCard] = _card(
        "hippocampus", ("MRI",), ("Anterior", "Posterior"), (1.0, 1.0, 1.0), tolerance_mm=1.0
    )

    def patient(self, case: str) -> str:
        """The scan that a case was cropped from."""
        number = case.rpartition("_")[2]
        if not number.isdecimal():
            return case
        scan = (int(number) + 1) // 2
        return f"scan_{123 if scan == 150 else scan:03d}"


@dataclass(frozen=True, kw_only=True)
class Prostate(Decathlon):
    """Task 5: peripheral and transition zone in T2 and ADC."""

    folder: ClassVar[str] = "Task05_Prostate"
    source = _source("Task05_Prostate", "35138f08b1efaef89d7424d2bcc928db", 32)
    card: ClassVar[TaskCard] = _card("prostate", ("T2", "ADC"), ("PZ", "TZ"), (0.62, 0.62, 3.6))


@dataclass(frozen=True, kw_only=True)
class Lung(Decathlon):
    """Task 6: lung cancer in CT."""

    folder: ClassVar[str] = "Task06_Lung"
    source = _source("Task06_Lung", "8afd997733c7fc0432f71255ba4e52dc", 63)
    card: ClassVar[TaskCard] = _card(
        "lung", ("CT",), ("cancer",), (0.79, 0.79, 1.24), window=(-1000.0, 400.0)
    )


@dataclass(frozen=True, kw_only=True)
class Pancreas(Decathlon):
    """Task 7: pancreas and its masses in portal-venous CT."""

    folder: ClassVar[str] = "Task07_Pancreas"
    source = _source("Task07_Pancreas", "4f7080cfca169fa8066d17ce6eb061e4", 281)
    card: ClassVar[TaskCard] = _card("pancreas", ("CT",), ("pancreas", "cancer"), (0.8, 0.8, 2.5))


@dataclass(frozen=True, kw_only=True)
class HepaticVessel(Decathlon):
    """Task 8: hepatic vessels and tumours in CT."""

    folder: ClassVar[str] = "Task08_HepaticVessel"
    source = _source("Task08_HepaticVessel", "641d79e80ec66453921d997fbf12a29c", 303)
    card: ClassVar[TaskCard] = _card(
        "hepaticvessel", ("CT",), ("Vessel", "Tumour"), (0.8, 0.8, 1.5)
    )


@dataclass(frozen=True, kw_only=True)
class Spleen(Decathlon):
    """Task 9: spleen in CT."""

    folder: ClassVar[str] = "Task09_Spleen"
    source = _source("Task09_Spleen", "410d4a301da4e5b2f6f86ec3ddba524e", 41)
    card: ClassVar[TaskCard] = _card("spleen", ("CT",), ("spleen",), (0.79, 0.79, 1.6))


@dataclass(frozen=True, kw_only=True)
class Colon(Decathlon):
    """Task 10: primary colon cancer in CT."""

    folder: ClassVar[str] = "Task10_Colon"
    source = _source("Task10_Colon", "bad7a188931dc2f6acf72b08eb6202d0", 126)
    card: ClassVar[TaskCard] = _card(
        "colon", ("CT",), ("colon cancer primaries",), (0.78, 0.78, 3.0)
    )
