import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from scipy.stats import kstest, uniform
from voxbench.api import IGNORED
from voxbench.data import cache, spatial
from voxbench.data.cache import Prepared, PreparedCase
from voxbench.data.geometry import choose_grid
from voxbench.data.patches import Patches
from voxbench.data.spatial import Moves, copy_moved, thick_axis
from voxbench.design.preprocessing import Preprocessing

DRAWS = 4000
OUTSIDE = [-9.0, -7.0]


@pytest.fixture
def stored(tmp_path):
    """A case in the cache's own form."""

    def store(image, label):
        grid = choose_grid(image, np.eye(4), Preprocessing(crop="none"))
        labelled = frozenset() if label is None else None
        prepared = Prepared(image, label, grid, OUTSIDE)
        cache.store_case(tmp_path / "case", prepared, ["a", "b"], labelled, [])
        return PreparedCase("case", "patient", tmp_path / "case")

    return store


@pytest.fixture
def case(stored):
    random = np.random.default_rng(0)
    label = random.integers(0, 3, (8, 9, 7)).repeat(4, 0).repeat(4, 1).repeat(4, 2)
    return stored(random.normal(size=(2, *label.shape)).astype(np.float32), label.astype(np.uint8))


def moved(case, corner, matrix, side=10):
    images, labels = np.empty((2, *(side,) * 3), np.float32), np.empty((side,) * 3, np.uint8)
    copy_moved(case, case.label, corner, np.asarray(matrix, float), images, labels)
    return images, labels


