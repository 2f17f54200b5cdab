"""One scan of one patient, and what of it is annotated, as NIfTI files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from voxbench.api import Case, Part
from voxbench.toolkit import write_atomically

from voxbench_tasks.phantom.patient import Patient
from voxbench_tasks.phantom.scanner import Scanner
from voxbench_tasks.phantom.tissues import CODES, PHASES, Phase


@dataclass(frozen=True)
class Exam:
    """Everything that decides one case's bytes, and its place in the task.

    Attributes:
        person: the patient's id.
        part: where the patient belongs.
        patient: what is scanned.
        scanner: by what.
        phase: of the contrast agent.
        z_mm: from where to where, above the model's origin.
        labelled: classes that were annotated; None means all.
    """

    person: str
    part: Part
    patient: Patient
    scanner: Scanner
    phase: Phase
    z_mm: tuple[float, float]
    labelled: frozenset[str] | None = None

    def case(self, folder: Path) -> Case:
        """The case as the engine sees it."""
        name = f"{self.person}-{self.phase}"
        image, label = (folder / kind / f"{name}.nii" for kind in ("images", "labels"))
        return Case(name, (image,), label, self.person, self.labelled)

    def write(self, folder: Path, classes: Mapping[str, tuple[int, tuple[str, ...]]]) -> None:
        """Write the files, unless they are there.

        Args:
            folder: of the task's cases.
            classes: class → label value and the tissues that belong to it.
        """
        image, label = self.case(folder).files
        if image.exists() and label.exists():
            return
        seed = (*self.patient.seed, PHASES.index(self.phase))
        scan = self.scanner.scan(self.patient, self.phase, self.z_mm, seed)
        values = np.zeros(256, np.uint8)
        for name, (value, tissues) in classes.items():
            if self.labelled is None or name in self.labelled:
                values[[CODES[tissue] for tissue in tissues]] = value
        _write_nifti(image, scan.hu, scan.affine)
        _write_nifti(label, values[scan.tissue], scan.affine)


def _write_nifti(path: Path, volume: NDArray[Any], affine: NDArray[np.float64]) -> None:
    """Uncompressed: faster, and without the differences between builds of zlib."""
    import nibabel

    image = nibabel.Nifti1Image(volume, affine)
    image.header.set_xyzt_units("mm")
    write_atomically(path, image.to_bytes())
