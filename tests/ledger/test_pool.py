import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, ornt_transform
from scipy.ndimage import zoom
from voxbench.errors import DataError
from voxbench.ledger.look import EDGE, look_of, read_look, resampling
from voxbench.ledger.pool import FLOOR, Pool, bar

from tests.data.toy import save
from tests.ledger.phantom import person

RAS = np.diag([2.0, 2.0, 2.0, 1.0])
PEOPLE = range(14)


def ranks(array, affine=RAS):
    return look_of(np.ascontiguousarray(array, np.float32), affine).ranks


@pytest.fixture(scope="module")
def pool():
    return Pool([ranks(person(number)) for number in PEOPLE])


def to_8_bit(array):
    return np.rint(array / array.max() * 255)


def crop(array, share=0.1):
    return array[
        tuple(slice(round(n * share * 0.7), n - round(n * share * 0.3)) for n in array.shape)
    ]


ALTERED = {
    "the same": lambda a: a,
    "flip 0": lambda a: a[::-1],
    "flip 1": lambda a: a[:, ::-1],
    "flip 2": lambda a: a[:, :, ::-1],
    "swapped axes": lambda a: a.transpose(2, 0, 1),
    "coarser": lambda a: zoom(a, 0.6, order=1),
    "finer": lambda a: zoom(a, 1.7, order=1),
    "window": lambda a: np.clip(a, 25, 90),
    "scaled": lambda a: 7.5 * a - 1024,
    "gamma": lambda a: np.maximum(a, 0) ** 1.4,
    "8 bit": to_8_bit,
    "more air": lambda a: np.pad(a, ((3, 9), (0, 6), (4, 4))),
    "crop": crop,
    "noise": lambda a: a + np.random.default_rng(0).normal(0, 1.5, a.shape),
    "all": lambda a: to_8_bit(np.clip(zoom(crop(a), 0.7, order=1), 25, 90))[::-1],
}


@pytest.mark.parametrize("kind", ALTERED)
def test_an_altered_copy_is_found_and_nobody_else(pool, kind):
    found = pool.search(ranks(ALTERED[kind](person(3))))
    needed = bar([match.score for match in found])
    assert [one.position for one in found if one.score >= needed] == [3], (found[:3], needed)


def test_people_who_are_not_in_the_pool_match_nobody(pool):
    for number in range(100, 103):
        found = pool.search(ranks(person(number)))
        assert found[0].score < bar([match.score for match in found]) - 0.02


def test_a_query_can_be_left_out_of_its_own_pool(pool):
    found = pool.search(pool.looks[5], skip=5)
    assert len(found) == len(PEOPLE) - 1
    assert 5 not in [one.position for one in found]


def test_an_empty_pool_gives_no_match():
    assert Pool([]).search(ranks(person(0))) == []


def test_a_few_candidates_set_a_high_bar_and_many_a_relative_one():
    assert bar([0.1, 0.2]) > 0.8
    assert bar([0.0] * 20) == FLOOR
    assert bar([0.7] * 20) == pytest.approx(0.85)


@pytest.mark.parametrize("axes", ["LPS", "SAR", "PIR"])
def test_orientation_is_taken_from_the_affine(axes):
    array = person(1)
    turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(axes))
    turned = apply_orientation(array, turn)
    found = look_of(turned, RAS @ inv_ornt_aff(turn, array.shape))
    plain = look_of(array, RAS)
    assert np.array_equal(found.ranks, plain.ranks)
    assert found.extent_mm == pytest.approx(plain.extent_mm)


def test_the_extent_is_that_of_the_content_in_mm():
    array = np.zeros((40, 30, 20), np.float32)
    array[10:30, 5:20, 4:12] = 100 + np.arange(8)
    found = look_of(array, np.diag([1.0, 2.0, 3.0, 1.0]))
    assert found.extent_mm == pytest.approx((20, 30, 24))


@given(scale=st.floats(0.1, 1e3), offset=st.floats(-1e3, 1e3))
@settings(max_examples=5, phases=[Phase.generate])
def test_unit_and_offset_of_the_greys_do_not_matter(scale, offset):
    array = person(2, shape=(24, 24, 24))
    changed = ranks(array * scale + offset).astype(int)
    assert np.abs(changed - ranks(array)).mean() < 1


@given(size=st.integers(1, 60), target=st.integers(1, 60))
def test_resampling_keeps_a_constant(size, target):
    assert resampling(size, target).sum(1) == pytest.approx(1, abs=1e-5)


def test_nan_counts_as_air():
    array = person(4)
    array[array == array.min()] = np.nan
    assert ranks(array).shape == (EDGE,) * 3
    assert np.array_equal(ranks(array), ranks(np.nan_to_num(array, nan=np.nanmin(array))))


def test_an_image_that_shows_nothing_is_refused_by_name(tmp_path):
    save(tmp_path / "empty.nii.gz", np.ones((8, 8, 8), np.float32))
    with pytest.raises(DataError, match=r"empty.nii.gz: shows nothing"):
        read_look(tmp_path / "empty.nii.gz")
