"""AMOS22 (Ji et al. 2022): 15 abdominal structures in CT and in MR.

Labels: the released `dataset.json`, as `Downstream/monai/Amos/dataset_CT.json` of
https://github.com/Luffy03/Large-Scale-Medical at commit 1ad538b keeps it, and
`Downstream/monai/AMOS-MRI/AMOS_MRI.json` there; its `Amos/dataset/dataset.json` has FLARE22's list,
which is wrong. Images up to number 500 are CT: `Dataset218_Amos2022_task1.py` of
https://github.com/MIC-DKFZ/nnUNet at commit 0e49508, which tells the licence. Address and checksum
of the archive: `torch_em/data/datasets/medical/amos.py` of
https://github.com/constantinpape/torch-em at commit 30a7b56. The test labels are not public. Grids:
the `main.py` beside those lists. No maker's NSD tolerance was found: voxbench's own.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from voxbench.api import Archive, Source, TaskCard

from voxbench_tasks.place import Place
from voxbench_tasks.release import Release, numbered

_NAMES = (
    *("spleen", "right kidney", "left kidney", "gallbladder", "esophagus", "liver", "stomach"),
    *("aorta", "inferior vena cava", "pancreas", "right adrenal gland", "left adrenal gland"),
    *("duodenum", "bladder", "prostate or uterus"),
)
_CT, _MR = r"amos_0(?:[0-4]\d\d|500)", r"amos_0(?:5(?!00)\d\d|600)"
_CARD = TaskCard(
    name="amos-ct",
    modality="CT",
    channels=("CT",),
    classes=numbered(*_NAMES),
    spacing_mm=(1.5, 1.5, 1.5),
    tolerance_mm=dict.fromkeys(_NAMES, 2.0),
    licence="CC BY-SA 4.0",
    reference="Ji et al., AMOS, NeurIPS Datasets and Benchmarks (2022), arXiv:2206.08023",
    corpora=("AMOS",),
)


def _places(case: str) -> tuple[Place, ...]:
    return (
        Place("train", case, ("imagesTr/{case}",), "labelsTr/{case}"),
        Place("test", case, ("imagesVa/{case}",), "labelsVa/{case}"),
    )


@dataclass(frozen=True, kw_only=True)
class AmosCT(Release):
    """The CT: 200 train, the 100 of the published validation part are tested on."""

    folder: ClassVar[str] = "amos22"
    card: ClassVar[TaskCard] = _CARD
    places = _places(_CT)
    published = "of its authors, whose validation part is tested on"
    source = Source(
        where="Unpack amos22.zip of zenodo.org/records/7155725; 7262581 is a later one.",
        free=True,
        archives=(
            Archive(
                "https://zenodo.org/records/7155725/files/amos22.zip",
                "sha256:d2fbf2c31abba9824d183f05741ce187b17905b8cca64d1078eabf1ba96775c2",
            ),
        ),
        counts={"train": 200, "test": 100},
    )


@dataclass(frozen=True, kw_only=True)
class AmosMR(AmosCT):
    """The MR: 40 train, the 20 of the published validation part are tested on."""

    card: ClassVar[TaskCard] = _CARD.model_copy(
        update={
            "name": "amos-mr",
            "modality": "MR",
            "channels": ("MRI",),
            "spacing_mm": (1.5, 1.5, 3.0),
            "tolerance_mm": dict.fromkeys(_NAMES, 1.0),
        }
    )
    places = _places(_MR)
    source = replace(AmosCT.source, counts={"train": 40, "test": 20})
