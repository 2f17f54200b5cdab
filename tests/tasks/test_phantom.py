"""The phantom: the same bytes everywhere, plausible anatomy, honest splits and labels."""

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from voxbench.api import Case
from voxbench_tasks.phantom import PhantomAtlas, PhantomLesion, PhantomShifted
from voxbench_tasks.phantom.exam import Exam
from voxbench_tasks.phantom.tasks import PHANTOM_PARTS, Phantom

ALL = (PhantomAtlas, PhantomLesion, PhantomShifted)

ABDOMEN_ATLAS = [
    "aorta", "gall_bladder", "kidney_left", "kidney_right", "liver", "pancreas", "postcava",
    "spleen", "stomach", "adrenal_gland_left", "adrenal_gland_right", "bladder", "celiac_trunk",
    "colon", "duodenum", "esophagus", "femur_left", "femur_right", "hepatic_vessel", "intestine",
    "lung_left", "lung_right", "portal_vein_and_splenic_vein", "prostate", "rectum",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Few(PhantomShifted):
    """A population small enough to draw twice."""

    validation_patients: ClassVar[int] = 1
    test_patients: int = 1


class Volume(NamedTuple):
    """A case in memory, in RAS order."""

    hu: NDArray[np.int16]
    label: NDArray[np.uint8]
    affine: NDArray[np.float64]

    def centre(self, value: int) -> NDArray[np.float64]:
        """Centre of mass of a label, mm."""
        voxel = np.argwhere(self.label == value).mean(axis=0)
        return np.asarray(self.affine[:3, :3] @ voxel + self.affine[:3, 3])


def read(case: Case) -> Volume:
    image, label = (nibabel.as_closest_canonical(nibabel.load(file)) for file in case.files)
    return Volume(np.asarray(image.dataobj), np.asarray(label.dataobj), image.affine)


def draw(task: Phantom, exam: Exam) -> Volume:
    values = task.card.classes
    exam.write(task.root, {name: (values[name], t) for name, t in task.classes.items()})
    return read(exam.case(task.root))


def contents(root: Path) -> dict[str, str]:
    return {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(root.rglob("*"))
        if file.is_file()
    }


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> PhantomAtlas:
    return PhantomAtlas(root=tmp_path_factory.mktemp("atlas"))


@pytest.fixture(scope="module")
def man(atlas: PhantomAtlas) -> Volume:
    return draw(atlas, next(atlas.planned("train")))


@pytest.fixture(scope="module")
def lesions(tmp_path_factory: pytest.TempPathFactory) -> list[Volume]:
    task = PhantomLesion(root=tmp_path_factory.mktemp("lesion"), patients=6)
    return [draw(task, exam) for exam in task.planned("train")]


def test_the_atlas_has_the_25_structures_in_their_order(atlas: PhantomAtlas) -> None:
    assert list(atlas.card.classes) == ABDOMEN_ATLAS
    assert list(atlas.card.classes.values()) == list(range(1, 26))


def test_no_two_phantoms_share_a_corpus(tmp_path: Path) -> None:
    corpora = [corpus for task in ALL for corpus in task(root=tmp_path).card.corpora]
    assert len(set(corpora)) == len(ALL)


def test_two_roots_get_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        Few(root=tmp_path / name, patients=2).cases()
    first, second = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert len(first) == 2 * 4 + 1
    assert first == second


def test_the_bytes_are_those_of_this_version(tmp_path: Path) -> None:
    """A failure after a change of the generator means: raise GENERATOR_VERSION, then these."""
    found = {}
    for kind in ALL:
        task = kind(root=tmp_path / kind.name)
        draw(task, next(task.planned("train")))
        digest = hashlib.sha256("".join(contents(task.root).values()).encode())
        found[kind.name] = digest.hexdigest()[:16]
    assert found == {
        "phantom-atlas": "ccd764a9696cfffd",
        "phantom-lesion": "61acf58e2382a84e",
        "phantom-shifted": "d53913c63019d28c",
    }


def test_another_seed_gives_other_patients(tmp_path: Path) -> None:
    volumes = [
        draw(task, next(task.planned("train")))
        for task in (PhantomShifted(root=tmp_path / str(seed), seed=seed) for seed in (0, 1))
    ]
    assert not np.array_equal(volumes[0].label, volumes[1].label)


def test_more_test_patients_keep_those_that_there_were(tmp_path: Path) -> None:
    few, more = (PhantomShifted(root=tmp_path, test_patients=n) for n in (2, 3))
    first, all_of_them = (list(task.planned("test")) for task in (few, more))
    assert all_of_them[:2] == first
    assert len(all_of_them) == 3
    assert list(few.planned("train")) == list(more.planned("train"))


def test_two_processes_at_once_leave_one_whole_population(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from voxbench_tasks.phantom import PhantomShifted\n"
        "class Few(PhantomShifted):\n"
        "    validation_patients = 1\n"
        "Few(root=pathlib.Path(sys.argv[1]), patients=2, test_patients=1).cases()\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "shared")]
    running = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait(timeout=120) for process in running] == [0, 0]
    Few(root=tmp_path / "alone", patients=2).cases()
    assert contents(tmp_path / "shared") == contents(tmp_path / "alone")


def test_an_interrupted_call_is_continued(tmp_path: Path) -> None:
    task = Few(root=tmp_path, patients=1)
    case = task.cases()["train"][0]
    whole = contents(tmp_path)
    case.files[1].unlink()
    (case.files[0].parents[1] / "complete").unlink()
    task.cases()
    assert contents(tmp_path) == whole


def test_other_fields_go_to_another_folder_and_keep_the_test_patients(tmp_path: Path) -> None:
    one, two = (Few(root=tmp_path, patients=n).cases() for n in (1, 2))
    assert one["test"][0].files[0] != two["test"][0].files[0]
    assert one["test"][0].files[0].read_bytes() == two["test"][0].files[0].read_bytes()
    assert [len(two[part]) for part in PHANTOM_PARTS] == [2, 1, 1]


@pytest.mark.parametrize("fields", [{"patients": 0}, {"patients": 2.5}, {"seed": -1}])
def test_a_field_out_of_range_is_refused(tmp_path: Path, fields: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(fields))):
        PhantomAtlas(root=tmp_path, **fields)


