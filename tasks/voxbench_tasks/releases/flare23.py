"""FLARE23 (Ma et al. 2024): 13 abdominal structures and lesions in 2200 partly labelled CT.

Labels and NSD tolerances: `FLARE23/FLARE23_DSC_NSD_Eval.py` of https://github.com/JunMa11/FLARE at
commit aad2cc2, and `resources/FLARE2023.md` of
https://github.com/openmedlab/Awesome-Medical-Dataset, whose counts say how cases were annotated:
250 have all 13 structures, 1062 those five of AbdomenCT-1K (liver, kidneys, spleen, pancreas), the
others lesions alone; 1497 of all have lesions, of which not every one is drawn. No list names the
cases of each kind; a label map tells by what is in it. Layout: the same page, and
`Omni-supervised/jsons/flare23.json` of https://github.com/Luffy03/Large-Scale-Medical. The labels
of the challenge's validation and test parts are not public. Volumes come from FLARE22, LiTS, KiTS,
the Decathlon and others, so that persons may be in it twice.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from voxbench.api import Case, Source
from voxbench.toolkit import values_held

from voxbench_tasks.place import Place
from voxbench_tasks.release import Release, numbered
from voxbench_tasks.releases.flare22 import Flare22

_NAMES = (*Flare22.card.classes, "lesion")
_FIVE = frozenset({"liver", "right kidney", "left kidney", "spleen", "pancreas"})
_OTHERS = frozenset(_NAMES) - _FIVE - {"lesion"}


@dataclass(frozen=True, kw_only=True)
class Flare23(Release):
    """All labelled cases, parted by patient; a case has the classes annotated that it shows."""

    folder: ClassVar[str] = "FLARE23"
    card = Flare22.card.model_copy(
        update={
            "name": "flare23",
            "classes": numbered(*_NAMES),
            "tolerance_mm": {**Flare22.card.tolerance_mm, "lesion": 2.0},
            "reference": "Ma et al., FLARE23, arXiv:2408.12534 (2024)",
            "corpora": ("FLARE23",),
        }
    )
    places = (
        Place(
            "all",
            r"FLARE23_(?:[01]\d{3}|2[01]\d\d|2200)",
            ("imagesTr2200/**/{case}_0000",),
            "labelsTr2200/{case}",
        ),
        Place(
            "all",
            r"FLARE23_(?:22(?!00)\d\d|2[3-9]\d\d|3\d{3}|4000)",
            ("unlabel*Tr1800/**/{case}_0000",),
            "labelsTr2200/{case}",
            partly=True,
        ),
    )
    published = "none with public labels: by patient"
    source = Source(
        where="Join codalab.lisn.upsaclay.fr's competition 12239.",
        counts={"all": 2200, "unlabelled": 1800},
    )

    def _cases(self, place: Place) -> Iterator[Case]:
        """Each with the classes that its label map shows to be annotated."""
        cases = [*super()._cases(place)]
        labels = {c.id: _mended(c.label) for c in cases if isinstance(c.label, Path)}
        held = values_held(labels.values())
        for case in cases:
            label = labels.get(case.id)
            annotated = self._annotated(held[label]) if label in held else None
            yield replace(case, label=label, labelled=annotated)

    def _annotated(self, values: Set[int]) -> frozenset[str]:
        shown = {name for name, value in self.card.classes.items() if value in values}
        organs = _FIVE | _OTHERS if shown & _OTHERS else _FIVE if shown & _FIVE else frozenset()
        return organs | (shown & {"lesion"})


def _mended(label: Path) -> Path:
    """The later one of a label that was corrected, which lies below the first one's folder."""
    later = label.parent / "20230507-fix" / label.name
    return later if later.is_file() else label
