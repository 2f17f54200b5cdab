"""The three phantom tasks: a source with many structures, and two targets that differ from it."""

import zlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from voxbench.api import Case, Part, Task, TaskCard, added
from voxbench.toolkit import write_atomically

from voxbench_tasks.phantom.exam import Exam
from voxbench_tasks.phantom.patient import Patient
from voxbench_tasks.phantom.scanner import Scanner
from voxbench_tasks.phantom.tissues import ATLAS, PHASES, Phase

GENERATOR_VERSION = 1
PHANTOM_PARTS: tuple[Part, ...] = ("train", "validation", "test")
THIN = frozenset(
    ("adrenal_gland_left", "adrenal_gland_right", "celiac_trunk", "esophagus", "hepatic_vessel",
     "portal_vein_and_splenic_vein", "spinal_canal")
)  # fmt: skip

SMOOTH = Scanner((5.5, 5.5, 6.0), (False, False, False), kernel=0.15, noise_hu=12, grain=0.2)
MEDIUM = Scanner((6.2, 6.2, 5.0), (True, False, False), kernel=0.1, noise_hu=18, grain=0.12)
THICK = Scanner((5.0, 5.0, 7.5), (True, True, False), kernel=0.2, noise_hu=9, grain=0.25)
FINE = Scanner((5.2, 5.2, 5.0), (False, True, False), kernel=0.08, noise_hu=13, grain=0.2)
SHARP = Scanner(
    (4.8, 4.8, 7.0),
    (False, True, True),
    kernel=0.03,
    noise_hu=34,
    grain=0.04,
    offset_hu=-14,
    field_mm=(288.0, 228.0),
)

FULL, ABDOMEN, LIVER, LUMBAR = (-228.0, 165.0), (-110.0, 165.0), (-60.0, 148.0), (-150.0, 60.0)

# What some of the corpora that AbdomenAtlas was built from annotated.
FOUR_ORGANS = frozenset(("liver", "kidney_left", "kidney_right", "spleen", "pancreas"))
THIRTEEN_ORGANS = FOUR_ORGANS | {
    "gall_bladder", "esophagus", "stomach", "aorta", "postcava", "portal_vein_and_splenic_vein",
    "adrenal_gland_left", "adrenal_gland_right",
}  # fmt: skip
FIFTEEN_ORGANS = THIRTEEN_ORGANS - {"portal_vein_and_splenic_vein"} | {
    "duodenum", "bladder", "prostate",
}  # fmt: skip
PARTIAL = (FOUR_ORGANS, THIRTEEN_ORGANS, FIFTEEN_ORGANS)


