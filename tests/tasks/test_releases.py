"""Public data sets as their makers released them: mocks of each, prepared and trained on."""

import hashlib
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image
from voxbench.api import Case
from voxbench.data.content_hash import cases_hash, file_hashes
from voxbench.data.fraction import draw_subset, unfit
from voxbench.data.prepare import inspect_cases
from voxbench.data.split import split_cases
from voxbench.data.volumes import read_reference
from voxbench.design.cell import Ref
from voxbench.design.fraction import Fraction
from voxbench.errors import DataError, SpecError
from voxbench.fields import identifying
from voxbench.ledger.corpora import corpora
from voxbench.ledger.verdict import by_corpus
from voxbench.plugins import TASKS, find_task
from voxbench.records import Store
from voxbench.records.external import external_store
from voxbench.registry import Registration
from voxbench.running.options import Options
from voxbench.running.sweep import run_sweep
from voxbench_tasks.releases import suprem_lists
from voxbench_tasks.releases.abdomenatlas import AbdomenAtlas10, AbdomenAtlas11
from voxbench_tasks.releases.abdomenct1k import AbdomenCT1K
from voxbench_tasks.releases.acdc import ACDC
from voxbench_tasks.releases.amos import AmosCT, AmosMR
from voxbench_tasks.releases.atlas2 import Atlas2
from voxbench_tasks.releases.brats import Brats21, Brats23
from voxbench_tasks.releases.btcv import BTCV
from voxbench_tasks.releases.chaos import ChaosCT, ChaosT1, ChaosT2
from voxbench_tasks.releases.curvas import Curvas
from voxbench_tasks.releases.flare22 import Flare22
from voxbench_tasks.releases.flare23 import Flare23
from voxbench_tasks.releases.hanseg import HaNSeg
from voxbench_tasks.releases.kits23 import Kits23
from voxbench_tasks.releases.lits import Lits
from voxbench_tasks.releases.mms import MMs
from voxbench_tasks.releases.mscmrseg import MSCMRSegBSSFP, MSCMRSegLGE, MSCMRSegT2
from voxbench_tasks.releases.qubiq21 import QubiqLesion, QubiqPancreas
from voxbench_tasks.releases.segthor import SegThor
from voxbench_tasks.releases.toothfairy2 import ToothFairy2
from voxbench_tasks.releases.totalsegmentator import (
    TotalSegmentator,
    TotalSegmentatorV1,
    TotalSegmentatorV2,
)
from voxbench_tasks.releases.totalsegmentator_classes import GROUPS
from voxbench_tasks.releases.word import Word

from docs.generators.releases import registered, releases
from tests.data.dicom_files import write_series
from tests.running.conftest import make_sweep

SHAPE = (12, 12, 12)


def write(path: Path, array: np.ndarray, mm: tuple[float, float, float] = (1.5, 1.5, 1.5)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(array, np.diag([*mm, 1.0])), path)


def image(path: Path) -> None:
    """Noise that no two files share."""
    seed = sum(place * byte for place, byte in enumerate(path.as_posix().encode(), start=1))
    write(path, np.random.default_rng(seed).normal(40, 60, SHAPE).astype(np.float32))


def label(path: Path, *values: int) -> None:
    """A slab of each value."""
    array = np.zeros(SHAPE, np.uint8 if max(values) < 256 else np.int16)
    for at, value in enumerate(values):
        array[3:9, 3:9, 2 + at % 9] = value
    write(path, array)


def pairs(root: Path, values, *files: tuple[str, str]) -> Path:
    for one, other in files:
        image(root / one)
        label(root / other, *values)
    return root


def masks(folder: Path, *structures: str) -> None:
    for at, structure in enumerate(structures):
        label(folder / f"{structure}.nii.gz", *[0] * at, 1)


def amos(root: Path) -> Path:
    """CT and MR in one folder, without channel numbers; nobody sees the test labels."""
    image(root / "imagesTs" / "amos_0002.nii.gz")
    parts = {"Tr": (1, 4, 5, 410, 507, 508, 600), "Va": (8, 409, 522, 594)}
    names = [(part, f"amos_{number:04d}.nii.gz") for part in parts for number in parts[part]]
    return pairs(root, (1, 6, 15), *((f"images{p}/{n}", f"labels{p}/{n}") for p, n in names))


def btcv(root: Path) -> Path:
    files = [
        (f"{place}/img/img{number:04d}.nii.gz", f"{place}/label/label{number:04d}.nii.gz")
        for place in ("RawData/Training",)
        for number in (1, 2, 34, 35, 40)
    ]
    image(root / "RawData" / "Testing" / "img" / "img0061.nii.gz")
    return pairs(root, (1, 11, 13), *files)


def flare22(root: Path) -> Path:
    names = [f"FLARE22_Tr_{number:04d}" for number in (1, 10, 11, 12, 50)]
    files = [(f"images/{name}_0000.nii.gz", f"labels/{name}.nii.gz") for name in names]
    return pairs(root, (1, 10, 13), *files)


