"""ToothFairy2 (Bolelli et al. 2024): jaws, canals, sinuses and teeth in cone-beam CT.

Values: `Dataset119_ToothFairy2_All.py` of https://github.com/MIC-DKFZ/nnUNet at commit 0e49508
takes 42 of the 48 of `dataset.json`, 1 to 18, 21 to 28, 31 to 38 and 41 to 48; teeth have their
number of the FDI. Names: `labels_map` of MedVision's benchmark of ToothFairy2, and the list of that
`dataset.json` as solutions of the challenge keep it, agree. Window and NSD tolerance are voxbench's
own. Reading MHA takes SimpleITK.
"""

from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import Source, TaskCard

from voxbench_tasks.place import Place
from voxbench_tasks.release import Release, numbered

_TEETH = (
    *("central incisor", "lateral incisor", "canine", "first premolar", "second premolar"),
    *("first molar", "second molar", "third molar"),
)
_QUADRANTS = {10: "upper right", 20: "upper left", 30: "lower left", 40: "lower right"}
_CLASSES = numbered(
    *("lower jawbone", "upper jawbone", "left inferior alveolar canal"),
    *("right inferior alveolar canal", "left maxillary sinus", "right maxillary sinus"),
    *("pharynx", "bridge", "crown", "implant"),
) | {
    f"{quadrant} {tooth}": ten + number
    for ten, quadrant in _QUADRANTS.items()
    for number, tooth in enumerate(_TEETH, start=1)
}


@dataclass(frozen=True, kw_only=True)
class ToothFairy2(Release):
    """All public cases, parted by patient."""

    folder: ClassVar[str] = "Dataset112_ToothFairy2"
    card: ClassVar[TaskCard] = TaskCard(
        name="toothfairy2",
        modality="CT",
        channels=("CBCT",),
        classes=_CLASSES,
        spacing_mm=(0.3, 0.3, 0.3),
        tolerance_mm=dict.fromkeys(_CLASSES, 1.0),
        window=(-1000.0, 3000.0),
        licence="CC BY-SA",
        reference="Bolelli et al., ToothFairy2, IEEE TMI (2024), doi 10.1109/TMI.2024.3523096",
        corpora=("ToothFairy2",),
    )
    places = (
        Place("all", r"ToothFairy2[A-Z]_\d{3}", ("imagesTr/{case}_0000",), "labelsTr/{case}"),
    )
    published = "none with public labels: by patient"
    source = Source(
        where="Ask at ditto.ing.unimore.it/toothfairy2.",
    )
