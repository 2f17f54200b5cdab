"""A case is what is left of a file's name, and no case has two files."""

import unicodedata

import pytest
from voxbench.data.volume_files import stem_of, volume_files
from voxbench.errors import DataError


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.nii.gz", "a"),
        ("a.NII.GZ", "a"),
        ("a.Nii", "a"),
        ("1.2.840.1.nii.gz", "1.2.840.1"),
        ("s1.v2.nii", "s1.v2"),
        ("a.nrrd", "a"),
        ("a.MHA", "a"),
        ("a.npz", "a"),
        ("a.seg.nrrd", "a.seg"),
        ("a.gz", None),
        ("a.json", None),
        ("a.nhdr", "a"),
        ("a.raw", None),
    ],
)
def test_a_stem_is_the_name_without_the_ending_of_a_volume(name, stem):
    assert stem_of(name) == stem


def test_letters_are_composed_as_tables_write_them():
    assert stem_of(unicodedata.normalize("NFD", "Müller.nii")) == "Müller"


def test_endings_may_be_mixed_in_a_folder_and_hidden_files_are_none(tmp_path):
    for name in ("b.NII", "a.nii.gz", "c.mha", "._a.nii.gz", "notes.txt"):
        (tmp_path / name).touch()
    assert {stem: path.name for stem, path in volume_files(tmp_path).items()} == {
        "a": "a.nii.gz", "b": "b.NII", "c": "c.mha",
    }  # fmt: skip


@pytest.mark.parametrize("other", ["a.nii", "a.NII.GZ", "a.nrrd"])
def test_two_files_of_one_case_are_an_error(tmp_path, other):
    (tmp_path / "a.nii.gz").touch()
    (tmp_path / other).touch()
    with pytest.raises(DataError, match="are one case; remove one of them"):
        volume_files(tmp_path)


def test_a_folder_that_is_not_there_holds_nothing(tmp_path):
    assert volume_files(tmp_path / "nowhere") == {}