@dataclass(frozen=True, kw_only=True)
class Phantom(Task):
    """CT-like abdomens, drawn by a generator that gives the same bytes on every machine.

    Attributes:
        patients: in the training part; validation and test don't depend on it.
        seed: of the whole population.
        test_patients: in the test part.
    """

    patients: int = 24
    seed: int = 0
    test_patients: int = added(10)

    generated: ClassVar[bool] = True
    name: ClassVar[str]
    classes: ClassVar[Mapping[str, tuple[str, ...]]]
    validation_patients: ClassVar[int] = 4

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: a field is out of range.
        """
        for name, low in (("patients", 1), ("seed", 0), ("test_patients", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= 9999:
                raise ValueError(f"{name} must be a whole number in {low}…9999, got {value!r}")

    @property
    def card(self) -> TaskCard:
        """The card."""
        return TaskCard(
            name=self.name,
            modality="CT",
            channels=("CT",),
            classes={name: value for value, name in enumerate(self.classes, start=1)},
            spacing_mm=(6.0, 6.0, 6.0),
            tolerance_mm={name: 3.0 if name in THIN else 6.0 for name in self.classes},
            licence="Apache-2.0 (generated)",
            reference="voxbench",
            corpora=(self.name,),
        )

    def cases(self) -> Mapping[Part, Sequence[Case]]:
        """List the cases by part, drawing those that are not there.

        Files appear whole and one by one, so that several processes may call at once and an
        interrupted call is continued; a mark at the end spares the next call the look.
        """
        name = f"version{GENERATOR_VERSION}-patients{self.patients}-seed{self.seed}"
        folder = self.root / (name + f"-test{self.test_patients}" * (self.test_patients != 10))
        exams = [exam for part in PHANTOM_PARTS for exam in self.planned(part)]
        if not (folder / "complete").exists():
            values = self.card.parts
            classes = {name: (values[name], tissues) for name, tissues in self.classes.items()}
            for exam in exams:
                exam.write(folder, classes)
            write_atomically(folder / "complete", b"")
        cases = {part: [e.case(folder) for e in exams if e.part == part] for part in PHANTOM_PARTS}
        return {part: sorted(found, key=lambda case: case.id) for part, found in cases.items()}

    def planned(self, part: Part) -> Iterator[Exam]:
        """Every scan of a part, not yet drawn; a patient's don't depend on how many there are."""
        counts = (self.patients, self.validation_patients, self.test_patients)
        for index in range(dict(zip(PHANTOM_PARTS, counts, strict=True))[part]):
            person = f"{self.name}-{part}-{index:04d}"
            seed = (zlib.crc32(self.name.encode()), self.seed, PHANTOM_PARTS.index(part), index)
            yield from self.exams(part, index, person, seed)

    @abstractmethod
    def exams(self, part: Part, index: int, person: str, seed: tuple[int, ...]) -> Iterator[Exam]:
        """The scans of one patient: what is rare goes by index, so that every part has it."""


@dataclass(frozen=True, kw_only=True)
class PhantomAtlas(Phantom):
    """The source: the 25 structures of AbdomenAtlas 1.1, three scanners, three phases.

    Half of the patients are women, one in eight has no gall bladder, one in five scans ends
    above the pelvis, one in ten patients was scanned twice, and a quarter of the training
    cases is annotated only in part.
    """

    patients: int = 32

    name: ClassVar[str] = "phantom-atlas"
    classes: ClassVar[Mapping[str, tuple[str, ...]]] = {name: (name,) for name in ATLAS}

    def exams(self, part: Part, index: int, person: str, seed: tuple[int, ...]) -> Iterator[Exam]:
        """One or two scans of one patient."""
        rng = np.random.default_rng((*seed, 1))
        patient = Patient(seed, female=index % 2 == 1, gall_bladder=index % 8 != 5)
        partial = PARTIAL[index // 4 % 3] if part == "train" and index % 4 == 3 else None
        z_mm = ABDOMEN if index % 5 == 4 else FULL
        first = index % 3
        for phase in (PHASES[first], PHASES[first - 1])[: 2 if index % 10 == 7 else 1]:
            scanner = (SMOOTH, MEDIUM, THICK)[int(rng.integers(3))]
            yield Exam(person, part, patient, scanner, phase, z_mm, partial)


@dataclass(frozen=True, kw_only=True)
class PhantomLesion(Phantom):
    """A target: the liver and its lesions, small and faint ones among them.

    One case in five has none. Vessels, bowel and the gall bladder are as dark as they.
    """

    name: ClassVar[str] = "phantom-lesion"
    classes: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "liver": ("liver", "hepatic_vessel"),
        "liver_lesion": ("liver_lesion",),
    }

    def exams(self, part: Part, index: int, person: str, seed: tuple[int, ...]) -> Iterator[Exam]:
        """One scan of one patient."""
        rng = np.random.default_rng((*seed, 1))
        lesions = 0 if index % 5 == 4 else 1 + int(rng.integers(5))
        patient = Patient(seed, female=index % 2 == 1, lesions=lesions)
        scanner, phase = (FINE, MEDIUM)[int(rng.integers(2))], PHASES[2 * (index % 3 != 1)]
        yield Exam(person, part, patient, scanner, phase, LIVER)


@dataclass(frozen=True, kw_only=True)
class PhantomShifted(Phantom):
    """A target: structures that the source does not label, on a scanner it has not seen.

    A sharp kernel, thick slices, much noise, a narrow field, always in the arterial phase.
    """

    name: ClassVar[str] = "phantom-shifted"
    classes: ClassVar[Mapping[str, tuple[str, ...]]] = {
        name: (name,) for name in ("vertebrae", "spinal_canal", "psoas_left", "psoas_right")
    }

    def exams(self, part: Part, index: int, person: str, seed: tuple[int, ...]) -> Iterator[Exam]:
        """One scan of one patient."""
        phase: Phase = "arterial"
        yield Exam(person, part, Patient(seed, index % 2 == 1), SHARP, phase, LUMBAR)