def flare23(root: Path) -> Path:
    """Cases of each kind of annotation, in folders by number; one label was corrected later."""
    kinds = {1: range(1, 14), 2: range(1, 15), 600: (1, 2, 3, 4, 13), 601: (1, 4, 14), 2200: (14,)}
    for number, values in kinds.items():
        below = "" if number == 2200 else "1-500/" if number <= 500 else "501-1000/"
        name = f"FLARE23_{number:04d}"
        files = (f"imagesTr2200/{below}{name}_0000.nii.gz", f"labelsTr2200/{name}.nii.gz")
        pairs(root, values, files)
    label(root / "labelsTr2200/20230507-fix/FLARE23_0601.nii.gz", 1, 3, 4, 14)
    image(root / "unlabeledTr1800/unlabelTr2201-3100/FLARE23_2201_0000.nii.gz")
    image(root / "unlabeledTr1800/FLARE23_4000_0000.nii.gz")
    return root


def word(root: Path) -> Path:
    parts = {"Tr": (2, 3, 150), "Val": (1, 149), "Ts": (14, 131)}
    names = [(part, f"word_{number:04d}.nii.gz") for part in parts for number in parts[part]]
    return pairs(root, (1, 10, 16), *((f"images{p}/{n}", f"labels{p}/{n}") for p, n in names))


def abdomenct1k(root: Path) -> Path:
    """Images in three archives, masks in one; 276 has the lost spacing, 1001 no mask."""
    archives = {1: 1, 2: 1, 276: 1, 401: 2, 801: 3, 802: 3}
    files = [
        (
            f"AbdomenCT-1K-ImagePart{archive}/Case_{number:05d}_0000.nii.gz",
            f"Mask/Case_{number:05d}.nii.gz",
        )
        for number, archive in archives.items()
    ]
    image(root / "AbdomenCT-1K-ImagePart3" / "Case_01001_0000.nii.gz")
    return pairs(root, (1, 2, 3, 4), *files)


def acdc(root: Path) -> Path:
    """Two frames a patient beside the whole series and its description."""
    frames = {"training": {1: (1, 12), 2: (1, 12), 3: (1, 15)}, "testing": {101: (1, 14)}}
    for part, found in frames.items():
        for number, two in found.items():
            name = f"patient{number:03d}"
            place = root / "database" / part / name
            write(place / f"{name}_4d.nii.gz", np.zeros((*SHAPE, 2), np.float32))
            (place / "Info.cfg").write_text(f"ED: {two[0]}\nES: {two[1]}\nGroup: DCM\n")
            for frame in two:
                stem = f"{name}_frame{frame:02d}"
                pairs(place, (1, 2, 3), (f"{stem}.nii.gz", f"{stem}_gt.nii.gz"))
    return root


def mms(root: Path) -> Path:
    """Series in time; the table counts frames from 0 and says the vendor."""
    folders = {
        "Training/Labeled": {"A0S9V9": "A", "B3F0V9": "B", "C4E9I1": "B"},
        "Training/Unlabeled": {"E5F5V7": "C"},
        "Validation": {"A5P5W0": "B", "G0H4J3": "A"},
        "Testing": {"A1K2P5": "A", "D9L1Z3": "D"},
    }
    rows = [",External code,VendorName,Vendor,Centre,ED,ES"]
    for folder, codes in folders.items():
        for number, (code, vendor) in enumerate(codes.items()):
            place = root / folder / code
            series = np.random.default_rng(number).normal(90, 20, (*SHAPE, 4))
            write(place / f"{code}_sa.nii.gz", series.astype(np.float32))
            rows.append(f"{len(rows)},{code},Maker,{vendor},1,{0 if number else 1},3")
            if folder != "Training/Unlabeled":
                drawn = np.zeros((*SHAPE, 4), np.uint8)
                for frame in (0 if number else 1, 3):
                    for value in (1, 2, 3):
                        drawn[3:9, 3:9, 2 + value, frame] = value
                write(place / f"{code}_sa_gt.nii.gz", drawn)
    name = "211230_M&Ms_Dataset_information_diagnosis_opendataset.csv"
    (root / name).write_text("\n".join(rows) + "\n")
    return root


def mscmrseg(root: Path) -> Path:
    """Three sequences in one folder; the later labels lie in an archive of their own."""
    given, later = root / "C0LET2_nii45_for_challenge19", root / "C0LET2_gt_for_challenge19"
    labelled = {
        "C0": {given / "c0gt": (1, 9, 35), later / "C0_manual_10": (36, 45)},
        "T2": {given / "t2gt": (1, 9, 35), later / "T2_manual_10": (36, 45)},
        "LGE": {given / "lgegt": (1, 2, 5), later / "LGE_manual_35_TestData": (9, 36, 45)},
    }
    for sequence, folders in labelled.items():
        for folder, numbers in folders.items():
            for number in numbers:
                name = f"patient{number}_{sequence}"
                image(given / "c0t2lge" / f"{name}.nii.gz")
                label(folder / f"{name}_manual.nii.gz", 200, 500, 600)
    return root


def kits23(root: Path) -> Path:
    files = [
        (f"dataset/case_{n:05d}/imaging.nii.gz", f"dataset/case_{n:05d}/segmentation.nii.gz")
        for n in (0, 1, 2, 588)
    ]
    label(root / "dataset/case_00000/instances/tumor_instance-1_annotation-1.nii.gz", 1)
    return pairs(root, (1, 2, 3), *files)


def lits(root: Path) -> Path:
    """Not compressed, in two batches; 28 has an identity affine."""
    batches = {1: (0, 1, 27), 2: (28, 47, 48, 130)}
    files = [
        (f"Training Batch {batch}/volume-{n}.nii", f"Training Batch {batch}/segmentation-{n}.nii")
        for batch, numbers in batches.items()
        for n in numbers
    ]
    return pairs(root, (1, 2), *files)


