"""The all-conv U-Net of OBELISK, supervised on eight abdominal organs in CT."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import BaselineCard, Checkpoint, Preprocessing, Published, Window

HOUNSFIELD = 1024.0  # a power of two, so that scaling by it loses nothing

_PAGE = "https://github.com/mattiaspaul/OBELISK"
_RAW = "https://raw.githubusercontent.com/mattiaspaul/OBELISK"
_COMMIT = "b80daf8f84748b7e12d3c6a20336a3dbf4c11bca"
_FOLD = "allconvunet_tcia_fold1.pth"


@dataclass(frozen=True, kw_only=True)
class Obelisk(Published):
    """Encoder, decoder and head; trained on 33 of the 43 volumes (fold 1 leaves out #1 to #10).

    It was fed Hounsfield units as they are: from the weights of `conv0` and the statistics of
    its norm, the training images had a mean of about -118 and a deviation of about 400. Here the
    image is divided by `HOUNSFIELD` and `conv0` multiplied.
    """

    architecture: str = "allconv-unet"
    size: str = "base"

    card: ClassVar[BaselineCard] = BaselineCard(
        name="obelisk",
        strategy="supervised",
        pretraining_data=("Pancreas-CT",),
        volumes=33,
        licence="MIT",
        reference="Heinrich, Oktay and Bouteldja, OBELISK-Net, Medical Image Analysis 54, 2019; "
        "labels: Gibson et al., IEEE TMI 37, 2018",
        # c3d calls the volumes RPS, from where its axes come: they run to left, anterior and
        # inferior. Crops of 361 x 288 x 200 voxels of about 0.86 x 0.86 x 1 mm (means of the
        # fold) became 144 x 144 x 144 voxels.
        contract=Preprocessing(
            axes="LAI",
            spacing_mm=(2.2, 1.7, 1.4),
            intensity=Window(low=-HOUNSFIELD, high=HOUNSFIELD, to=(-1.0, 1.0)),
        ),
        channels=1,
        outputs=(
            "background",
            "spleen",
            "pancreas",
            "left kidney",
            "gallbladder",
            "esophagus",
            "liver",
            "stomach",
            "duodenum",
        ),
        left_over=("conv77U.*",),
    )

    scales: ClassVar[Mapping[str, float]] = {"conv0.weight": HOUNSFIELD}
    head_layer: ClassVar[str] = "conv77U"
    checkpoints: ClassVar[Mapping[str, Checkpoint]] = {
        "base": Checkpoint(
            file=_FOLD,
            url=f"{_RAW}/{_COMMIT}/models/{_FOLD}",
            page=_PAGE,
            checksum="sha256:7103c8ef1579077c3d88db61483ccea3aaa13dc4ba33244be92ee24fe01393fc",
        )
    }
