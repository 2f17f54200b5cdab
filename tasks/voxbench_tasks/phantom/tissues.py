"""What the phantom is made of: tissues, their codes, and their Hounsfield units by phase.

The first 25 tissues are the structures of AbdomenAtlas 1.1, in its order, so that a tissue's
code is its label value in the atlas task. Values are typical of abdominal CT in adults.
"""

from typing import Literal, NamedTuple

import numpy as np

from voxbench_tasks.phantom.solids import Floats
from voxbench_tasks.phantom.uniform import uniform

Phase = Literal["plain", "arterial", "portal"]
PHASES: tuple[Phase, ...] = ("plain", "arterial", "portal")


class Tissue(NamedTuple):
    """Hounsfield units in the plain, arterial and portal phase.

    Attributes:
        core: of the inside.
        rim: of the outer layer (cortex, wall); None where it equals the inside.
        gas: whether pockets of gas lie inside.
    """

    core: tuple[int, int, int]
    rim: tuple[int, int, int] | None = None
    gas: bool = False


ATLAS: dict[str, Tissue] = {
    "aorta": Tissue((42, 290, 160)),
    "gall_bladder": Tissue((10, 10, 12)),
    "kidney_left": Tissue((30, 95, 170), rim=(34, 165, 190)),
    "kidney_right": Tissue((30, 95, 170), rim=(34, 165, 190)),
    "liver": Tissue((56, 66, 108)),
    "pancreas": Tissue((40, 98, 92)),
    "postcava": Tissue((40, 95, 142)),
    "spleen": Tissue((48, 125, 118)),
    "stomach": Tissue((18, 20, 22), rim=(42, 70, 84), gas=True),
    "adrenal_gland_left": Tissue((28, 66, 74)),
    "adrenal_gland_right": Tissue((28, 66, 74)),
    "bladder": Tissue((6, 6, 10), rim=(22, 28, 38)),
    "celiac_trunk": Tissue((42, 270, 155)),
    "colon": Tissue((30, 32, 34), rim=(38, 62, 76), gas=True),
    "duodenum": Tissue((30, 48, 58), rim=(40, 74, 86)),
    "esophagus": Tissue((36, 52, 58)),
    "femur_left": Tissue((260, 260, 262), rim=(560, 560, 560)),
    "femur_right": Tissue((260, 260, 262), rim=(560, 560, 560)),
    "hepatic_vessel": Tissue((42, 76, 162)),
    "intestine": Tissue((28, 52, 60), rim=(38, 88, 98)),
    "lung_left": Tissue((-820, -815, -815)),
    "lung_right": Tissue((-820, -815, -815)),
    "portal_vein_and_splenic_vein": Tissue((42, 112, 172)),
    "prostate": Tissue((38, 58, 74)),
    "rectum": Tissue((30, 32, 34), rim=(38, 56, 66), gas=True),
}

TISSUES: dict[str, Tissue] = {
    **ATLAS,
    "subcutaneous_fat": Tissue((-104, -103, -102)),
    "visceral_fat": Tissue((-92, -90, -88)),
    "muscle": Tissue((50, 56, 62)),
    "psoas_left": Tissue((50, 57, 64)),
    "psoas_right": Tissue((50, 57, 64)),
    "bone": Tissue((230, 232, 236), rim=(440, 440, 442)),
    "vertebrae": Tissue((170, 174, 180), rim=(330, 330, 334)),
    "disc": Tissue((78, 80, 84)),
    "spinal_canal": Tissue((22, 26, 28)),
    "heart": Tissue((44, 190, 140)),
    "iliac_vessels": Tissue((42, 200, 145)),
    "uterus": Tissue((44, 72, 95)),
    "liver_lesion": Tissue((56, 66, 108)),
}

AIR = 0
CODES = {name: code for code, name in enumerate(TISSUES, start=1)}


def hounsfield(phase: Phase, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """HU of core and rim by code, varied as between two patients.

    Returns:
        Two float32 arrays `(tissue code,)`; code 0 is air. Enhancement varies by a fifth around
        the table's, everything else by some HU; the liver may be fatty.
    """
    now = PHASES.index(phase)
    dose, fatty = uniform(rng, 0.8, 1.2), max(0.0, uniform(rng, -60, 30))
    core, rim = [-1000.0], [-1000.0]
    for name, tissue in TISSUES.items():
        shift = uniform(rng, -6, 6) - (fatty if name.startswith("liver") else 0)
        for column, values in ((core, tissue.core), (rim, tissue.rim or tissue.core)):
            column.append(values[0] + dose * (values[now] - values[0]) + shift)
    core[CODES["liver_lesion"]] = rim[CODES["liver_lesion"]] = core[CODES["liver"]]
    return np.array(core, np.float32), np.array(rim, np.float32)