def brats(root: Path, names, sequences, mark, values) -> Path:
    for name in names:
        for sequence in sequences:
            image(root / name / f"{name}{mark}{sequence}.nii.gz")
        label(root / name / f"{name}{mark}seg.nii.gz", *values)
    return root


def brats21(root: Path) -> Path:
    names = [f"BraTS2021_{number:05d}" for number in (0, 2, 3, 1666)]
    return brats(root, names, ("flair", "t1", "t1ce", "t2"), "_", (1, 2, 4))


def brats23(root: Path) -> Path:
    """One patient came twice."""
    names = [f"BraTS-GLI-{n}" for n in ("00000-000", "00000-001", "00002-000", "00003-000")]
    return brats(root, names, ("t1c", "t1n", "t2f", "t2w"), "-", (1, 2, 3))


def totalsegmentator(root: Path, structures, names=("s0000", "s0001", "s0011", "s0864")) -> Path:
    parts = ("train", "val", "test", "test")
    rows = "".join(f"{name};60;m;C;ct;{part}\n" for name, part in zip(names, parts, strict=True))
    (root / names[0]).mkdir(parents=True)
    (root / "meta.csv").write_text(f"image_id;age;gender;institute;study_type;split\n{rows}")
    for name in names:
        image(root / name / "ct.nii.gz")
        masks(root / name / "segmentations", *structures)
    return root


def totalsegmentator1(root: Path) -> Path:
    """One of its cases is a broken gzip."""
    totalsegmentator(root, ("liver", "spleen", "heart_myocardium", "rib_left_1"))
    broken = root / "s0864" / "ct.nii.gz"
    broken.write_bytes(broken.read_bytes()[:-200])
    return root


def totalsegmentator2(root: Path) -> Path:
    return totalsegmentator(root, ("liver", "heart"), ("s0000", "s0001", "s0011", "s0092"))


def atlas(root: Path, *structures: str) -> Path:
    """Each folder has all masks, merged beside them; one lost its CT, one misses a mask."""
    for number in (1, 2, 3, 4, 5196):
        place = root / f"BDMAP_{number:08d}"
        image(place / "ct.nii.gz")
        label(place / "combined_labels.nii.gz", 1)
        masks(place / "segmentations", *structures)
    (root / "BDMAP_00005196" / "ct.nii.gz").unlink()
    (root / "BDMAP_00000002" / "segmentations" / "liver.nii.gz").unlink()
    return root


def atlas10(root: Path) -> Path:
    return atlas(root, *AbdomenAtlas10.card.classes)


def atlas11(root: Path) -> Path:
    return atlas(root, *AbdomenAtlas11.card.classes)


def segthor(root: Path) -> Path:
    """Those to test on have no label, and lie beside one another."""
    image(root / "test" / "Patient_41.nii.gz")
    names = [f"train/Patient_{number:02d}" for number in (1, 2, 3, 40)]
    files = [(f"{name}/{name[6:]}.nii.gz", f"{name}/GT.nii.gz") for name in names]
    return pairs(root, (1, 2, 3, 4), *files)


def rewrite(root: Path, ending: str) -> None:
    """The same volumes in another format."""
    itk = pytest.importorskip("SimpleITK")
    for path in sorted(root.rglob("*.nii.gz")):
        itk.WriteImage(itk.ReadImage(path), path.with_name(path.name.replace(".nii.gz", ending)))
        path.unlink()


def hanseg(root: Path) -> Path:
    """NRRD, a file a structure; one case misses the spinal cord, its MR is of another shape."""
    for number in (1, 2, 3, 42):
        place = root / "set_1" / f"case_{number:02d}"
        image(place / f"case_{number:02d}_IMG_CT.nii.gz")
        write(place / f"case_{number:02d}_IMG_MR_T1.nii.gz", np.zeros((4, 5, 6), np.float32))
        for at, name in enumerate(HaNSeg.card.classes):
            mask = place / f"case_{number:02d}_OAR_{name}.seg.nii.gz"
            label(mask, *[0] * at, 1)
    (root / "set_1" / "case_42" / "case_42_OAR_SpinalCord.seg.nii.gz").unlink()
    rewrite(root, ".nrrd")
    return root


def toothfairy2(root: Path) -> Path:
    """nnU-Net's raw layout, in MHA."""
    names = [
        f"ToothFairy2{letter}_{n:03d}" for letter, n in (("F", 1), ("F", 2), ("P", 1), ("P", 9))
    ]
    files = [(f"imagesTr/{name}_0000.nii.gz", f"labelsTr/{name}.nii.gz") for name in names]
    rewrite(pairs(root, (1, 18, 21, 48), *files), ".mha")
    return root


def atlas2(root: Path) -> Path:
    """BIDS below a folder a cohort."""
    files = []
    for cohort, subject in ((1, 1), (1, 2), (9, 1), (52, 3)):
        name = f"sub-r{cohort:03d}s{subject:03d}"
        stem = f"Training/R{cohort:03d}/{name}/ses-1/anat/{name}_ses-1_space-MNI152NLin2009aSym"
        files.append((f"{stem}_T1w.nii.gz", f"{stem}_label-L_desc-T1lesion_mask.nii.gz"))
    return pairs(root, (1,), *files)


