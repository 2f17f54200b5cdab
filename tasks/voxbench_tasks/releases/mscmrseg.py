"""MS-CMRSeg (Zhuang et al. 2022): the heart in three MR sequences of 45 patients.

Layout and values: `model/cut.py` of https://github.com/jingkunchen/MS-CMR_miccai_2019, and the
preparation of the set in public code that unpacks it as the archives C0LET2_nii45_for_challenge19
and C0LET2_gt_for_challenge19. Which value is which: `cinema/data/myops2020` of
https://github.com/mathpluscode/CineMA for the same makers' MyoPS, whose evaluation code agrees; a
loader that calls 200 the right ventricle is wrong. The makers score the late enhancement, whose
first five labels they gave out, and let the other sequences of 35 patients train; the labels of all
others came later. No maker's NSD tolerance was found: voxbench's own. The grid is that of ACDC's
cine MR.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from voxbench.api import Source, TaskCard

from voxbench_tasks.place import Place
from voxbench_tasks.release import Release

_CLASSES: dict[str, int | tuple[int, ...]] = {
    "myocardium": 200, "left ventricle": 500, "right ventricle": 600,
}  # fmt: skip
_CARD = TaskCard(
    name="ms-cmrseg-bssfp",
    modality="MR",
    channels=("bSSFP MRI",),
    classes=_CLASSES,
    spacing_mm=(1.0, 1.0, 5.0),
    tolerance_mm=dict.fromkeys(_CLASSES, 1.0),
    licence="terms of the challenge: research, not commercial",
    reference="Zhuang et al., MS-CMRSeg, Med Image Anal 81:102528 (2022)",
    corpora=("MS-CMRSeg",),
)
_GIVEN, _LATER = "C0LET2_nii45_for_challenge19", "C0LET2_gt_for_challenge19"
_FIRST_35, _LAST_10 = r"patient(?:[1-9]|[12]\d|3[0-5])", r"patient(?:3[6-9]|4[0-5])"
_FIRST_5, _LAST_40 = r"patient[1-5]", r"patient(?:[6-9]|[1-3]\d|4[0-5])"


def _places(sequence: str, train: str, given: str, test: str, later: str) -> tuple[Place, ...]:
    image, label = f"{_GIVEN}/c0t2lge/{{case}}_{sequence}", f"{{case}}_{sequence}_manual"
    return (
        Place("train", train, (image,), f"{_GIVEN}/{given}/{label}"),
        Place("test", test, (image,), f"{_LATER}/{later}/{label}", partly=True),
    )


@dataclass(frozen=True, kw_only=True)
class MSCMRSegBSSFP(Release):
    """Cine MR (bSSFP): 35 patients train, ten are tested on."""

    folder: ClassVar[str] = "MS-CMRSeg"
    card: ClassVar[TaskCard] = _CARD
    places = _places("C0", _FIRST_35, "c0gt", _LAST_10, "C0_manual_10")
    published = "of its authors, who gave out the labels of the others later"
    source = Source(
        where="Ask at zmiclab.github.io/zxh/0/mscmrseg19; unpack both archives beside one another.",
        counts={"train": 35, "test": 10},
    )


@dataclass(frozen=True, kw_only=True)
class MSCMRSegT2(MSCMRSegBSSFP):
    """T2-weighted MR: 35 patients train, ten are tested on."""

    card: ClassVar[TaskCard] = _CARD.model_copy(
        update={"name": "ms-cmrseg-t2", "channels": ("T2-weighted MRI",)}
    )
    places = _places("T2", _FIRST_35, "t2gt", _LAST_10, "T2_manual_10")


@dataclass(frozen=True, kw_only=True)
class MSCMRSegLGE(MSCMRSegBSSFP):
    """Late enhancement: the five patients whose labels were given train, 40 are tested on."""

    card: ClassVar[TaskCard] = _CARD.model_copy(
        update={"name": "ms-cmrseg-lge", "channels": ("LGE MRI",)}
    )
    places = _places("LGE", _FIRST_5, "lgegt", _LAST_40, "LGE_manual_35_TestData")
    source = replace(MSCMRSegBSSFP.source, counts={"train": 5, "test": 40})
