"""A key says which version of what it was trained by, where another one gave other numbers."""

from voxbench.design.preprocessing import Preprocessing, Rescale, Window, ZScore
from voxbench.design.recipe import Pretraining, Recipe
from voxbench.design.versions import augmentation_version, outside_version


def test_the_version_enters_where_patches_are_turned_and_scaled():
    light, full = Recipe(augmentation="light"), Recipe(augmentation="full")
    assert augmentation_version(light, None, Pretraining(augmentation="none")) == {}
    assert augmentation_version(full, None) == {"augmentation": 2}
    assert augmentation_version(light, Pretraining(augmentation="spatial")) == {"augmentation": 2}


def test_the_version_enters_where_the_former_rule_gave_other_numbers():
    from_zero = Preprocessing(intensity=Window(low=0, high=1))
    assert outside_version(from_zero) == {}
    for rule in (ZScore(), Rescale(to=(-1.0, 1.0))):
        assert outside_version(Preprocessing(intensity=rule)) == {"outside": 2}