def series(folder: Path, names, turned: bool = False) -> None:
    """A DICOM series, from feet to head by name, or from head to feet."""
    affine = np.diag([-1.5, -1.5, -3.0 if turned else 3.0, 1])
    seed = len(folder.as_posix()) + len(names)
    values = np.random.default_rng(seed).integers(-200, 200, (*SHAPE[:2], len(names)))
    write_series(folder, values.astype(np.int16), affine, names, intercept=-1)


def pictures(folder: Path, names, values, mode: str = "L") -> None:
    """A picture a slice, each value in a slab of its own."""
    folder.mkdir(parents=True)
    for at, name in enumerate(names):
        array = np.zeros(SHAPE[:2], np.uint8)
        array[3:9, 2:4] = values[at % len(values)]
        Image.fromarray(array).convert(mode).save(folder / name)


def chaos(root: Path) -> Path:
    """CT from head to feet with masks of one bit; MR whose T1 has every other number a phase."""
    pytest.importorskip("SimpleITK")
    for patient in ("1", "2", "8", "30"):
        ct = root / "Train_Sets" / "CT" / patient
        names = [f"i{at:04d},0000b.dcm" for at in range(9)]
        if patient == "30":  # numbered from one, as some are
            names = [f"IMG-0024-{at:05d}.dcm" for at in range(1, 10)]
        series(ct / "DICOM_anon", names, turned=True)
        pictures(ct / "Ground", [f"liver_GT_{at:03d}.png" for at in range(9)], (0, 255), "1")
    for patient in ("1", "2", "3", "39"):
        mr = root / "Train_Sets" / "MR" / patient
        t1, t2 = mr / "T1DUAL", mr / "T2SPIR"
        numbers = [f"IMG-0004-{at:05d}" for at in range(1, 17)]
        series(t1 / "DICOM_anon" / "OutPhase", [f"{n}.dcm" for n in numbers[::2]])
        series(t1 / "DICOM_anon" / "InPhase", [f"{n}.dcm" for n in numbers[1::2]])
        values = (0, 63, 126, 189, 252)
        pictures(t1 / "Ground", [f"{n}.png" for n in numbers[1::2]], values)
        series(t2 / "DICOM_anon", [f"{n}.dcm" for n in numbers])
        pictures(t2 / "Ground", [f"{n}.png" for n in numbers], values)
    return root


def curvas(root: Path) -> Path:
    """Three raters of each case; the header of one map is wrong."""
    parts = {"training": (1, 2, 3), "validation": (4,), "testing": (7, 82, 90)}
    for part, numbers in parts.items():
        for number in numbers:
            place = root / f"{part}_set" / f"UKCHLL{number:03d}"
            image(place / "image.nii.gz")
            for rater in (1, 2, 3):
                label(place / f"annotation_{rater}.nii.gz", 1, 2, 3)
    wrong = root / "testing_set" / "UKCHLL007" / "annotation_2.nii.gz"
    write(wrong, np.zeros(SHAPE, np.uint8), (1.5, 1.5, 3.0))
    return root


def qubiq(root: Path) -> Path:
    """Two raters; the training cases lie a folder deeper, the others don't."""
    for structure in ("pancreas", "pancreatic-lesion"):
        for place, names in (
            ("training_data_v3_QC/{}/Training", ("case1-1", "case1-2", "case2-1", "case3-1")),
            ("validation_data_qubiq2021_QC/{}", ("case13-1", "case14-1")),
        ):
            for name in names:
                folder = root / place.format(structure) / name
                image(folder / "image.nii.gz")
                for rater in (1, 2):
                    label(folder / f"task01_seg{rater:02d}.nii.gz", *[0] * rater, 1)
    return root


RELEASES = {
    ChaosCT: (chaos, "4 all"),
    ChaosT1: (chaos, "4 all"),
    ChaosT2: (chaos, "4 all"),
    Curvas: (curvas, "3 train, 1 validation, 2 test"),
    QubiqPancreas: (qubiq, "4 train, 2 test"),
    QubiqLesion: (qubiq, "4 train, 2 test"),
    SegThor: (segthor, "4 all"),
    HaNSeg: (hanseg, "4 all"),
    ToothFairy2: (toothfairy2, "4 all"),
    Atlas2: (atlas2, "4 all"),
    AmosCT: (amos, "4 train, 2 test"),
    AmosMR: (amos, "3 train, 2 test"),
    BTCV: (btcv, "3 train, 2 test"),
    Flare22: (flare22, "3 train, 2 test"),
    Flare23: (flare23, "5 all, 2 unlabelled"),
    Word: (word, "3 train, 2 validation, 2 test"),
    AbdomenCT1K: (abdomenct1k, "5 all, 1 unlabelled"),
    ACDC: (acdc, "6 train, 2 test"),
    MMs: (mms, "6 train, 4 validation, 4 test, 1 unlabelled"),
    MSCMRSegBSSFP: (mscmrseg, "3 train, 2 test"),
    MSCMRSegT2: (mscmrseg, "3 train, 2 test"),
    MSCMRSegLGE: (mscmrseg, "3 train, 3 test"),
    Kits23: (kits23, "4 all"),
    Lits: (lits, "5 all"),
    Brats21: (brats21, "4 all"),
    Brats23: (brats23, "4 all"),
    AbdomenAtlas10: (atlas10, "4 all"),
    AbdomenAtlas11: (atlas11, "4 all"),
    TotalSegmentatorV1: (totalsegmentator1, "1 train, 1 validation, 1 test"),
    TotalSegmentatorV2: (totalsegmentator2, "1 train, 1 validation, 1 test"),
}
QUICK = {BTCV, Brats23, AbdomenAtlas10, ChaosT1, MMs, MSCMRSegLGE}
"""A label map, regions in several channels, masks, slices, frames, values beyond a byte: the others
train alike.
"""


