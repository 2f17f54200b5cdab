"""CURVAS (Riera-Marín et al. 2024): three abdominal organs in 90 CT, by three raters each.

Values: `evaluation_metrics/metrics.py` of https://github.com/SYCAI-Technologies/curvas-challenge,
whose text names 1 pancreas, 2 kidney, 3 liver; `torch_em/data/datasets/medical/curvas.py` of
https://github.com/constantinpape/torch-em at commit 22471f5 names them in this order and reads the
same layout. Both kidneys are one class. Where one truth is wanted, it is the first rater's. No
maker's NSD tolerance was found: voxbench's own, as is the grid.
"""

from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import Part, Source, TaskCard

from voxbench_tasks.place import Place
from voxbench_tasks.release import Release, numbered

_RATERS = ("1", "2", "3")
_FOLDERS: dict[Part, str] = {
    "train": "training_set", "validation": "validation_set", "test": "testing_set",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Curvas(Release):
    """20 CT train, 5 validate, 65 are tested on; each rater is kept."""

    folder: ClassVar[str] = "CURVAS"
    card: ClassVar[TaskCard] = TaskCard(
        name="curvas",
        modality="CT",
        channels=("CT",),
        classes=numbered("pancreas", "kidney", "liver"),
        spacing_mm=(1.5, 1.5, 1.5),
        tolerance_mm={"pancreas": 2.0, "kidney": 2.0, "liver": 2.0},
        licence="not told; zenodo.org/records/12687192",
        reference="Riera-Marín et al., CURVAS challenge results, arXiv:2505.08685 (2025)",
        corpora=("CURVAS",),
    )
    places = tuple(
        Place(
            part,
            r"[^/]+",
            (f"{folder}/{{case}}/image",),
            f"{folder}/{{case}}/annotation_1",
            raters={rater: f"{folder}/{{case}}/annotation_{rater}" for rater in _RATERS},
        )
        for part, folder in _FOLDERS.items()
    )
    published = "of its authors"
    source = Source(
        where="Unpack training_set.zip, validation_set.zip and testing_set.zip of "
        "zenodo.org/records/12687192 beside one another; `zip -FF` mends the first one's index.",
        free=True,
        counts={"train": 20, "validation": 5, "test": 65},
    )
