"""Whatever integers come in, in whatever order, the scores are the same; the rest is refused."""

import numpy as np
import pytest
from voxbench.errors import DataError, SpecError
from voxbench.metrics import evaluate, evaluate_masks, worst

CLASSES = {"one": 1, "two": 2, "absent": 3}
SPACING = (2.5, 0.8, 1.1)


@pytest.fixture(scope="module")
def maps():
    rng = np.random.default_rng(0)
    reference = np.zeros((12, 15, 18), np.uint8)
    reference[2:9, 3:12, 4:16] = 1
    reference[8:11, 0:9, 2:14] = 2
    prediction = np.roll(reference, 1, 2)
    prediction[rng.random(prediction.shape) < 0.02] = 2
    return prediction, reference


@pytest.fixture(scope="module")
def expected(maps):
    return comparable(evaluate(*maps, CLASSES, SPACING, 1.0))


def comparable(scores):
    return {name: repr(score) for name, score in scores.items()}


@pytest.mark.parametrize(
    "dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", ">i2", ">i4", ">u8"]
)
def test_any_integer_dtype_gives_the_same_scores(maps, expected, dtype):
    one, two = (volume.astype(dtype) for volume in maps)
    assert comparable(evaluate(one, two, CLASSES, SPACING, 1.0)) == expected
    assert comparable(evaluate(one, maps[1], CLASSES, SPACING, 1.0)) == expected


def test_memory_layout_and_write_protection_do_not_matter(maps, expected):
    strided = [np.repeat(np.repeat(v, 2, 0), 3, 2)[::2, :, ::3] for v in maps]
    assert not strided[0].flags.c_contiguous
    assert comparable(evaluate(*strided, CLASSES, SPACING, 1.0)) == expected
    for volume in strided:
        volume.flags.writeable = False
    assert comparable(evaluate(*strided, CLASSES, SPACING, 1.0)) == expected
    fortran = evaluate(*map(np.asfortranarray, maps), CLASSES, SPACING, 1.0)
    for name, score in evaluate(*maps, CLASSES, SPACING, 1.0).items():
        assert fortran[name][:7] == pytest.approx(score[:7], rel=1e-12, nan_ok=True)


def test_threads_do_not_change_a_bit(maps):
    big = [np.kron(v, np.ones((4, 4, 4), np.uint8)) for v in maps]
    one, two = (evaluate(*big, CLASSES, SPACING, 1.0, assd=True, threads=n) for n in (1, 3))
    assert comparable(one) == comparable(two)


@pytest.mark.parametrize("labels", [(300, 70, 9), (65535, 256, 0), (4, 5, 6)])
def test_labels_may_be_any_number_of_two_bytes(maps, expected, labels):
    table = np.array([7777, *labels], np.int32)
    classes = dict(zip(CLASSES, labels, strict=True))
    for dtype in (np.int32, np.int64, np.uint16):
        one, two = (table[volume].astype(dtype) for volume in maps)
        assert comparable(evaluate(one, two, classes, SPACING, 1.0)) == expected


def test_negative_and_huge_values_are_of_no_class(maps, expected):
    one, two = (volume.astype(np.int64) for volume in maps)
    one[one == 0], two[two == 0] = -1, 2**40
    assert comparable(evaluate(one, two, CLASSES, SPACING, 1.0)) == expected


def test_more_classes_than_a_byte_holds_are_scored_in_layers():
    reference = np.arange(1, 301, dtype=np.int16).reshape(10, 30)
    scores = evaluate(reference, reference, {str(n): n for n in range(1, 301)}, (1, 1), 1.0)
    assert list(scores) == [str(n) for n in range(1, 301)]
    assert all(score.dice == score.nsd == 1 for score in scores.values())


def test_a_region_is_the_union_of_its_labels_and_may_overlap_others(maps):
    whole, part = (
        evaluate(*(v.astype(bool) if n else v for v in maps), {"x": 1}, SPACING, 1.0)["x"]
        for n in (1, 0)
    )
    scores = evaluate(*maps, {"whole": [1, 2], "part": 1}, SPACING, 1.0)
    assert repr(scores["whole"]) == repr(whole)
    assert repr(scores["part"]) == repr(part)


def test_masks_may_overlap_and_score_as_maps_do(maps, expected):
    one, two = ({name: (v == label) * 7.0 for name, label in CLASSES.items()} for v in maps)
    assert comparable(evaluate_masks(one, two, SPACING, 1.0)) == expected
    with pytest.raises(DataError, match="absent"):
        evaluate_masks(
            {"one": one["one"]}, {"one": two["one"], "absent": two["absent"]}, SPACING, 1
        )


def test_tolerances_belong_to_classes(maps):
    scores = evaluate(*maps, {"one": 1, "two": 2}, SPACING, {"one": 0.0, "two": 50.0})
    assert scores["one"].nsd < 0.9
    assert scores["two"].nsd == pytest.approx(1)


def test_a_failed_prediction_gets_the_worst_of_everything(maps):
    score = worst(maps[1], CLASSES, SPACING)["one"]
    assert (score.dice, score.nsd, score.flag) == (0, 0, "failed")
    assert score.hd95_mm == pytest.approx(np.linalg.norm(np.multiply(maps[1].shape, SPACING)))
    assert score.volume_mm3_reference == pytest.approx((maps[1] == 1).sum() * np.prod(SPACING))


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"prediction": np.zeros((12, 15, 18))}, DataError, "prediction must hold integer"),
        ({"prediction": np.zeros((12, 15, 17), int)}, DataError, r"\(12, 15, 17\).*resample"),
        ({"spacing_mm": (1, 1)}, DataError, "spacing_mm must be 3 positive"),
        ({"spacing_mm": (1, 0, 1)}, DataError, "spacing_mm must be 3 positive"),
        ({"tolerance_mm": {"one": 1.0}}, SpecError, "no entry for class 'two'"),
        ({"tolerance_mm": -1.0}, SpecError, "0 mm or more"),
        ({"definition": "edges"}, SpecError, "'surface' or 'voxel'"),
        ({"percentiles": [101]}, SpecError, "between 0 and 100"),
        ({"classes": {"one": -1}}, SpecError, "labels between 0 and 65535"),
        ({"classes": {"one": []}}, SpecError, "labels between 0 and 65535"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_way_out(maps, change, error, says):
    arguments = {
        "prediction": maps[0],
        "reference": maps[1],
        "classes": CLASSES,
        "spacing_mm": SPACING,
        "tolerance_mm": 1.0,
    } | change
    with pytest.raises(error, match=says):
        evaluate(**arguments)


@pytest.mark.parametrize("shape", [(0, 3, 3), (2, 2, 2, 2), (4,)])
def test_only_slices_and_volumes_are_scored(shape):
    with pytest.raises(DataError, match="at least one voxel"):
        evaluate(np.zeros(shape, int), np.zeros(shape, int), {"x": 1}, (1,) * len(shape), 1.0)