@pytest.mark.parametrize("kind", RELEASES, ids=lambda kind: kind.__name__)
def test_a_release_is_read_and_split_as_published(kind, tmp_path):
    make, counts = RELEASES[kind]
    task = kind(root=make(tmp_path / "data"))
    assert task.notes[0].endswith(f": {counts}")
    split = split_cases(task)
    cases = [*split.train, *split.validation, *split.test]
    problems = inspect_cases(task.card, cases, task.card.preprocessing)
    assert [problem for problem in problems if problem.fatal] == []


@pytest.mark.parametrize(
    "kind",
    [one if one in QUICK else pytest.param(one, marks=pytest.mark.slow) for one in RELEASES],
    ids=lambda kind: kind.__name__,
)
def test_a_release_trains_and_is_scored(kind, tmp_path, monkeypatch):
    make, _ = RELEASES[kind]
    monkeypatch.setattr(TASKS, "loose", {"mock": Registration("mock", "the tests", kind)})
    group = {"group": "organs"} if issubclass(kind, TotalSegmentator) else {}
    sweep = make_sweep(
        tasks=[{"name": "mock", "root": str(make(tmp_path / "data")), **group}],
        fractions=["1 shot"],
        seeds=1,
        recipe={"steps": 2, "patch": [16, 8, 8], "augmentation": "none"},
    )
    run_sweep(sweep, tmp_path / "out", Options(jobs=1))
    [record] = Store(tmp_path / "out")
    assert record.status == "ok", record.failure


@pytest.mark.slow
def test_hearts_of_one_release_train_and_those_of_another_are_tested_on(tmp_path, monkeypatch):
    mocks = {"hearts": (ACDC, acdc), "others": (MSCMRSegBSSFP, mscmrseg)}
    loose = {name: Registration(name, "the tests", kind) for name, (kind, _) in mocks.items()}
    monkeypatch.setattr(TASKS, "loose", loose)
    own, others = (
        {"name": name, "root": str(make(tmp_path / name))} for name, (_, make) in mocks.items()
    )
    sweep = make_sweep(
        tasks=[own],
        tests=[{"task": "acdc", "name": "ms-cmrseg", "data": others}],
        fractions=["1 shot"],
        seeds=1,
        recipe={"steps": 2, "patch": [16, 8, 8], "augmentation": "none"},
    )
    run_sweep(sweep, tmp_path / "out", Options(jobs=1))
    [record] = external_store(tmp_path / "out")
    assert record.status == "ok", record.failure
    assert [case.case for case in record.cases] == [
        f"patient{number}" for number in (1, 35, 36, 45, 9)
    ]
    assert all(case.classes.keys() == ACDC.card.classes.keys() for case in record.cases)


def test_amos_tells_ct_and_mr_apart_by_number(tmp_path):
    root = amos(tmp_path)
    ct, mr = AmosCT(root=root).cases(), AmosMR(root=root).cases()
    assert [case.id[-4:] for case in ct["train"]] == ["0001", "0004", "0005", "0410"]
    assert [case.id[-4:] for case in mr["train"]] == ["0507", "0508", "0600"]
    assert [case.id[-4:] for case in (*ct["test"], *mr["test"])] == ["0008", "0409", "0522", "0594"]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (AmosCT, {"spleen": 1, "liver": 6, "duodenum": 13, "prostate or uterus": 15}),
        (BTCV, {"spleen": 1, "esophagus": 5, "pancreas": 11, "left adrenal gland": 13}),
        (Flare22, {"liver": 1, "right kidney": 2, "esophagus": 10, "left kidney": 13}),
        (Flare23, {"liver": 1, "right kidney": 2, "left kidney": 13, "lesion": 14}),
        (Word, {"liver": 1, "spleen": 2, "colon": 10, "right head of femur": 16}),
        (ACDC, {"right ventricle": 1, "myocardium": 2, "left ventricle": 3}),
        (MMs, {"left ventricle": 1, "myocardium": 2, "right ventricle": 3}),
        (MSCMRSegLGE, {"myocardium": 200, "left ventricle": 500, "right ventricle": 600}),
        (Brats21, {"whole tumour": (1, 2, 4), "tumour core": (1, 4), "enhancing tumour": 4}),
        (Brats23, {"whole tumour": (1, 2, 3), "tumour core": (1, 3), "enhancing tumour": 3}),
        (Kits23, {"kidney and mass": (1, 2, 3), "mass": (2, 3), "tumour": 2}),
        (ChaosT1, {"liver": 63, "right kidney": 126, "left kidney": 189, "spleen": 252}),
        (ChaosCT, {"liver": 255}),
        (Curvas, {"pancreas": 1, "kidney": 2, "liver": 3}),
        (SegThor, {"esophagus": 1, "heart": 2, "trachea": 3, "aorta": 4}),
        (
            ToothFairy2,
            {"crown": 9, "upper right third molar": 18, "lower left canine": 33},
        ),
        (AbdomenAtlas11, {"aorta": 1, "liver": 5, "stomach": 9, "bladder": 12, "rectum": 25}),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_values_of_label_maps_mean_what_the_makers_say(kind, values):
    assert values.items() <= kind.card.classes.items()


