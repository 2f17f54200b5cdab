"""WORD (Luo et al. 2022): 16 structures in 150 CT.

Labels: `Downstream/monai/Word/dataset/dataset.json` of
https://github.com/Luffy03/Large-Scale-Medical at commit 1ad538b, whose grid this is, and
`resources/WORD.md` of https://github.com/openmedlab/Awesome-Medical-Dataset, which has the same
order; a list that sorts the values as texts (1, 10, 11, …, 2) is wrong. Licence: README of
https://github.com/HiLab-git/WORD at commit c5ab397, where the test labels are, too. No maker's NSD
tolerance exists: voxbench's own.
"""

from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import Source, TaskCard

from voxbench_tasks.place import Place
from voxbench_tasks.release import Release, numbered

_NAMES = (
    *("liver", "spleen", "left kidney", "right kidney", "stomach", "gallbladder", "esophagus"),
    *("pancreas", "duodenum", "colon", "intestine", "adrenal", "rectum", "bladder"),
    *("left head of femur", "right head of femur"),
)


@dataclass(frozen=True, kw_only=True)
class Word(Release):
    """100 train, 20 validate, 30 are tested on."""

    folder: ClassVar[str] = "WORD"
    card: ClassVar[TaskCard] = TaskCard(
        name="word",
        modality="CT",
        channels=("CT",),
        classes=numbered(*_NAMES),
        spacing_mm=(1.5, 1.5, 1.5),
        tolerance_mm=dict.fromkeys(_NAMES, 2.0),
        licence="GPL 3.0; academic research only",
        reference="Luo et al., WORD, Med Image Anal 82:102642 (2022)",
        corpora=("WORD",),
    )
    places = (
        Place("train", r"word_\d{4}", ("imagesTr/{case}",), "labelsTr/{case}"),
        Place("validation", r"word_\d{4}", ("imagesVal/{case}",), "labelsVal/{case}"),
        Place("test", r"word_\d{4}", ("imagesTs/{case}",), "labelsTs/{case}"),
    )
    published = "of its authors"
    source = Source(
        where="Ask at github.com/HiLab-git/WORD; labelsTs come as a zip of that repository.",
        free=True,
        counts={"train": 100, "validation": 20, "test": 30},
    )
