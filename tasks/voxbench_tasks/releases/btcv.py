"""BTCV, abdomen (Landman et al. 2015): 13 structures in 30 CT.

Labels: `Task017_BeyondCranialVaultAbdominalOrganSegmentation.py` of
https://github.com/MIC-DKFZ/MultiTalent at commit 0bc7b2c, and `ABDOMEN_ORGANS` of
`torch_em/data/datasets/medical/btcv.py` of https://github.com/constantinpape/torch-em at commit
6f71247. The labels of the challenge's test part are not public; the field tests on the six of
`Downstream/monai/BTCV/dataset/dataset_0.json` of https://github.com/Luffy03/Large-Scale-Medical at
commit 1ad538b, whose grid this is. No maker's NSD tolerance was found: voxbench's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import Part, Source, TaskCard

from voxbench_tasks.place import Place
from voxbench_tasks.release import Release, numbered

_NAMES = (
    *("spleen", "right kidney", "left kidney", "gallbladder", "esophagus", "liver", "stomach"),
    *("aorta", "inferior vena cava", "portal vein and splenic vein", "pancreas"),
    *("right adrenal gland", "left adrenal gland"),
)


_TRAINING = "RawData/Training"


@dataclass(frozen=True, kw_only=True)
class BTCV(Release):
    """24 train, six are tested on."""

    folder: ClassVar[str] = "BTCV"
    card: ClassVar[TaskCard] = TaskCard(
        name="btcv",
        modality="CT",
        channels=("CT",),
        classes=numbered(*_NAMES),
        spacing_mm=(1.5, 1.5, 1.5),
        tolerance_mm=dict.fromkeys(_NAMES, 2.0),
        licence="CC BY 4.0",
        reference="Landman et al., Beyond the Cranial Vault, synapse.org, syn3193805 (2015)",
        corpora=("BTCV",),
    )
    places = (
        Place(
            "train", r"\d{4}", (f"{_TRAINING}/img/img{{case}}",), f"{_TRAINING}/label/label{{case}}"
        ),
    )
    held_out: ClassVar[Mapping[Part, tuple[str, ...]]] = {
        "test": ("0035", "0036", "0037", "0038", "0039", "0040")
    }
    published = "the field's 24 and 6 (dataset_0.json of VoCo)"
    source = Source(
        where="Unpack Abdomen/RawData.zip of synapse.org, syn3193805, there.",
        counts={"train": 24, "test": 6},
    )
