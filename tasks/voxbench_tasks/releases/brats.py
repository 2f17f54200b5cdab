"""BraTS, glioma, of 2021 and 2023 (Baid et al. 2021): tumour regions in four MR sequences.

2021: `Dataset137_BraTS21.py` of https://github.com/MIC-DKFZ/nnUNet at commit 0e49508 reads the
files and refuses labels but 1, 2 and 4, of which it makes the three regions. 2023 calls the
enhancing tumour 3: README of https://github.com/Madovah/IRM-segemntation-with-BRATZ2023-2D, and
`Dataset226_BraTS2024-BraTS-GLI.py` of nnU-Net for the edition after it. The Decathlon's brain
tumours are numbered otherwise. Validation and test labels are not public. No maker's NSD tolerance
was checked: voxbench's own.
"""

from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import Source, TaskCard

from voxbench_tasks.place import Place
from voxbench_tasks.release import Release

_CARD = TaskCard(
    name="brats21",
    modality="MR",
    channels=("T1", "T1ce", "T2", "FLAIR"),
    classes={"whole tumour": (1, 2, 4), "tumour core": (1, 4), "enhancing tumour": 4},
    spacing_mm=(1.0, 1.0, 1.0),
    tolerance_mm={"whole tumour": 1.0, "tumour core": 1.0, "enhancing tumour": 1.0},
    licence="terms of the challenge: synapse.org, syn25829067",
    reference="Baid et al., The RSNA-ASNR-MICCAI BraTS 2021 Benchmark, arXiv:2107.02314 (2021)",
    corpora=("BraTS 2021",),
)


@dataclass(frozen=True, kw_only=True)
class Brats21(Release):
    """The 1251 cases of 2021, parted by patient."""

    folder: ClassVar[str] = "BraTS2021_Training_Data"
    card: ClassVar[TaskCard] = _CARD
    places = (
        Place(
            "all",
            r"BraTS2021_\d{5}",
            tuple(f"{{case}}/{{case}}_{name}" for name in ("t1", "t1ce", "t2", "flair")),
            "{case}/{case}_seg",
        ),
    )
    published = "none with public labels: by patient"
    source = Source(
        where="Ask at synapse.org for syn25829067.",
        counts={"all": 1251},
    )


@dataclass(frozen=True, kw_only=True)
class Brats23(Release):
    """Adult glioma of 2023, parted by patient: the same patients as in 2021, numbered anew."""

    folder: ClassVar[str] = "ASNR-MICCAI-BraTS2023-GLI-Challenge-TrainingData"
    card: ClassVar[TaskCard] = _CARD.model_copy(
        update={
            "name": "brats23-gli",
            "classes": {"whole tumour": (1, 2, 3), "tumour core": (1, 3), "enhancing tumour": 3},
            "licence": "terms of the challenge: synapse.org, syn51156910",
            "corpora": ("BraTS 2023",),
        }
    )
    places = (
        Place(
            "all",
            r"BraTS-GLI-\d{5}-\d{3}",
            tuple(f"{{case}}/{{case}}-{name}" for name in ("t1n", "t1c", "t2w", "t2f")),
            "{case}/{case}-seg",
        ),
    )
    published = "none with public labels: by patient"
    source = Source(
        where="Ask at synapse.org for syn51156910.",
        counts={"all": 1251},
    )

    def patient(self, case: str) -> str:
        """Who is told before the number of the visit."""
        return case.rpartition("-")[0]
