from dataclasses import replace

import nibabel
import numpy as np
import pytest
from voxbench.data.prepare import inspect_cases, prepare_cases, prepare_each
from voxbench.data.volumes import read_reference
from voxbench.design.preprocessing import Preprocessing
from voxbench.errors import DataError

from tests.data.toy import RAS_2MM, ball, save, toy, volumes, write_case

RULE = Preprocessing(spacing_mm=(2.0, 2.0, 2.0))


def test_a_prepared_case_holds_normalised_image_class_indices_and_the_way_back(tmp_path):
    case = write_case(tmp_path, "a", affine=np.diag([1.0, 2.0, 4.0, 1.0]), patient="p")
    prepared = prepare_cases(toy(tmp_path, [case]).card, [case], RULE)["a"]
    assert (prepared.id, prepared.patient) == ("a", "p")
    assert prepared.image.shape == (1, 10, 24, 32)
    assert prepared.image.dtype == np.float32
    assert abs(float(prepared.image.mean())) < 0.1
    assert np.unique(prepared.label).tolist() == [0, 1, 2]  # the card's values are 1 and 4
    assert prepared.present == {"ball", "box"}
    assert prepared.labelled is None
    assert prepared.grid.native == (20, 24, 16)
    assert prepared.outside == prepared.image.min()


def test_the_foreground_index_points_at_the_voxels_of_each_class(tmp_path):
    case = write_case(tmp_path, "a")
    prepared = prepare_cases(toy(tmp_path, [case]).card, [case], RULE)["a"]
    flat = prepared.label.reshape(-1)
    assert set(flat[prepared.foreground["ball"]]) == {1}
    assert set(flat[prepared.foreground["box"]]) == {2}
    assert len(prepared.foreground["box"]) == np.count_nonzero(flat == 2)


def test_a_second_look_reads_no_volume(tmp_path, monkeypatch):
    case = write_case(tmp_path, "a")
    task = toy(tmp_path, [case])
    first = prepare_cases(task.card, [case], RULE)["a"]
    monkeypatch.setattr(nibabel, "load", lambda _path: pytest.fail("read again"))
    assert prepare_cases(task.card, [case], RULE)["a"].path == first.path
    with pytest.raises(pytest.fail.Exception):
        prepare_cases(task.card, [case], Preprocessing(spacing_mm=(3.0, 3.0, 3.0)))


def test_what_shapes_the_arrays_makes_another_entry(tmp_path):
    case = write_case(tmp_path, "a")
    paths = {
        prepare_cases(toy(tmp_path, [case], **changes).card, [case], rule)["a"].path
        for changes, rule in [
            ({}, RULE),
            ({"classes": {"ball": 4, "box": 1}}, RULE),
            ({"classes": {"box": 4, "ball": 1}}, RULE),
            ({}, Preprocessing(spacing_mm=(2.0, 2.0, 2.0), axes="LPS")),
            ({}, Preprocessing(spacing_mm=(2.0, 2.0, 2.0), crop="none")),
        ]
    }
    assert len(paths) == 5


def test_several_files_or_a_fourth_axis_give_the_channels_in_order(tmp_path):
    case = write_case(tmp_path, "a")
    first, second = volumes(1)[0], volumes(2)[0]
    files = (save(tmp_path / "0.nii", first), save(tmp_path / "1.nii", second))
    together = (save(tmp_path / "both.nii", np.stack([first, second], -1)),)
    cases = [replace(case, id=str(i), images=images) for i, images in enumerate([files, together])]
    found = prepare_cases(toy(tmp_path, cases, channels=("t1", "t2")).card, cases, RULE)
    assert found["0"].image.shape[0] == 2
    assert np.array_equal(found["0"].image, found["1"].image)
    assert not np.array_equal(found["0"].image[0], found["0"].image[1])


def test_masks_are_merged_the_later_class_wins_and_the_overlap_is_noted(tmp_path):
    whole = write_case(tmp_path, "a")
    shape = (20, 24, 16)
    big, small = ball(shape, 6).astype(np.uint8), ball(shape, 3).astype(np.uint8)
    masks = {"ball": save(tmp_path / "b.nii", big), "box": save(tmp_path / "s.nii", small)}
    case = replace(whole, label=masks, labelled=frozenset({"ball", "box"}))
    task = toy(tmp_path, [case])
    merged = read_reference(case, task.card).array
    assert np.array_equal(merged == 2, small == 1)
    assert np.array_equal(merged > 0, big == 1)
    (problem,) = inspect_cases(task.card, [case], RULE)
    assert (problem.kind, problem.fatal) == ("overlapping masks", False)
    assert f"{np.count_nonzero(small)} voxels" in problem.detail
    assert inspect_cases(task.card, [case], RULE) == [problem]  # remembered with the prepared case
    assert prepare_cases(task.card, [case], RULE)["a"].labelled == {"ball", "box"}


def broken(folder):
    """One case for each thing that can be wrong, with the kind it must be reported as."""
    image, label = volumes()
    hole, huge = image.copy(), label.copy()
    hole[3, 4, 5] = np.nan
    huge[0, 0, 0] = 7
    shifted = RAS_2MM.copy()
    shifted[0, 3] = 40
    cut = write_case(folder, "cut")
    cut.images[0].write_bytes(cut.images[0].read_bytes()[:200])
    gone = write_case(folder, "gone")
    gone.label.unlink()
    apart = write_case(folder, "apart")
    save(apart.label, label, shifted)
    sizes = write_case(folder, "sizes")
    save(sizes.label, label[1:])
    two = write_case(folder, "two")
    pair = replace(two, images=(*two.images, *two.images))
    return {
        "corrupt file": cut,
        "missing file": gone,
        "affine mismatch": apart,
        "shape mismatch": sizes,
        "channels": pair,
        "not finite": write_case(folder, "hole", image=hole),
        "constant image": write_case(folder, "flat", image=image * 0 + 3),
        "label out of range": write_case(folder, "huge", label=huge),
    }


