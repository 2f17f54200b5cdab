"""KiTS23 (Heller et al. 2023): kidneys, tumours and cysts in 489 CT, scored as regions.

Labels, regions and NSD tolerances: `kits23/configuration/labels.py` of
https://github.com/neheller/kits23 at commit c108835, whose README has the licence of the data;
`Dataset220_KiTS2023.py` of https://github.com/MIC-DKFZ/nnUNet at commit 0e49508 has the same
regions. The grid is that of `Downstream/monai/KiTs/main.py` of
https://github.com/Luffy03/Large-Scale-Medical. The test part is not public.
"""

from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import Source, TaskCard

from voxbench_tasks.place import Place
from voxbench_tasks.release import Release


@dataclass(frozen=True, kw_only=True)
class Kits23(Release):
    """All labelled cases, parted by patient."""

    folder: ClassVar[str] = "kits23"
    card: ClassVar[TaskCard] = TaskCard(
        name="kits23",
        modality="CT",
        channels=("CT",),
        classes={"kidney and mass": (1, 2, 3), "mass": (2, 3), "tumour": 2},
        spacing_mm=(1.5, 1.5, 1.5),
        tolerance_mm={
            "kidney and mass": 1.0330772532,
            "mass": 1.1328796489,
            "tumour": 1.1498198361,
        },
        licence="CC BY-NC-SA 4.0",
        reference="Heller et al., The KiTS21 Challenge, arXiv:2307.01984 (2023)",
        corpora=("KiTS",),
    )
    places = tuple(
        Place("all", r"case_\d{5}", (f"{below}{{case}}/imaging",), f"{below}{{case}}/segmentation")
        for below in ("dataset/", "")
    )
    published = "none with public labels: by patient"
    source = Source(
        where="Clone github.com/neheller/kits23 and run kits23_download_data.",
        free=True,
        counts={"all": 489},
    )