def matrices(**forbidden):
    moves = Moves(seed=3, **forbidden)
    found = [moves.matrix(step, slot) for step in range(DRAWS // 2) for slot in range(2)]
    return [matrix for matrix in found if matrix is not None]


def scale_of(matrix):
    return np.cbrt(np.linalg.det(matrix))


def angles_of(matrix):
    """Of turns about the first axis, then the second, then the third."""
    turn = matrix / scale_of(matrix)
    return (
        np.arctan2(turn[2, 1], turn[2, 2]),
        np.arcsin(turn[2, 0]),
        np.arctan2(turn[1, 0], turn[0, 0]),
    )


def within(count, share):
    """Four deviations of a binomial."""
    return pytest.approx(DRAWS * share, abs=4 * np.sqrt(DRAWS * share * (1 - share)))


def test_one_patch_of_five_is_turned_one_is_scaled_each_by_itself():
    found = matrices()
    turned = [not np.allclose(matrix, np.eye(3) * matrix[0, 0]) for matrix in found]
    scaled = [abs(scale_of(matrix) - 1) > 1e-9 for matrix in found]
    both = [a and b for a, b in zip(turned, scaled, strict=True)]
    assert [sum(turned), sum(scaled), sum(both)] == [within(DRAWS, p) for p in (0.2, 0.2, 0.04)]


def test_turns_are_uniform_up_to_30_degrees_about_each_axis():
    drawn = np.array([angles_of(matrix) for matrix in matrices(scaling=False)])
    for angles in np.degrees(drawn).T:
        assert kstest(angles, uniform(-30, 60).cdf).pvalue > 0.01


def test_a_patch_shows_uniformly_0_7_to_1_4_times_its_width():
    scales = [scale_of(matrix) for matrix in matrices(rotation=False)]
    assert kstest(scales, uniform(0.7, 0.7).cdf).pvalue > 0.01


def test_what_is_forbidden_is_left_out_and_changes_nothing_else():
    moves, turns = Moves(5), Moves(5, scaling=False)
    pairs = [(moves.matrix(step, 0), turns.matrix(step, 0)) for step in range(200)]
    assert Moves(5, rotation=False, scaling=False).matrix(0, 0) is None
    for both, turned in pairs:
        if turned is not None:
            assert both / scale_of(both) == pytest.approx(turned)


@pytest.mark.parametrize(
    ("spacing", "axis"),
    [((1, 1, 3), 2), ((10, 1.5, 1.4), 0), ((1, 5, 1), 1), ((1, 2.9, 1), None), ((2, 3, 5), None),
     ((4, 4, 1), None)],
)  # fmt: skip
def test_slices_are_thick_from_three_times_the_next_side_on(spacing, axis):
    assert thick_axis(spacing) == axis


def test_thick_slices_are_turned_and_scaled_in_their_plane_alone():
    found = matrices(thick=1)
    for matrix in found:
        assert np.array_equal(matrix[1], [0, 1, 0])
        assert np.array_equal(matrix[:, 1], [0, 1, 0])
    planes = np.array([matrix[::2, ::2] for matrix in found])
    scales = np.sqrt(np.linalg.det(planes))
    angles = np.degrees(np.arctan2(planes[:, 1, 0], planes[:, 0, 0]))
    assert kstest(angles[angles != 0], uniform(-180, 360).cdf).pvalue > 0.01
    assert kstest(scales[abs(scales - 1) > 1e-9], uniform(0.7, 0.7).cdf).pvalue > 0.01


def test_a_flat_move_mixes_no_slices(stored):
    image = np.arange(20, dtype=np.float32)[None, None, :, None] * np.ones((2, 20, 20, 20))
    whole = stored(image.astype(np.float32), np.ones((20, 20, 20), np.uint8))
    matrix = next(m for m in matrices(thick=1) if abs(m[0, 2]) > 0.3)
    images, labels = moved(whole, [6, 5, 6], matrix, 6)
    inside = labels == 1
    assert inside.mean() > 0.9
    expected = np.broadcast_to(np.arange(5.0, 11)[None, :, None], (6, 6, 6))
    assert images[0][inside] == pytest.approx(expected[inside], abs=1e-4)


def test_image_and_label_agree_with_an_independent_interpolation(case):
    matrix = spatial._rotation(np.array([0.3, -0.5, 0.2])) * 1.3
    images, labels = moved(case, [9, 12, 8], matrix)
    grid = np.indices((10, 10, 10)).reshape(3, -1) - 4.5
    places = matrix @ grid + np.array([[13.5], [16.5], [12.5]])
    for found, channel in zip(images, case.image, strict=True):
        expected = map_coordinates(channel, places, order=1, prefilter=False)
        assert found.ravel() == pytest.approx(expected, abs=1e-5)
    votes = [
        map_coordinates((case.label == value).astype(float), places, order=1) for value in range(3)
    ]
    assert np.array_equal(labels.ravel(), np.argmax(votes, axis=0))


def test_a_patch_that_is_not_turned_is_a_plain_copy(case):
    images, labels = moved(case, [3, 4, 5], np.eye(3))
    assert images == pytest.approx(case.image[:, 3:13, 4:14, 5:15], abs=1e-5)
    assert np.array_equal(labels, case.label[3:13, 4:14, 5:15])


def test_a_moved_patch_shows_what_lies_around_it_not_a_filler(stored):
    image = np.ones((2, 40, 40, 40), np.float32)
    whole = stored(image, np.ones((40, 40, 40), np.uint8))
    images, labels = moved(whole, [12, 12, 12], spatial._rotation(np.full(3, 0.5)) * 1.4, 16)
    assert np.all(images == 1)
    assert np.all(labels == 1)


def test_outside_the_case_lie_its_value_and_background(stored):
    whole = stored(np.ones((2, 12, 12, 12), np.float32), np.ones((12, 12, 12), np.uint8))
    images, labels = moved(whole, [1, 1, 1], np.eye(3) * 2)
    # ten voxels two apart, about 5.5: the outer four of each axis lie beyond 0…11
    assert np.all(images[:, 2:8, 2:8, 2:8] == 1)
    assert np.all(labels[2:8, 2:8, 2:8] == 1)
    assert labels.sum() == 6**3
    assert [images[0, 0, 0, 0], images[1, 9, 9, 9]] == OUTSIDE


def test_a_case_that_nobody_labelled_is_moved_too(stored):
    whole = stored(np.ones((2, 20, 20, 20), np.float32), None)
    _, labels = moved(whole, [5, 5, 5], np.eye(3) * 0.8)
    assert np.all(labels == IGNORED)


def test_a_stream_moves_the_patches_that_its_moves_say(case):
    moves = Moves(seed=1)
    plain = Patches([case], {"a": 1, "b": 2}, (10, 10, 10), 2, 0.5, seed=0)
    stream = Patches([case], {"a": 1, "b": 2}, (10, 10, 10), 2, 0.5, seed=0, moves=moves)
    for step in range(12):
        before, after = plain.batch(step), stream.batch(step)
        for slot in range(2):
            same = np.array_equal(before.images[slot], after.images[slot])
            assert same == (moves.matrix(step, slot) is None)