def test_every_broken_case_is_found_in_one_go(tmp_path):
    cases = broken(tmp_path)
    sound = write_case(tmp_path, "sound")
    task = toy(tmp_path, [*cases.values(), sound])
    outcomes = prepare_each(task.card, [*cases.values(), sound], RULE, jobs=2)
    problems = [problem for outcome in outcomes for problem in outcome.problems]
    assert {problem.case: problem.kind for problem in problems} == {
        case.id: kind for kind, case in cases.items()
    }
    assert all(problem.fatal for problem in problems)
    with pytest.raises(DataError, match=f"{len(cases)} cases can't be used") as caught:
        prepare_cases(task.card, [*cases.values(), sound], RULE)
    assert all(case.id in str(caught.value) for case in cases.values())
    assert "sound" not in str(caught.value)


def test_all_that_is_wrong_with_one_case_is_found(tmp_path):
    image, _ = volumes()
    image[0, 0, 0] = np.inf
    case = write_case(tmp_path, "a", image=image)
    case.label.unlink()
    kinds = [problem.kind for problem in inspect_cases(toy(tmp_path, [case]).card, [case], RULE)]
    assert kinds == ["not finite", "missing file"]


def test_details_name_what_was_found(tmp_path):
    cases = broken(tmp_path)
    task = toy(tmp_path, list(cases.values()))
    details = {p.kind: p.detail for p in inspect_cases(task.card, list(cases.values()), RULE)}
    assert details["label out of range"] == "values 7, the task has 0, 1, 4"
    assert details["shape mismatch"] == "(19, 24, 16), the image has (20, 24, 16)"
    assert details["affine mismatch"] == "20.0 voxels away from the image"
    assert details["not finite"] == "1 voxels are NaN or infinite"
    assert details["channels"] == "2 channels, the task has 1"


def test_masks_of_other_values_or_grids_are_found(tmp_path):
    whole = write_case(tmp_path, "a")
    mask = (volumes()[1] == 1).astype(np.uint8)
    masks = {
        "ball": save(tmp_path / "b.nii", mask * 255),
        "box": save(tmp_path / "s.nii", mask[1:]),
    }
    case = replace(whole, label=masks)
    problems = inspect_cases(toy(tmp_path, [case]).card, [case], RULE)
    assert [(p.file, p.kind) for p in problems] == [
        ("b.nii", "label out of range"),
        ("s.nii", "shape mismatch"),
    ]


def test_a_case_without_foreground_is_noted_and_kept(tmp_path):
    case = write_case(tmp_path, "healthy", label=np.zeros((20, 24, 16), np.uint8))
    task = toy(tmp_path, [case])
    (problem,) = inspect_cases(task.card, [case], RULE)
    assert (problem.kind, problem.fatal) == ("empty label", False)
    assert prepare_cases(task.card, [case], RULE)["healthy"].present == frozenset()


def test_a_reference_that_can_t_be_read_is_an_error(tmp_path):
    case = write_case(tmp_path, "a")
    case.label.write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"a_label\.nii\.gz: corrupt file"):
        read_reference(case, toy(tmp_path, [case]).card)


def two_channels(tmp_path, modality):
    """CT in Hounsfield units beside an MR whose intensities lie far above any window of CT."""
    case = write_case(tmp_path, "a")
    mr = save(tmp_path / "mr.nii.gz", volumes(seed=5)[0] + 5000)
    fields = {"modality": modality, "channels": ("ct", "mr")}
    return replace(case, images=(*case.images, mr)), toy(tmp_path, [case], **fields).card


def test_channels_of_two_modalities_are_prepared_each_by_its_own_rule(tmp_path):
    case, card = two_channels(tmp_path, ("CT", "MR"))
    ct, mr = prepare_cases(card, [case], card.preprocessing)["a"].image
    assert (ct.min() >= 0, ct.max() <= 1) == (True, True)
    assert (mr.mean(), mr.std()) == (pytest.approx(0, abs=0.1), pytest.approx(1, abs=0.1))
    assert inspect_cases(card, [case], card.preprocessing) == []


def test_a_channel_that_is_constant_once_prepared_is_told(tmp_path):
    case, card = two_channels(tmp_path, "CT")
    (note,) = inspect_cases(card, [case], card.preprocessing)
    assert (note.file, note.kind, note.fatal) == ("mr.nii.gz", "constant channel", False)
    assert note.detail == "mr is 1 everywhere once its intensities are prepared"
    assert inspect_cases(card, [case], card.preprocessing) == [note]  # from the cache


def test_a_place_that_may_be_made_up_is_a_note(tmp_path):
    case = write_case(tmp_path, "a", affine=np.eye(4))
    (note,) = inspect_cases(toy(tmp_path, [case]).card, [case], RULE)
    assert (note.kind, note.fatal) == ("unsure geometry", False)


def test_a_sheared_volume_can_t_be_used(tmp_path):
    sheared = np.array([[1, 0.3, 0, 0], [0, 1, 0, 0], [0, 0, 3, 0], [0, 0, 0, 1.0]])
    case = write_case(tmp_path, "a", affine=sheared)
    problems = inspect_cases(toy(tmp_path, [case]).card, [case], RULE)
    assert all(problem.fatal and "sheared" in problem.detail for problem in problems)