def test_tolerances_are_the_makers_where_they_have_them():
    assert Flare22.card.tolerance_mm["duodenum"] == 7
    assert Flare22.card.tolerance_mm["left kidney"] == 3
    assert Kits23.card.tolerance_mm["mass"] == pytest.approx(1.1328796489)
    assert TotalSegmentatorV1(root=Path()).card.tolerance_mm["face"] == 3


def test_both_frames_and_both_visits_are_of_one_patient(tmp_path):
    frames = ACDC(root=acdc(tmp_path / "acdc")).cases()["train"]
    assert [case.patient for case in frames[:2]] == ["patient001"] * 2
    visits = Brats23(root=brats23(tmp_path / "brats")).cases()["all"]
    assert [case.patient for case in visits[:2]] == ["BraTS-GLI-00000"] * 2


def test_frames_and_vendors_are_those_of_the_table(tmp_path):
    root = mms(tmp_path)
    parts = MMs(root=root).cases()
    assert [case.id for case in parts["train"][:2]] == ["A0S9V9_frame01", "A0S9V9_frame03"]
    assert [case.frame for case in parts["train"][:4]] == [1, 3, 0, 3]
    assert {case.patient: case.shift for case in parts["test"]} == {
        "A1K2P5": None, "D9L1Z3": "vendor D",
    }  # fmt: skip
    found = read_reference(parts["train"][0], MMs.card).array
    assert set(np.unique(found)) == {0, 1, 2, 3}


def test_one_vendor_may_train_alone(tmp_path):
    parts = MMs(root=mms(tmp_path), vendor="B").cases()
    assert {case.patient for case in parts["train"]} == {"B3F0V9", "C4E9I1"}
    assert {case.patient: case.shift for case in parts["test"]}["A1K2P5"] == "vendor A"


def test_a_series_without_frames_in_the_table_is_refused(tmp_path):
    root = mms(tmp_path)
    [table] = root.glob("*.csv")
    table.write_text(table.read_text().replace("A0S9V9", "Z0S9V9"))
    for vendor in (None, "B"):
        with pytest.raises(DataError, match="no frames ED and ES of A0S9V9"):
            MMs(root=root, vendor=vendor).cases()
    table.write_text(table.read_text().replace("Vendor,", "Scanner,"))
    with pytest.raises(DataError, match="no column Vendor"):
        MMs(root=root).cases()


def test_frames_of_one_file_are_prepared_apart(tmp_path):
    parts = MMs(root=mms(tmp_path)).cases()
    first, second = parts["train"][:2]
    assert first.images == second.images
    hashes = file_hashes(first.files)
    assert cases_hash([first], hashes) != cases_hash([replace(first, frame=3)], hashes)


def test_nnunets_folds_of_acdc_are_rebuilt_by_its_rule(tmp_path, monkeypatch):
    """Dealt out from the whole training part, both frames of a patient together."""
    frames = [
        Case(f"patient{n:03d}_frame{f:02d}", (), None, f"patient{n:03d}")
        for n in range(1, 101)
        for f in (1, 12)
    ]
    monkeypatch.setattr(ACDC, "cases", lambda _: {"train": frames})
    folds = ACDC(root=tmp_path).folds(5)
    names = np.array(sorted(folds))
    np.random.RandomState(1234).shuffle(names)
    assert [sum(fold == number for fold in folds.values()) for number in range(5)] == [20] * 5
    assert {name for name, fold in folds.items() if fold == 2} == {*names[2::5]}
    assert ACDC(root=tmp_path).folds(10) is None


def test_suprems_lists_are_known_by_their_checksums(tmp_path, monkeypatch):
    root = totalsegmentator1(tmp_path)
    lists = {"train": "s0000\ns0001\n", "val": "s0011\n", "test": "s0864\n"}
    lists |= {f"train_{count}": "s0001\n" for count in (64, 128, 256, 512, 1024)}
    task = TotalSegmentatorV1(root=root, group="organs", suprem="lists", keep_known_bad=True)
    with pytest.raises(DataError, match="put dataset_list of SuPreM's repository there"):
        task.cases()
    (root / "lists").mkdir()
    for name, text in lists.items():
        (root / "lists" / f"{name}.txt").write_text(text)
    with pytest.raises(DataError, match=r"train\.txt: is not SuPreM's list"):
        task.cases()
    known = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in lists.items()}
    monkeypatch.setattr(suprem_lists, "_SHA256", known)
    split = split_cases(task)
    assert [case.id for case in split.train] == ["s0000", "s0001"]
    present = {case.id: frozenset({"liver"}) for case in (*split.train, *split.validation)}
    named = Fraction(shots=1, listed="suprem")
    assert "is a list that the task does not have" in unfit(split, named)
    own = split._replace(lists={"suprem-1": ["s0001"]})
    assert [case.id for case in draw_subset(own, named, 0, present).train] == ["s0001"]


def test_channels_are_in_the_order_of_the_card(tmp_path):
    for kind, make, order in (
        (Brats21, brats21, "t1 t1ce t2 flair"),
        (Brats23, brats23, "t1n t1c t2w t2f"),
    ):
        [case, *_] = kind(root=make(tmp_path / kind.__name__)).cases()["all"]
        names = [path.name.removesuffix(".nii.gz")[len(case.id) + 1 :] for path in case.images]
        assert " ".join(names) == order


