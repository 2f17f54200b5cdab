"""ATLAS v2.0 (Liew et al. 2022): lesions of stroke in 655 T1-weighted MR of 33 cohorts, as BIDS.

Not the ATLAS of liver tumours. Layout: `resources` of
https://github.com/openmedlab/Awesome-Medical-Dataset at commit 81da0ee and the loaders of public
solutions agree. The labels of the test parts are not public. No maker's NSD tolerance was found:
voxbench's own.
"""

from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import Source, TaskCard

from voxbench_tasks.place import Place
from voxbench_tasks.release import Release

_FILES = "Training/*/*/*/anat/{case}_space-MNI152NLin2009aSym"


@dataclass(frozen=True, kw_only=True)
class Atlas2(Release):
    """All labelled scans, parted by patient."""

    folder: ClassVar[str] = "ATLAS_2"
    card: ClassVar[TaskCard] = TaskCard(
        name="atlas-2",
        modality="MR",
        channels=("T1w",),
        classes={"lesion": 1},
        spacing_mm=(1.0, 1.0, 1.0),
        tolerance_mm={"lesion": 1.0},
        licence="terms of a form",
        reference="Liew et al., ATLAS v2.0, Sci Data 9:320 (2022)",
        corpora=("ATLAS-2",),
    )
    places = (
        Place(
            "all",
            r"sub-r\d{3}s\d{3}_ses-\d+",
            (f"{_FILES}_T1w",),
            f"{_FILES}_label-L_desc-T1lesion_mask",
        ),
    )
    published = "none with public labels: by patient"
    source = Source(
        where="Ask at fcon_1000.projects.nitrc.org, INDI, ATLAS R2.0.",
        counts={"all": 655},
    )

    def patient(self, case: str) -> str:
        """Who is told before the session."""
        return case.partition("_")[0]
