"""LiTS (Bilic et al. 2023): liver and its tumours in 131 CT.

Labels: `Task029_LiverTumorSegmentationChallenge.py` of https://github.com/MIC-DKFZ/MultiTalent at
commit 0bc7b2c reads the files, `Downstream/monai/LiTs/dataset_lits.json` of
https://github.com/Luffy03/Large-Scale-Medical at commit 1ad538b has the values and the grid, and
`resources/LiTS.md` of https://github.com/openmedlab/Awesome-Medical-Dataset the folders. On the
licence sources disagree. The test labels are not public. The volumes are also those of MSD's liver
task. No maker's NSD tolerance was found: voxbench's own.
"""

from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import Source, TaskCard

from voxbench_tasks.place import Place
from voxbench_tasks.release import Release, numbered


@dataclass(frozen=True, kw_only=True)
class Lits(Release):
    """All labelled cases, parted by patient."""

    folder: ClassVar[str] = "LiTS"
    card: ClassVar[TaskCard] = TaskCard(
        name="lits",
        modality="CT",
        channels=("CT",),
        classes=numbered("liver", "tumour"),
        spacing_mm=(1.5, 1.5, 1.5),
        tolerance_mm={"liver": 2.0, "tumour": 2.0},
        licence="CC BY-NC-ND 4.0, or CC BY-SA 4.0 by other sources",
        reference="Bilic et al., LiTS, Med Image Anal 84:102680 (2023)",
        corpora=("LiTS",),
    )
    places = (Place("all", r"\d{1,3}", ("*/volume-{case}",), "*/segmentation-{case}"),)
    published = "none with public labels: by patient"
    source = Source(
        where="Unpack both training batches of codalab.org's competition 17094.",
        counts={"all": 131},
    )
