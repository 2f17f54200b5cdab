"""Thick slices are known before a case is prepared, and what trains on them asks."""

import numpy as np
import pytest
from voxbench.data import cell_data
from voxbench.data.cell_data import load_cell_data
from voxbench.data.dataset import open_dataset
from voxbench.data.voxel_size import across_slices, voxel_size
from voxbench.design.cell import Cell, Ref
from voxbench.design.fraction import Fraction
from voxbench.design.preprocessing import Preprocessing
from voxbench.design.recipe import Recipe

from tests.data.toy import toy, write_case

OWN = Preprocessing(axes="SPL")
THICK = np.diag([1.5, 1.4, 8.0, 1.0])


@pytest.fixture
def dataset(tmp_path):
    """Cases with slices of 8 mm, but one with cubes."""
    affines = [THICK] * 5 + [np.eye(4)]
    cases = [
        write_case(tmp_path, f"case{index}", affine=affine) for index, affine in enumerate(affines)
    ]
    return open_dataset(toy(tmp_path, cases))


def test_it_is_the_median_of_the_training_images_along_the_prepared_axes(dataset):
    assert voxel_size(dataset, OWN) == pytest.approx((8.0, 1.4, 1.5))
    assert across_slices(dataset, OWN) == 0


def test_a_grid_of_its_own_says_it(dataset):
    assert across_slices(dataset, Preprocessing(spacing_mm=(1, 1, 2))) is None
    assert across_slices(dataset, Preprocessing(spacing_mm=(1, 4, 1))) == 1


@pytest.mark.parametrize(("asked", "axis"), [(False, None), (True, 0)])
def test_training_asks_for_it_where_the_recipe_does(dataset, monkeypatch, asked, axis):
    seen = []
    monkeypatch.setattr(cell_data, "augmented_batches", lambda *_, thick, **__: seen.append(thick))
    recipe = Recipe(steps=1, patch=(8, 8, 8), dummy_2d=asked)
    cell = Cell(
        task=Ref("toy"), baseline=Ref("scratch"), fraction=Fraction(share=1.0), draw=0, seed=0,
        adaptation="full", recipe=recipe,
    )  # fmt: skip
    load_cell_data(cell, dataset, OWN)
    assert seen == [axis]
