import numpy as np
import pytest
from voxbench.data.folder_card import card_name, median_spacing, modality_of, tolerances
from voxbench.errors import DataError

from tests.data.toy import save, volumes


def test_the_spacing_is_the_median_of_what_can_be_read(tmp_path):
    paths = [
        save(tmp_path / f"{mm}.nii", volumes()[0], np.diag([mm, mm, 3.0, 1.0])) for mm in (1, 2, 9)
    ]
    (tmp_path / "broken.nii").write_bytes(b"")
    assert median_spacing([*paths, tmp_path / "broken.nii"]) == (2, 2, 3)
    with pytest.raises(DataError, match=r"no image whose header can be read: .*broken\.nii"):
        median_spacing([tmp_path / "broken.nii"])


def test_microns_are_not_rounded_away(tmp_path):
    path = save(tmp_path / "a.nii", volumes()[0], np.diag([0.00325, 0.00325, 0.05, 1.0]))
    assert median_spacing([path]) == (0.00325, 0.00325, 0.05)


def test_names_of_folders_and_channels_become_what_cards_allow():
    assert card_name("Toy Organs, 2nd") == "toy-organs-2nd"
    assert card_name("***") == "unnamed"
    assert card_name("肝脏 CT") != card_name("肾脏 CT")
    assert card_name("肝脏 CT").startswith("ct-")
    assert [modality_of([name]) for name in ("ct", "PET", "t1gd", "octet")] == [
        "CT",
        "PET",
        "MR",
        "other",
    ]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (
            "CT",
            ["CTA", "NCCT", "cbct", "4DCT", "ct_scan", "CTscan", "CT_T1", "HU", "CT1", "CT/PET"],
        ),
        ("PET", ["SUV", "PT", "FDG-PET", "pet", "PET/CT"]),
        ("MR", ["cT1", "T1CT", "t1ct", "T2w", "MRI", "bmode_MR"]),
        ("other", ["OCT", "SPECT", "zscore", "noNorm", "contrast", "structural", "husky"]),
    ],
)
def test_a_modality_is_read_from_whatever_a_channel_is_called(kind, names):
    assert {name: modality_of([name]) for name in names} == dict.fromkeys(names, kind)


def test_channels_of_two_modalities_are_told_apart():
    assert modality_of(["CT", "PET"]) == ("CT", "PET")
    assert modality_of(["CT", "T1", "dose"]) == ("CT", "MR", "other")
    assert modality_of(["T2", "ADC"]) == modality_of(["T2", "unheard of"]) == "MR"
    assert modality_of(["CT", "ct portal"]) == "CT"
    assert tolerances({"a": 1}, ("MR", "PET"), None) == {"a": 2.0}


def test_tolerances_are_given_for_all_classes_or_by_class():
    classes = {"liver": 1, "aorta": 2}
    assert tolerances(classes, "CT", 3) == {"liver": 3.0, "aorta": 3.0}
    assert tolerances(classes, "CT", ("liver=5",)) == {"liver": 5.0, "aorta": 2.0}
    assert tolerances(classes, "MR", {"liver": 5}) == {"liver": 5.0, "aorta": 1.0}


@pytest.mark.parametrize(
    ("given", "message"),
    [(("lever=5",), "Did you mean 'liver'"), (("liver=wide",), "expected millimetres for 'liver'")],
)
def test_a_tolerance_of_no_class_is_refused(tmp_path, given, message):
    with pytest.raises(DataError, match=message):
        tolerances({"liver": 1}, "CT", given, tmp_path)