def test_what_is_known_to_be_bad_is_left_out_told_and_may_be_kept(tmp_path):
    root = lits(tmp_path)
    task = Lits(root=root)
    assert [case.id for case in task.cases()["all"]] == ["0", "1", "130", "27", "48"]
    assert task.notes[1].startswith("known to be bad, left out: 28, 47 (its affine is the identity")
    kept = Lits(root=root, keep_known_bad=True)
    assert len(kept.cases()["all"]) == 7
    assert kept.notes[1].startswith("known to be bad, kept: 28, 47 (")


def test_what_a_user_leaves_out_is_told_and_is_another_definition(tmp_path):
    root = lits(tmp_path)
    keys = []
    for more in ({}, {"leave_out": ["27"]}):
        ref = Ref.of("lits", {"root": str(root), **more})
        task = find_task(ref)
        keys.append(identifying(task, {"leave_out": task.leave_out}))
    assert [case.id for case in task.cases()["all"]] == ["0", "1", "130", "48"]
    assert task.notes[2] == "left out as `leave_out` says: 27"
    assert keys == [{}, {"leave_out": ("27",)}]


def test_a_broken_archive_is_found_where_it_is_kept(tmp_path):
    task = TotalSegmentatorV1(root=totalsegmentator1(tmp_path), group="organs", keep_known_bad=True)
    [_, broken] = task.cases()["test"]
    [problem] = inspect_cases(task.card, [broken], task.card.preprocessing)
    assert (problem.case, problem.kind) == ("s0864", "corrupt file")


def test_masks_without_a_ct_are_told_one_by_one(tmp_path):
    task = AbdomenAtlas11(root=atlas11(tmp_path))
    assert task.notes[1].startswith(
        "known to be bad, left out: BDMAP_00005196 (masks without a CT, as cases 5196 to 9262"
    )


def test_a_mask_that_is_not_there_is_not_annotated(tmp_path):
    task = AbdomenAtlas10(root=atlas10(tmp_path))
    cases = {case.id: case for case in task.cases()["all"]}
    assert cases["BDMAP_00000001"].labelled is None
    assert cases["BDMAP_00000002"].labelled == set(task.card.classes) - {"liver"}


def test_images_without_a_mask_pre_train_where_the_release_has_such(tmp_path):
    split = split_cases(AbdomenCT1K(root=abdomenct1k(tmp_path)))
    assert [case.id for case in split.unlabelled] == ["Case_01001"]


def test_a_label_that_got_lost_is_reported(tmp_path):
    root = btcv(tmp_path)
    (root / "RawData/Training/label/label0002.nii.gz").unlink()
    task = BTCV(root=root)
    problems = inspect_cases(task.card, task.cases()["train"], task.card.preprocessing)
    assert [(p.case, p.kind) for p in problems if p.fatal] == [("0002", "missing file")]


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_of_totalsegmentator_is_the_task(tmp_path, group):
    task = TotalSegmentatorV1(root=tmp_path, group=group)
    assert tuple(task.card.classes) == GROUPS[group]
    assert task.card.name == f"totalsegmentator-v1-{group}"


def test_the_five_groups_part_version_1():
    named = [name for group in GROUPS.values() for name in group]
    assert sorted(named) == sorted(TotalSegmentatorV1.structures)
    assert [len(group) for group in GROUPS.values()] == [17, 21, 18, 24, 24]


def test_the_cardiac_group_needs_version_1(tmp_path):
    with pytest.raises(
        SpecError, match='group = "cardiac" needs version 1: version 2 has no masks'
    ):
        _ = TotalSegmentatorV2(root=tmp_path, group="cardiac").card
    with pytest.raises(SpecError, match=r"unknown group 'organ'.*'organs'"):
        _ = TotalSegmentatorV2(root=tmp_path, group="organ").card


def test_mixed_vertebrae_matter_where_they_are_classes(tmp_path):
    names = ("s0000", "s0001", "s0002", "s0071")
    root = totalsegmentator(tmp_path, ("vertebrae_L5", "liver"), names)
    organs = TotalSegmentatorV2(root=root, group="organs").cases()["test"]
    bones = TotalSegmentatorV2(root=root, group="vertebrae")
    assert [case.id for case in organs] == ["s0002", "s0071"]
    assert [case.id for case in bones.cases()["test"]] == ["s0002"]
    assert "s0071 (mixed vertebrae" in bones.notes[1]


def test_of_overlapping_masks_the_later_of_the_class_map_wins(tmp_path):
    root = totalsegmentator2(tmp_path)
    masks(root / "s0000" / "segmentations", "spleen")
    label(root / "s0000" / "segmentations" / "liver.nii.gz", 1)
    task = TotalSegmentatorV2(root=root, group="organs")
    [case] = task.cases()["train"]
    found = read_reference(case, task.card).array
    assert set(np.unique(found)) == {0, task.card.classes["liver"]}


def test_a_part_that_is_not_here_is_no_silent_other_split(tmp_path):
    root = word(tmp_path)
    for name in ("imagesTs", "labelsTs"):
        (root / name).rename(tmp_path / f"kept {name}")
    with pytest.raises(
        DataError, match=r"no case here of the published test part .*split = \"own\""
    ):
        Word(root=root).cases()
    own = Word(root=root, split="own")
    assert [case.id for case in own.cases()["all"]] == ["word_0002", "word_0003", "word_0150"]
    with pytest.raises(SpecError, match='expected "own" or nothing'):
        Word(root=root, split="mine").cases()


