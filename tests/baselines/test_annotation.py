"""Fewer structures and wrong masks: nested, repeatable, and of the declared share."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from voxbench.data.prepare import prepare_cases
from voxbench_baselines.annotation import Reannotated, chosen_structures, with_errors, wrong_mask

from tests.data.toy import ball, toy, write_case

CLASSES = tuple(f"organ{i}" for i in range(25))


class Drawn:
    """Draws an error of a given kind, always in the same direction."""

    def __init__(self, kind: int) -> None:
        self.kind = kind

    def integers(self, _high: int) -> int:
        return self.kind

    def normal(self, size: int) -> np.ndarray:
        return np.array([1.0, 0.0, 0.0])[:size]


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    folder = tmp_path_factory.mktemp("annotation")
    task = toy(folder, [write_case(folder, "case0")])
    return prepare_cases(task.card, task.cases()["all"], task.card.preprocessing)["case0"]


def view(case, structures=("ball", "box"), noise=0.0, seed=0) -> Reannotated:
    return Reannotated.of(case, ("ball", "box"), frozenset(structures), noise, seed)


@given(st.integers(0, 50), st.permutations(CLASSES))
def test_fewer_structures_are_a_subset_of_more_whatever_the_order_of_the_card(seed, classes):
    before: frozenset[str] = frozenset()
    for count in range(1, 26):
        found = chosen_structures(classes, count, seed)
        assert len(found) == count
        assert before < found
        assert found == chosen_structures(CLASSES, count, seed)
        before = found


def test_the_seed_draws_other_structures():
    assert chosen_structures(CLASSES, 5, 0) != chosen_structures(CLASSES, 5, 1)


def test_a_structure_that_is_not_chosen_counts_as_unlabelled(case):
    ball_alone = view(case, ["ball"])
    assert ball_alone.labelled == ball_alone.present == {"ball"}
    assert set(ball_alone.foreground) == {"ball"}
    assert case.present == {"ball", "box"}
    np.testing.assert_array_equal(ball_alone.label, case.label)


def test_without_noise_nothing_changes(case):
    same = view(case)
    np.testing.assert_array_equal(same.label, case.label)
    np.testing.assert_array_equal(same.image, case.image)
    for name, places in case.foreground.items():
        np.testing.assert_array_equal(same.foreground[name], places)


def test_the_share_of_wrong_masks_is_the_noise_and_more_noise_keeps_the_errors_of_less(case):
    def errors(noise: float) -> set[int]:
        return {seed for seed in range(1000) if view(case, noise=noise, seed=seed)._error("ball")}

    few, many = errors(0.1), errors(0.3)
    assert len(few) / 1000 == pytest.approx(0.1, abs=0.03)
    assert len(many) / 1000 == pytest.approx(0.3, abs=0.04)
    assert few < many
    assert not errors(0.0)


def test_the_same_case_gets_the_same_errors(case):
    views = [view(case, noise=0.99, seed=seed).label for seed in (0, 0, 1, 2, 3)]
    np.testing.assert_array_equal(views[0], views[1])
    assert any(not np.array_equal(views[0], other) for other in views[2:])
    assert not np.array_equal(views[0], case.label)


def test_foreground_lies_in_the_wrong_masks(case):
    for seed in range(8):
        noisy = view(case, noise=0.99, seed=seed)
        for name, places in noisy.foreground.items():
            assert (noisy.label.flat[places] == noisy.classes.index(name) + 1).all()


@pytest.mark.parametrize(("kind", "low", "high"), [(0, 0.3, 0.6), (1, 1.6, 2.2)])
def test_a_ball_is_eroded_and_dilated_by_a_quarter_of_its_radius(kind, low, high):
    """Radius 8: two voxels, with a mask's diamond-shaped neighbourhood."""
    mask = ball((32, 32, 32), 8)
    changed = wrong_mask(mask, Drawn(kind))
    assert low < changed.sum() / mask.sum() < high
    profile = changed[:, 16, 16].sum() - mask[:, 16, 16].sum()
    assert profile == {0: -4, 1: 4}[kind]


def test_a_ball_is_shifted_by_half_its_radius():
    mask = ball((32, 32, 32), 8)
    np.testing.assert_array_equal(wrong_mask(mask, Drawn(2)), np.roll(mask, 4, axis=0))


def test_a_missing_mask_is_empty_and_a_single_voxel_survives_no_erosion():
    mask = ball((16, 16, 16), 4)
    assert not wrong_mask(mask, Drawn(3)).any()
    assert not wrong_mask(ball((9, 9, 9), 0.5), Drawn(0)).any()


def test_a_shift_out_of_the_volume_loses_voxels_and_wraps_nothing():
    mask = np.zeros((10, 10, 10), bool)
    mask[8:, 4:6, 4:6] = True
    assert not wrong_mask(mask, Drawn(2))[:8].any()


def test_a_wrong_mask_takes_no_voxel_of_another_structure():
    label = np.zeros((20, 20, 20), np.uint8)
    label[ball(label.shape, 6)] = 1
    label[:, :, 12:][label[:, :, 12:] == 0] = 2
    result = with_errors(label, {1: Drawn(1)})
    assert (result[label == 2] == 2).all()
    assert (result == 1).sum() > (label == 1).sum()


def test_a_reannotated_case_can_be_sent_to_a_worker(case):
    noisy = view(case, ["ball"], noise=0.5, seed=3)
    noisy.label.sum()
    again = pickle.loads(pickle.dumps(noisy))
    assert again == noisy
    assert again.labelled == {"ball"}
