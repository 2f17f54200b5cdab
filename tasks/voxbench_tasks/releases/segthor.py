"""SegTHOR (Lambert et al. 2020): four thoracic organs at risk in 40 CT.

Labels and layout: `Task055_SegTHOR.py` of https://github.com/MIC-DKFZ/MultiTalent at commit
0bc7b2c; `Downstream/monai/SegThor/dataset.json` of https://github.com/Luffy03/Large-Scale-Medical
at commit 1ad538b has the same values, and the grid is that of the `main.py` beside it; a picture in
OML's `SegTHOR.md` is coloured in another order. The test labels are not public. No maker's NSD
tolerance was found: voxbench's own.
"""

from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import Source, TaskCard

from voxbench_tasks.place import Place
from voxbench_tasks.release import Release, numbered

_NAMES = ("esophagus", "heart", "trachea", "aorta")


@dataclass(frozen=True, kw_only=True)
class SegThor(Release):
    """All labelled cases, parted by patient."""

    folder: ClassVar[str] = "SegTHOR"
    card: ClassVar[TaskCard] = TaskCard(
        name="segthor",
        modality="CT",
        channels=("CT",),
        classes=numbered(*_NAMES),
        spacing_mm=(1.5, 1.5, 1.5),
        tolerance_mm=dict.fromkeys(_NAMES, 2.0),
        licence="terms of the challenge: codalab.org, competition 21145",
        reference="Lambert et al., SegTHOR, IPTA (2020), doi 10.1109/IPTA50016.2020.9286453",
        corpora=("SegTHOR",),
    )
    places = (Place("all", r"Patient_\d{2}", ("train/{case}/{case}",), "train/{case}/GT"),)
    published = "none with public labels: by patient"
    source = Source(
        where="Join codalab.org's competition 21145.",
        counts={"all": 40},
    )