@pytest.mark.parametrize("kind", ALL)
def test_no_patient_is_in_two_splits(tmp_path: Path, kind: type[Phantom]) -> None:
    task = kind(root=tmp_path)
    people = [{exam.person for exam in task.planned(part)} for part in PHANTOM_PARTS]
    assert [len(each) for each in people] == [task.patients, 4, 10]
    assert len(set.union(*people)) == task.patients + 14


def test_some_patients_are_scanned_twice_with_the_same_anatomy(atlas: PhantomAtlas) -> None:
    exams = [exam for exam in atlas.planned("test") if exam.person.endswith("0007")]
    assert len({exam.case(atlas.root).id for exam in exams}) == 2
    first, second = (draw(atlas, exam) for exam in exams)
    liver = atlas.card.classes["liver"]
    assert np.abs(first.centre(liver) - second.centre(liver)).max() < 2
    assert not np.array_equal(first.hu, second.hu)


def test_every_class_is_in_the_first_training_case(tmp_path: Path, man: Volume) -> None:
    assert set(np.unique(man.label)) == set(range(26))
    for kind in (PhantomLesion, PhantomShifted):
        task = kind(root=tmp_path)
        volume = draw(task, next(task.planned("train")))
        assert set(np.unique(volume.label)) == {0, *task.card.classes.values()}


def test_image_and_label_share_their_grid_in_the_scanner_orientation(atlas: PhantomAtlas) -> None:
    orientations = set()
    for exam in list(atlas.planned("test"))[:6]:
        draw(atlas, exam)
        image, label = (nibabel.load(file) for file in exam.case(atlas.root).files)
        assert image.shape == label.shape
        assert np.array_equal(image.affine, label.affine)
        assert image.header.get_zooms() == pytest.approx(exam.scanner.spacing_mm)
        assert image.header.get_xyzt_units()[0] == "mm"
        assert (image.get_data_dtype(), label.get_data_dtype()) == (np.int16, np.uint8)
        orientations.add(nibabel.aff2axcodes(image.affine))
    assert len(orientations) > 1


