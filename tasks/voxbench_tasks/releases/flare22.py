"""FLARE22 (Ma et al. 2024): 13 structures in 50 CT.

Labels and NSD tolerances: `FLARE22/Evaluation/FLARE22_DSC_NSD_Eval.py` of
https://github.com/JunMa11/FLARE at commit aad2cc2, and `Downstream/monai/Flare22/dataset.json` of
https://github.com/Luffy03/Large-Scale-Medical at commit 1ad538b, whose split and grid these are; a
list that sorts the values as texts (1, 10, 11, …, 2) is wrong. The labels of the challenge's tuning
and test parts are not public. The makers score the aorta, the vena cava and the esophagus in their
labelled slices alone; voxbench does with `scoring = "flare22"`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import Archive, Part, Source, TaskCard

from voxbench_tasks.place import Place
from voxbench_tasks.release import Release, numbered

_NAMES = (
    *("liver", "right kidney", "spleen", "pancreas", "aorta", "inferior vena cava"),
    *("right adrenal gland", "left adrenal gland", "gallbladder", "esophagus", "stomach"),
    *("duodenum", "left kidney"),
)
_TOLERANCES = (5.0, 3.0, 3.0, 5.0, 2.0, 2.0, 2.0, 2.0, 2.0, 3.0, 5.0, 7.0, 3.0)


@dataclass(frozen=True, kw_only=True)
class Flare22(Release):
    """40 train, the first ten are tested on."""

    folder: ClassVar[str] = "FLARE22Train"
    card: ClassVar[TaskCard] = TaskCard(
        name="flare22",
        modality="CT",
        channels=("CT",),
        classes=numbered(*_NAMES),
        spacing_mm=(1.5, 1.5, 1.5),
        tolerance_mm=dict(zip(_NAMES, _TOLERANCES, strict=True)),
        licence="CC BY-NC-SA 4.0",
        reference="Ma et al., FLARE22, Lancet Digit Health 6:e815 (2024), arXiv:2308.05862",
        corpora=("FLARE22",),
    )
    places = (Place("train", r"FLARE22_Tr_\d{4}", ("images/{case}_0000",), "labels/{case}"),)
    held_out: ClassVar[Mapping[Part, tuple[str, ...]]] = {
        "test": tuple(f"FLARE22_Tr_{number:04d}" for number in range(1, 11))
    }
    published = "the field's 40 and 10 (dataset.json of VoCo)"
    source = Source(
        where="Unpack FLARE22Train.zip of zenodo.org/records/7860267.",
        free=True,
        archives=(
            Archive(
                "https://zenodo.org/records/7860267/files/FLARE22Train.zip",
            ),
        ),
        counts={"train": 40, "test": 10},
    )
