"""QUBIQ 2021: the pancreas, and lesions of it, in CT that two raters outlined.

Layout and counts: `resources/QUBIQ2021.md` of https://github.com/openmedlab/Awesome-Medical-Dataset
at commit 1599c08; loaders of participants read a folder `Training` or `Validation` below, which may
be there or not, and find two raters in each case. The other structures of the challenge are single
slices, not volumes. A label is 1 in the mask of one rater; where one truth is wanted, it is the
first rater's. Cases `1-1` and `1-2` count as one patient. As the files have lost their voxel size,
grid and NSD tolerance are in voxels. The licence is not told.
"""

from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import Part, Source, TaskCard

from voxbench_tasks.place import Place
from voxbench_tasks.release import Release

_FOLDERS: tuple[tuple[Part, str, str], ...] = (
    ("train", "training_data_v3_QC", "Training/"),
    ("test", "validation_data_qubiq2021_QC", "Validation/"),
)
_CARD = TaskCard(
    name="qubiq21-pancreas",
    modality="CT",
    channels=("CT",),
    classes={"pancreas": 1},
    spacing_mm=(1.0, 1.0, 1.0),
    tolerance_mm={"pancreas": 1.0},
    licence="terms of the challenge: qubiq21.grand-challenge.org",
    reference="Li et al., QUBIQ, arXiv:2405.18435 (2024)",
    corpora=("QUBIQ21",),
)


def _places(structure: str) -> tuple[Place, ...]:
    return tuple(
        Place(
            part,
            r"case\d+(?:-\d+)?",
            (f"{folder}/{structure}/{below}{{case}}/image",),
            f"{folder}/{structure}/{below}{{case}}/task01_seg01",
            raters={
                rater: f"{folder}/{structure}/{below}{{case}}/task01_seg{rater}"
                for rater in ("01", "02")
            },
        )
        for part, folder, deeper in _FOLDERS
        for below in ("", deeper)
    )


@dataclass(frozen=True, kw_only=True)
class QubiqPancreas(Release):
    """The pancreas: the published validation part is tested on; both raters are kept."""

    folder: ClassVar[str] = "QUBIQ21"
    card: ClassVar[TaskCard] = _CARD
    places = _places("pancreas")
    published = "of its authors, whose validation part is tested on"
    source = Source(where="Sign up at qubiq21.grand-challenge.org.", counts={"train": 40})

    def patient(self, case: str) -> str:
        """Who is told before the number of the image."""
        return case.partition("-")[0]


@dataclass(frozen=True, kw_only=True)
class QubiqLesion(QubiqPancreas):
    """Lesions of the pancreas: the published validation part is tested on; both raters are kept."""

    card: ClassVar[TaskCard] = _CARD.model_copy(
        update={
            "name": "qubiq21-pancreatic-lesion",
            "classes": {"pancreatic lesion": 1},
            "tolerance_mm": {"pancreatic lesion": 1.0},
        }
    )
    places = _places("pancreatic-lesion")
    source = Source(where="Sign up at qubiq21.grand-challenge.org.", counts={"train": 22})