def test_organs_lie_where_they_belong(atlas: PhantomAtlas, man: Volume) -> None:
    x, y, z = (
        {name: man.centre(value)[axis] for name, value in atlas.card.classes.items()}
        for axis in range(3)
    )
    assert x["liver"] > 20 > -20 > x["spleen"]
    for pair in ("kidney", "adrenal_gland", "femur", "lung"):
        assert x[f"{pair}_right"] > 0 > x[f"{pair}_left"]
    assert x["gall_bladder"] > 0 > x["stomach"]
    assert x["postcava"] > x["aorta"]
    assert z["lung_left"] > z["spleen"] > z["kidney_left"] > z["bladder"] > z["prostate"]
    assert z["adrenal_gland_right"] > z["kidney_right"]
    assert z["liver"] > z["colon"] > z["rectum"]
    assert y["bladder"] > y["rectum"]
    assert y["liver"] > y["kidney_right"]


def test_tissues_have_their_hounsfield_units(atlas: PhantomAtlas, man: Volume) -> None:
    classes = atlas.card.classes
    middle = {name: np.median(man.hu[man.label == value]) for name, value in classes.items()}
    assert middle["lung_left"] < -600 > middle["lung_right"]
    assert 20 < middle["liver"] < 160
    assert middle["femur_left"] > 200
    assert -20 < middle["bladder"] < 60
    assert man.hu[:2].max() < -800


def test_enhancement_follows_the_phase(atlas: PhantomAtlas) -> None:
    aorta = atlas.card.classes["aorta"]
    by_phase = {}
    for exam in list(atlas.planned("test"))[:3]:
        volume = draw(atlas, exam)
        by_phase[exam.phase] = np.median(volume.hu[volume.label == aorta])
    assert by_phase["arterial"] > by_phase["portal"] > by_phase["plain"]


def test_a_part_of_the_training_cases_is_labelled_in_part(atlas: PhantomAtlas) -> None:
    labelled = [exam.labelled for exam in atlas.planned("train")]
    partial = [names for names in labelled if names is not None]
    assert 0 < len(partial) < len(labelled) / 2
    assert set.union(*map(set, partial)) < set(ABDOMEN_ATLAS)
    volume = draw(atlas, list(atlas.planned("train"))[labelled.index(partial[0])])
    assert set(np.unique(volume.label)) - {0} == {atlas.card.classes[n] for n in partial[0]}
    assert all(exam.labelled is None for exam in atlas.planned("test"))


def test_women_have_no_prostate_and_some_patients_no_gall_bladder(atlas: PhantomAtlas) -> None:
    exam = next(exam for exam in atlas.planned("test") if not exam.patient.gall_bladder)
    assert exam.patient.female
    volume, classes = draw(atlas, exam), atlas.card.classes
    assert not np.isin(volume.label, [classes["prostate"], classes["gall_bladder"]]).any()


def test_lesions_lie_in_the_liver(lesions: list[Volume]) -> None:
    for volume in lesions:
        points = np.argwhere(volume.label == 2)
        if len(points):
            planes = ConvexHull(np.argwhere(volume.label == 1)).equations
            inside = (points @ planes[:, :3].T + planes[:, 3] < 1e-6).all(axis=1)
            assert inside.mean() > 0.8


def test_some_cases_of_every_split_have_no_lesion(tmp_path: Path, lesions: list[Volume]) -> None:
    task = PhantomLesion(root=tmp_path)
    for split in ("train", "test"):
        free = [exam.patient.lesions == 0 for exam in task.planned(split)]
        assert 0 < sum(free) < len(free) / 2
    assert [bool((volume.label == 2).any()) for volume in lesions] == [True] * 4 + [False, True]


def test_lesions_are_darker_than_the_liver(lesions: list[Volume]) -> None:
    for volume in lesions[:4]:
        liver, lesion = (np.median(volume.hu[volume.label == value]) for value in (1, 2))
        assert lesion < liver - 20


def test_no_threshold_finds_the_lesions(lesions: list[Volume]) -> None:
    """The best window of HU, chosen with the labels themselves, stays below a Dice of 0.25."""
    edges = np.arange(-180, 260, 20)
    inside, around = np.zeros(len(edges) - 1), np.zeros(len(edges) - 1)
    for volume in lesions:
        inside += np.histogram(volume.hu[volume.label == 2], edges)[0]
        around += np.histogram(volume.hu, edges)[0]
    hits, size = np.cumsum([0, *inside]), np.cumsum([0, *around])
    dice = [
        2 * (hits[high] - hits[low]) / (size[high] - size[low] + inside.sum())
        for low in range(len(edges))
        for high in range(low + 1, len(edges))
    ]
    assert max(dice) < 0.25
