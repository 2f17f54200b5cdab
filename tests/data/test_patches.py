import numpy as np
import pytest
from voxbench.data.batches import augmented_batches
from voxbench.data.patches import Patches
from voxbench.data.prepare import prepare_cases
from voxbench.design.preprocessing import Preprocessing
from voxbench.design.recipe import Recipe

from tests.data.toy import card, toy, volumes, write_case

CLASSES = card().classes
RULE = Preprocessing(crop="none")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases")
    cases = [
        write_case(folder, name, *volumes(seed, (40, 40, 40))) for seed, name in enumerate("abc")
    ]
    return list(prepare_cases(toy(folder, cases).card, cases, RULE).values())


def patches(cases, patch=(8, 8, 8), batch=2, foreground=0.5, seed=3):
    return Patches(cases, CLASSES, patch, batch, foreground, seed)


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_batch_is_a_function_of_seed_and_step(prepared):
    straight = [patches(prepared).batch(step) for step in range(6)]
    fresh = patches(prepared)
    for step in (5, 2, 2, 0):
        assert same(fresh.batch(step), straight[step])
    assert not same(straight[0], straight[1])
    assert not same(patches(prepared, seed=4).batch(0), straight[0])


@pytest.mark.parametrize("level", ["none", "full"])
def test_the_shares_of_a_batch_are_its_patches(prepared, level):
    schedule = Recipe(steps=5, batch=4, patch=(8, 8, 8), augmentation=level)
    seeds = {"order": 3, "augmentation": 4}
    batches = augmented_batches(prepared, CLASSES, (1,), schedule, foreground=0.5, seeds=seeds)
    whole = batches(2)
    shares = [batches(2, range(first, first + 2)) for first in (0, 2)]
    for part, halves in zip(whole, zip(*shares, strict=True), strict=True):
        assert np.array_equal(np.concatenate(halves), part)


def test_shapes_and_types_are_those_of_the_contract(prepared):
    batch = patches(prepared, patch=(8, 10, 12), batch=3).batch(0)
    assert (batch.images.shape, batch.images.dtype) == ((3, 1, 8, 10, 12), np.float32)
    assert (batch.labels.shape, batch.labels.dtype) == ((3, 8, 10, 12), np.uint8)
    assert (batch.labelled.shape, batch.labelled.dtype) == ((3, 2), np.bool_)
    assert batch.labelled.all()


def test_a_patch_is_a_piece_of_its_case(prepared):
    batch = patches(prepared[:1], patch=(40, 40, 9), batch=4).batch(7)
    image, label = prepared[0].image[0], prepared[0].label
    for patch, classes in zip(batch.images[:, 0], batch.labels, strict=True):
        (start,) = [z for z in range(32) if np.array_equal(image[:, :, z : z + 9], patch)]
        assert np.array_equal(label[:, :, start : start + 9], classes)


def test_every_case_appears_once_a_round(prepared):
    stream = patches(prepared, batch=1, patch=(40, 40, 40))
    whole = {case.image.tobytes(): case.id for case in prepared}
    order = [whole[stream.batch(step).images.tobytes()] for step in range(30)]
    rounds = [tuple(order[i : i + 3]) for i in range(0, 30, 3)]
    assert all(sorted(one) == ["a", "b", "c"] for one in rounds)
    assert len(set(rounds)) > 1


@pytest.mark.parametrize("share", [0.0, 1 / 3, 0.67, 1.0])
def test_the_share_of_centred_patches_is_exact_and_all_classes_get_their_turn(prepared, share):
    stream = patches(prepared, patch=(1, 1, 1), batch=4, foreground=share)
    values = np.concatenate([stream.batch(step).labels.ravel() for step in range(300)])
    background = np.mean([np.mean(case.label == 0) for case in prepared])
    expected = share + (1 - share) * (1 - background)
    assert np.mean(values > 0) == pytest.approx(expected, abs=0.03)
    for value in (1, 2):  # the box is 72 voxels, the ball 4169: both are drawn alike
        random = (1 - share) * np.mean([np.mean(case.label == value) for case in prepared])
        assert np.mean(values == value) == pytest.approx(share / 2 + random, abs=0.04)


def test_padding_surrounds_a_case_that_is_smaller_than_the_patch(prepared):
    batch = patches(prepared[:1], patch=(46, 40, 41), batch=1).batch(0)
    case = prepared[0]
    assert np.array_equal(batch.images[0, 0, 3:43, :, :40], case.image[0])
    assert np.array_equal(batch.labels[0, 3:43, :, :40], case.label)
    outside = np.ones((46, 40, 41), bool)
    outside[3:43, :, :40] = False
    assert np.all(batch.images[0, 0][outside] == case.image.min())
    assert not batch.labels[0][outside].any()


def test_a_case_without_foreground_gives_random_patches(tmp_path):
    case = write_case(tmp_path, "a", label=np.zeros((20, 24, 16), np.uint8))
    cases = list(prepare_cases(toy(tmp_path, [case]).card, [case], RULE).values())
    assert not patches(cases, foreground=1.0).batch(0).labels.any()


def test_labelled_follows_the_case(tmp_path):
    from dataclasses import replace

    whole = write_case(tmp_path, "a")
    part = replace(write_case(tmp_path, "b"), labelled=frozenset({"box"}))
    cases = list(prepare_cases(toy(tmp_path, [whole, part]).card, [whole, part], RULE).values())
    found = patches(cases, batch=2).batch(0).labelled
    assert sorted(found.tolist()) == [[False, True], [True, True]]