def test_totalsegmentator_without_its_table_is_refused(tmp_path):
    root = totalsegmentator2(tmp_path)
    (root / "meta.csv").unlink()
    with pytest.raises(DataError, match=r"meta\.csv: no such file"):
        TotalSegmentatorV2(root=root, group="organs").cases()
    assert len(TotalSegmentatorV2(root=root, group="organs", split="own").cases()["all"]) == 3


def test_a_case_that_the_table_does_not_name_is_refused(tmp_path):
    root = totalsegmentator2(tmp_path)
    image(root / "s0500" / "ct.nii.gz")
    masks(root / "s0500" / "segmentations", "liver")
    with pytest.raises(DataError, match=r"meta\.csv: names no part of s0500"):
        TotalSegmentatorV2(root=root, group="organs").cases()


def test_another_folder_is_refused_with_the_place_to_get_the_data(tmp_path):
    with pytest.raises(DataError, match=r"no RawData/Training/img/img\{case\} in it\. Unpack"):
        BTCV(root=tmp_path).cases()


def test_every_release_is_a_corpus_that_the_ledger_knows():
    for kind in RELEASES:
        names = kind(root=Path()).card.corpora
        assert names, kind
        assert all(map(corpora().knows, names)), names


def test_hearts_and_bellies_of_other_people_are_clean_of_one_another():
    hearts, bellies = ACDC.card.corpora, ChaosCT.card.corpora
    assert by_corpus(hearts, bellies, corpora()).status == "clean"
    assert by_corpus(bellies, hearts, corpora()).status == "clean"


def test_every_release_is_registered_and_told_in_the_docs():
    assert {kind for _, kind in registered()} == RELEASES.keys()
    told = releases()
    for name, kind in registered():
        assert f"`{name}`" in told
        assert kind.source.where in told


def test_han_seg_has_thirty_structures_and_toothfairy2_42():
    assert len(HaNSeg.card.classes) == 30
    assert len(ToothFairy2.card.classes) == 42
    assert not {19, 20, 29, 30, 39, 40} & {*ToothFairy2.card.classes.values()}


def test_a_structure_that_was_not_drawn_is_not_annotated(tmp_path):
    *_, last = HaNSeg(root=hanseg(tmp_path)).cases()["all"]
    assert last.labelled == set(HaNSeg.card.classes) - {"SpinalCord"}


def test_what_a_label_map_shows_says_how_a_case_was_annotated(tmp_path):
    task = Flare23(root=flare23(tmp_path))
    found = {case.id[-4:]: case for case in task.cases()["all"]}
    organs = {*Flare22.card.classes}
    five = {"liver", "right kidney", "left kidney", "spleen", "pancreas"}
    assert {name: case.labelled for name, case in found.items()} == {
        "0001": organs,
        "0002": organs | {"lesion"},
        "0600": five,
        "0601": five | {"lesion"},
        "2200": {"lesion"},
    }
    assert found["0601"].label.parent.name == "20230507-fix"


def test_a_label_map_that_cannot_be_read_is_reported_and_stops_no_other(tmp_path):
    root = flare23(tmp_path)
    (root / "labelsTr2200" / "FLARE23_0600.nii.gz").write_bytes(b"cut off")
    task = Flare23(root=root)
    problems = inspect_cases(task.card, task.cases()["all"], task.card.preprocessing)
    assert [(p.case, p.kind) for p in problems] == [("FLARE23_0600", "corrupt file")]


@pytest.mark.parametrize("kind", [ChaosCT, ChaosT1, ChaosT2])
def test_pictures_of_chaos_lie_on_their_slices(kind, tmp_path):
    task = kind(root=chaos(tmp_path))
    for case in task.cases()["all"]:
        found = read_reference(case, task.card)
        order = np.argsort(found.affine[2, 2] * np.arange(found.array.shape[2]))
        top_down = found.affine[2, 2] * (1 if kind is ChaosCT else -1) > 0
        values = [int(found.array[:, :, at].max()) for at in order]
        expected = [at % (len(task.card.classes) + 1) for at in range(len(order))]
        assert values == (expected[::-1] if top_down else expected)


def test_every_rater_is_kept_and_the_first_is_the_label(tmp_path):
    [case, *_] = Curvas(root=curvas(tmp_path / "curvas")).cases()["train"]
    assert [path.name[11] for path in case.raters.values()] == ["1", "2", "3"]
    assert case.label == case.raters["1"]
    [first, second, *_] = QubiqLesion(root=qubiq(tmp_path / "qubiq")).cases()["train"]
    assert [path.name for path in first.raters.values()] == [
        "task01_seg01.nii.gz",
        "task01_seg02.nii.gz",
    ]
    assert first.patient == second.patient == "case1"


def test_a_phase_that_got_lost_is_reported(tmp_path):
    root = chaos(tmp_path)
    for path in (root / "Train_Sets/MR/2/T1DUAL/DICOM_anon/OutPhase").iterdir():
        path.unlink()
    task = ChaosT1(root=root)
    problems = inspect_cases(task.card, task.cases()["all"], task.card.preprocessing)
    assert [(p.case, p.file, p.kind) for p in problems] == [("2", "OutPhase", "corrupt file")]
