"""Cases of nnU-Net's summaries are called as their files are."""

import json

import pytest
from voxbench.external.nnunet import read_summary


@pytest.mark.parametrize(
    ("file", "case"),
    [
        ("1.2.840.1.nii.gz", "1.2.840.1"),
        ("s1.v2.nii.gz", "s1.v2"),
        ("C:\\data\\a.NII.GZ", "a"),
        ("/data/b.mha", "b"),
        ("c.tif", "c"),
    ],
)
def test_only_the_ending_of_the_file_is_taken_off(tmp_path, file, case):
    entry = {"reference_file": file, "metrics": {"1": {"Dice": 0.5}}}
    path = tmp_path / "summary.json"
    path.write_text(json.dumps({"metric_per_case": [entry]}))
    assert [score.case for score in read_summary(path, "t", "a", "100%")] == [case]
