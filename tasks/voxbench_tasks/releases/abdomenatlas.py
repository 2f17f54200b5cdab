"""AbdomenAtlas Mini (Qu et al. 2023, Li et al. 2024): a mask a structure, to pre-train with.

Names and order: README of https://github.com/MrGiovanni/SuPreM at commit 76e1a64, and
`Dataset224_AbdomenAtlas1.0.py` and `Dataset023_AbdomenAtlas1_1Mini.py` of
https://github.com/MIC-DKFZ/nnUNet at commit 0e49508. The latter tells that cases 5196 to 9262 of
1.1 have masks and no CT. The volumes are of BTCV, KiTS, LiTS, AMOS, WORD and others; no list says
which. There is no split, nor an NSD tolerance: voxbench's own. The grid is that of
`Downstream/monai/AbdomenAtlas/main.py` of https://github.com/Luffy03/Large-Scale-Medical.
"""

from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import Source, TaskCard

from voxbench_tasks.place import Place
from voxbench_tasks.release import Release, numbered

_NAMES = (
    *("aorta", "gall_bladder", "kidney_left", "kidney_right", "liver", "pancreas", "postcava"),
    *("spleen", "stomach", "adrenal_gland_left", "adrenal_gland_right", "bladder"),
    *("celiac_trunk", "colon", "duodenum", "esophagus", "femur_left", "femur_right"),
    *("hepatic_vessel", "intestine", "lung_left", "lung_right", "portal_vein_and_splenic_vein"),
    *("prostate", "rectum"),
)


def _card(version: str, names: tuple[str, ...], reference: str) -> TaskCard:
    return TaskCard(
        name=f"abdomenatlas-{version}",
        modality="CT",
        channels=("ct",),
        classes=numbered(*names),
        spacing_mm=(1.5, 1.5, 2.0),
        tolerance_mm=dict.fromkeys(names, 2.0),
        licence="CC BY-NC-SA 4.0",
        reference=reference,
        corpora=(f"AbdomenAtlas-{version}",),
    )


@dataclass(frozen=True, kw_only=True)
class AbdomenAtlas10(Release):
    """Version 1.0: 5195 CT, nine structures."""

    folder: ClassVar[str] = "AbdomenAtlas1.0Mini"
    card: ClassVar[TaskCard] = _card(
        "1.0", _NAMES[:9], "Qu et al., AbdomenAtlas-8K, NeurIPS (2023), arXiv:2305.09666"
    )
    places = (Place("all", r"BDMAP_\d{8}", ("{case}/ct",), "{case}/segmentations/{class}"),)
    published = "none: by patient"
    source = Source(
        where="Ask at huggingface.co for AbdomenAtlas/AbdomenAtlas1.0Mini.",
        counts={"all": 5195},
    )


@dataclass(frozen=True, kw_only=True)
class AbdomenAtlas11(AbdomenAtlas10):
    """Version 1.1: 9262 cases, 25 structures; the CT of some have to come from elsewhere."""

    folder: ClassVar[str] = "AbdomenAtlas1.1Mini"
    card: ClassVar[TaskCard] = _card("1.1", _NAMES, "Li et al., SuPreM, ICLR (2024)")
    source = Source(
        where="Ask at huggingface.co for AbdomenAtlas/_AbdomenAtlas1.1Mini.",
        counts={"all": 9262},
    )
