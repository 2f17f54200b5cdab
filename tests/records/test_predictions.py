"""Predictions stay in their folder."""

from hypothesis import given
from hypothesis import strategies as st
from voxbench.records.predictions import prediction_path


@given(st.text(min_size=1))
def test_no_case_id_leads_out_of_the_folder(tmp_path_factory, case):
    root = tmp_path_factory.getbasetemp()
    assert prediction_path(root, "key", case).parent == root / "predictions" / "key"
