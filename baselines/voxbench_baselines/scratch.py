"""Random initialisation: the twin of every pre-trained baseline."""

from dataclasses import dataclass
from typing import ClassVar

from voxbench.api import Baseline, BaselineCard


@dataclass(frozen=True, kw_only=True)
class Scratch(Baseline):
    """No pre-training."""

    card: ClassVar[BaselineCard] = BaselineCard(
        name="scratch",
        strategy="scratch",
        licence="none (no weights)",
        reference="He et al., Delving Deep into Rectifiers, ICCV 2015",
    )

    @property
    def twin(self) -> None:
        """It is the twin."""
        return
