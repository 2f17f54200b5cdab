"""The official ways to score, by name: for numbers that stand beside published ones."""

from collections.abc import Mapping

from voxbench.errors import SpecError, unknown
from voxbench.metrics.labels import LabelValues
from voxbench.metrics.scoring import Scoring

_FLARE = {
    "liver": 5.0, "right kidney": 3.0, "spleen": 3.0, "pancreas": 5.0, "aorta": 2.0,
    "inferior vena cava": 2.0, "right adrenal gland": 2.0, "left adrenal gland": 2.0,
    "gallbladder": 2.0, "esophagus": 3.0, "stomach": 5.0, "duodenum": 7.0, "left kidney": 3.0,
}  # fmt: skip
_FLARE_SLICED = frozenset({"aorta", "inferior vena cava", "esophagus"})
_FLARE_TOLD = (
    "Aorta, inferior vena cava and esophagus from the reference's first slice to the one before"
    " its last, as the script cuts them. A single slice, which it cuts to nothing, is scored as it"
    " is; slices are those along the body, in the script of the array's last axis; nothing is"
    " rounded to four digits."
)
_AMOS = (
    *("spleen", "right kidney", "left kidney", "gallbladder", "esophagus", "liver", "stomach"),
    *("aorta", "inferior vena cava", "pancreas", "right adrenal gland", "left adrenal gland"),
    *("duodenum", "bladder", "prostate or uterus"),
)


def _numbered(names: Mapping[str, float] | tuple[str, ...]) -> Mapping[str, LabelValues]:
    return {name: value for value, name in enumerate(names, start=1)}


SCORINGS: dict[str, Scoring] = {
    "flare22": Scoring(
        source="github.com/JunMa11/FLARE, FLARE22/Evaluation/FLARE22_DSC_NSD_Eval.py at be3eb6f",
        told=_FLARE_TOLD,
        classes=_numbered(_FLARE),
        tolerance_mm=_FLARE,
        sliced=_FLARE_SLICED,
        both_empty=1.0,
    ),
    "flare23": Scoring(
        source="github.com/JunMa11/FLARE, FLARE23/FLARE23_DSC_NSD_Eval.py at aad2cc2",
        told=f"No NSD below a Dice of 0.2 (0.1 in the script at 082b340). {_FLARE_TOLD}",
        classes=_numbered(_FLARE | {"lesion": 2.0}),
        tolerance_mm=_FLARE | {"lesion": 2.0},
        sliced=_FLARE_SLICED,
        least_dice=0.2,
        both_empty=1.0,
    ),
    "kits23": Scoring(
        source="github.com/neheller/kits23, kits23/configuration/labels.py at"
        " 2b09050 and kits23/evaluation/metrics.py at d7eb4c9",
        told="Three nested regions; the tolerances are the raters' own spread.",
        classes={"kidney and mass": (1, 2, 3), "mass": (2, 3), "tumour": 2},
        tolerance_mm={
            "kidney and mass": 1.0330772532390826,
            "mass": 1.1328796488598762,
            "tumour": 1.1498198361434828,
        },
        both_empty=1.0,
    ),
    "totalsegmentator": Scoring(
        source="github.com/wasserth/TotalSegmentator, resources/evaluate.py at 398ff34",
        told="A structure that the reference lacks is not scored, whatever was predicted. The"
        " script takes every voxel as 1.5 mm wide, voxbench as its file says; the 1e-6 that the"
        " script adds to the denominator of Dice is left out.",
        tolerance_mm=3.0,
        reference_empty=float("nan"),
    ),
    "amos": Scoring(
        source="amos22.grand-challenge.org/Evaluation",
        told="Dice and NSD of each label and case, then their means. Its code was not found:"
        " neither tolerances nor what an empty mask counts as are known here; two empty masks are"
        " undefined.",
        classes=_numbered(_AMOS),
    ),
    "brats": Scoring(
        source="github.com/rachitsaluja/BraTS-2023-Metrics,"
        " brats_2023_metrics/surface_distance/brats_metrics.py at 0c603fc",
        told="Three nested regions, with the values of 2023; those of 2021 (4 for 3) need a task"
        " or classes. Dice is the script's Legacy_Dice; its lesion-wise scores are not computed. It"
        " has no NSD, and sets HD95 to 0 mm for two empty masks and to 374 mm for one, where"
        " voxbench has none and the image's diagonal.",
        classes={"whole tumour": (1, 2, 3), "tumour core": (1, 3), "enhancing tumour": 3},
        both_empty=1.0,
    ),
    "suprem": Scoring(
        source="github.com/MrGiovanni/SuPreM, target_applications/totalsegmentator at 76e1a64",
        told="Dice with one more voxel in its denominator, NSD of border voxels. A class that the"
        " reference lacks is not scored. SuPreM scores masks resampled to 1.5 mm but measures with"
        " the voxel size of the original file.",
        tolerance_mm=1.0,
        definition="voxel",
        added_voxels=1,
        reference_empty=float("nan"),
    ),
}


def find_scoring(name: str) -> Scoring:
    """The official scoring of that name.

    Raises:
        SpecError: there is none.
    """
    if name not in SCORINGS:
        raise SpecError(unknown("scoring", name, SCORINGS))
    return SCORINGS[name]
