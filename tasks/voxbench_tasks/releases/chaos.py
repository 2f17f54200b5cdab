"""CHAOS (Kavur et al. 2021): abdominal organs in CT and MR, DICOM with a picture a slice.

Values: `Dataset047_Chaos_Challenge.py` of https://github.com/MIC-DKFZ/nnUNet, and
`build_chaos_dataset.py` of https://github.com/jonasteuwen/chaos-challenge, which agree that the
right kidney comes before the left; other code has them the other way round. The CT's masks have one
bit, whose white is 255. Pictures follow the slices by name, as both read them. Layout, address and
checksum: `torch_em/data/datasets/medical/chaos.py` of https://github.com/constantinpape/torch-em at
commit 0053265. CT and MR are of different people. T1 has two channels on one grid, in phase and out
of phase; T2 lies on another grid, of the same patients. The labels of the test part are not public.
Grids and NSD tolerances are voxbench's own. Reading DICOM takes SimpleITK. The archive's size is
that of a public record of its download, which has the same checksum.
"""

from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import Archive, Source, TaskCard

from voxbench_tasks.place import Place
from voxbench_tasks.release import Release

_ORGANS = {"liver": 63, "right kidney": 126, "left kidney": 189, "spleen": 252}
_CARD = TaskCard(
    name="chaos-ct",
    modality="CT",
    channels=("CT",),
    classes={"liver": 255},
    spacing_mm=(1.5, 1.5, 1.5),
    tolerance_mm={"liver": 2.0},
    licence="CC BY-NC-SA 4.0",
    reference="Kavur et al., CHAOS, Med Image Anal 69:101950 (2021)",
    corpora=("CHAOS",),
)
_MR = _CARD.model_copy(
    update={
        "modality": "MR",
        "classes": _ORGANS,
        "spacing_mm": (1.5, 1.5, 6.0),
        "tolerance_mm": dict.fromkeys(_ORGANS, 1.0),
    }
)


def _places(*images: str, label: str) -> tuple[Place, ...]:
    return (
        Place("all", r"\d+", tuple(f"Train_Sets/{one}" for one in images), f"Train_Sets/{label}"),
    )


@dataclass(frozen=True, kw_only=True)
class ChaosCT(Release):
    """The liver in 20 CT of donors, parted by patient."""

    folder: ClassVar[str] = "CHAOS"
    card: ClassVar[TaskCard] = _CARD
    places = _places("CT/{case}/DICOM_anon/", label="CT/{case}/Ground/")
    published = "none with public labels: by patient"
    source = Source(
        where="Unpack CHAOS_Train_Sets.zip of zenodo.org/records/3431873.",
        free=True,
        archives=(
            Archive(
                "https://zenodo.org/records/3431873/files/CHAOS_Train_Sets.zip",
                "sha256:535f7d3417a0e0f0d9133fb3d962423d2a9cf3f103e4f09a3d8a1daf87d5d2fc",
                size=890_771_694,
            ),
        ),
        counts={"all": 20},
    )


@dataclass(frozen=True, kw_only=True)
class ChaosT1(ChaosCT):
    """Four organs in 20 T1-weighted MR, in and out of phase, parted by patient."""

    card: ClassVar[TaskCard] = _MR.model_copy(
        update={"name": "chaos-t1", "channels": ("T1 in phase", "T1 out of phase")}
    )
    places = _places(
        "MR/{case}/T1DUAL/DICOM_anon/InPhase/",
        "MR/{case}/T1DUAL/DICOM_anon/OutPhase/",
        label="MR/{case}/T1DUAL/Ground/",
    )


@dataclass(frozen=True, kw_only=True)
class ChaosT2(ChaosCT):
    """Four organs in 20 T2-weighted MR with suppressed fat, parted by patient."""

    card: ClassVar[TaskCard] = _MR.model_copy(update={"name": "chaos-t2", "channels": ("T2 SPIR",)})
    places = _places("MR/{case}/T2SPIR/DICOM_anon/", label="MR/{case}/T2SPIR/Ground/")
