"""ACDC (Bernard et al. 2018): the ventricles of 150 patients in cine MR, two frames each.

Labels: `Dataset027_ACDC.py` of https://github.com/MIC-DKFZ/nnUNet at commit 0e49508, and
`torch_em/data/datasets/medical/acdc.py` of https://github.com/constantinpape/torch-em at commit
6f71247; M&Ms has another order. The 4D series and what lies unlabelled in them are not read. The
grid is that of `Downstream/monai/ACDC/main.py` of https://github.com/Luffy03/Large-Scale-Medical.
No maker's NSD tolerance was found: voxbench's own. The five folds are those of
`create_ACDC_split` of nnU-Net's file, rebuilt by its rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from voxbench.api import Source, TaskCard

from voxbench_tasks.place import Place
from voxbench_tasks.release import Release, numbered

_TRAINING = 100  # patients, whom nnU-Net divides
_CASE = r"patient\d{3}_frame\d{2}"


@dataclass(frozen=True, kw_only=True)
class ACDC(Release):
    """The end-diastolic and end-systolic frames: 100 patients train, 50 are tested on."""

    folder: ClassVar[str] = "ACDC"
    card: ClassVar[TaskCard] = TaskCard(
        name="acdc",
        modality="MR",
        channels=("cine MRI",),
        classes=numbered("right ventricle", "myocardium", "left ventricle"),
        spacing_mm=(1.0, 1.0, 5.0),
        tolerance_mm={"right ventricle": 1.0, "myocardium": 1.0, "left ventricle": 1.0},
        licence="terms of the challenge: research, not commercial",
        reference="Bernard et al., ACDC, IEEE TMI 37:2514 (2018)",
        corpora=("ACDC",),
    )
    places = tuple(
        Place(part, _CASE, (f"{below}{part}ing/*/{{case}}",), f"{below}{part}ing/*/{{case}}_gt")
        for below in ("database/", "")
        for part in ("train", "test")
    )
    published = "of its authors"
    source = Source(
        where="Unpack ACDC.zip of humanheart-project.creatis.insa-lyon.fr/database.",
        counts={"train": 200, "test": 100},
    )

    def patient(self, case: str) -> str:
        """Both frames show one."""
        return case.partition("_")[0]

    def folds(self, of: int) -> Mapping[str, int] | None:
        """nnU-Net's five of the whole training part: its names, shuffled, are dealt out in turn."""
        patients = sorted({case.patient for case in self.cases().get("train", ())})
        if of != 5 or len(patients) != _TRAINING:
            return None
        shuffled = np.array(patients)
        np.random.RandomState(1234).shuffle(shuffled)
        return {str(patient): place % of for place, patient in enumerate(shuffled)}
