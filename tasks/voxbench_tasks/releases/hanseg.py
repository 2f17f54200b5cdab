"""HaN-Seg (Podobnik et al. 2023): 30 organs at risk of head and neck in 42 CT.

Names: `resources/HaN-Seg.md` of https://github.com/openmedlab/Awesome-Medical-Dataset, where one
case misses one structure, and part 558 of the label maps of CADS (github.com/murong-xu/CADS), which
leaves out the spinal cord. Layout: `torch_em/data/datasets/medical/han_seg.py` of
https://github.com/constantinpape/torch-em at commit 6f71247. The MR beside each CT is not
registered to it and is not read. The test part is not public. Grid and NSD tolerance are
voxbench's own. Reading NRRD takes SimpleITK. The archive's size is that of a public record of its
download.
"""

from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import Archive, Source, TaskCard

from voxbench_tasks.place import Place
from voxbench_tasks.release import Release, numbered

_NAMES = (
    *("A_Carotid_L", "A_Carotid_R", "Arytenoid", "Bone_Mandible", "Brainstem", "BuccalMucosa"),
    *("Cavity_Oral", "Cochlea_L", "Cochlea_R", "Cricopharyngeus", "Esophagus_S", "Eye_AL"),
    *("Eye_AR", "Eye_PL", "Eye_PR", "Glnd_Lacrimal_L", "Glnd_Lacrimal_R", "Glnd_Submand_L"),
    *("Glnd_Submand_R", "Glnd_Thyroid", "Glottis", "Larynx_SG", "Lips", "OpticChiasm"),
    *("OpticNrv_L", "OpticNrv_R", "Parotid_L", "Parotid_R", "Pituitary", "SpinalCord"),
)


@dataclass(frozen=True, kw_only=True)
class HaNSeg(Release):
    """All public cases, parted by patient; a structure without a mask is not annotated."""

    folder: ClassVar[str] = "HaN-Seg"
    card: ClassVar[TaskCard] = TaskCard(
        name="han-seg",
        modality="CT",
        channels=("CT",),
        classes=numbered(*_NAMES),
        spacing_mm=(1.0, 1.0, 2.0),
        tolerance_mm=dict.fromkeys(_NAMES, 2.0),
        licence="CC BY-ND 4.0",
        reference="Podobnik et al., HaN-Seg, Med Phys 50:1917 (2023)",
        corpora=("HaN-Seg",),
    )
    places = (
        Place(
            "all",
            r"case_\d{2}",
            ("set_1/{case}/{case}_IMG_CT",),
            "set_1/{case}/{case}_OAR_{class}.seg",
        ),
    )
    published = "none with public labels: by patient"
    source = Source(
        where="Unpack HaN-Seg.zip of zenodo.org/records/7442914.",
        free=True,
        archives=(
            Archive(
                "https://zenodo.org/records/7442914/files/HaN-Seg.zip",
                "sha256:20226dd717f334dc1b1afe961b3375f946fa56b64a80bf5349128f90c0bbfa5f",
                size=4_938_848_306,
            ),
        ),
        counts={"all": 42},
    )
