"""AbdomenCT-1K (Ma et al. 2022): four organs in 1000 CT.

Labels: `Downstream/monai/Abdomen1k/dataset_abdomen1k.json` of
https://github.com/Luffy03/Large-Scale-Medical at commit 1ad538b, whose grid this is, and the order
in `resources/AbdomenCT-1K.md` of https://github.com/openmedlab/Awesome-Medical-Dataset. Layout: the
archives as they are (AbdomenCT-1K-ImagePart1 to 3 and Mask), or as that page shows them. Some of
the images have no label. No split is published for the whole, nor an NSD tolerance: voxbench's own.
The volumes come from LiTS, KiTS, the Decathlon and others; persons may be in it twice.
"""

from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import Source, TaskCard

from voxbench_tasks.place import Place
from voxbench_tasks.release import Release, numbered

_NAMES = ("liver", "kidney", "spleen", "pancreas")
_CASE = r"Case_\d{5}"


@dataclass(frozen=True, kw_only=True)
class AbdomenCT1K(Release):
    """All labelled cases, parted by patient; the other images may pre-train."""

    folder: ClassVar[str] = "AbdomenCT-1K"
    card: ClassVar[TaskCard] = TaskCard(
        name="abdomenct-1k",
        modality="CT",
        channels=("CT",),
        classes=numbered(*_NAMES),
        spacing_mm=(1.5, 1.5, 1.5),
        tolerance_mm=dict.fromkeys(_NAMES, 2.0),
        licence="not told; asked for by a form",
        reference="Ma et al., AbdomenCT-1K, IEEE TPAMI 44:6695 (2022)",
        corpora=("AbdomenCT-1K",),
    )
    places = (
        Place("all", _CASE, ("AbdomenCT-1K-ImagePart*/{case}_0000",), "Mask/{case}", partly=True),
        Place("all", _CASE, ("imagesTr/{case}_0000",), "labels/{case}"),
    )
    published = "none of the whole: by patient"
    source = Source(
        where="Ask at github.com/JunMa11/AbdomenCT-1K.",
    )
