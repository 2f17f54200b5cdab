"""What `voxbench run --predictions` leaves is what a bundle is verified by."""

import pytest
from voxbench.design.sweep_file import parse_sweep
from voxbench.running.options import Options
from voxbench.running.sweep import run_sweep
from voxbench.submission.evidence import Evidence
from voxbench.submission.merge import merge
from voxbench.submission.pack import pack
from voxbench.submission.verify import verify_bundle

from tests.submission.made import SWEEP


@pytest.mark.slow
def test_a_sweep_that_was_run_is_packed_verified_and_added(tmp_path):
    """Scratch and an arm that is pre-trained here, a few steps each, scored on their label maps."""
    changes = {"fractions": ["2 shots"], "seeds": 1}
    sweep = parse_sweep({**SWEEP, **changes})
    run_sweep(sweep, tmp_path / "run", Options(jobs=1, predictions=True))
    packed = pack(tmp_path / "run", tmp_path / "b.zip", with_predictions=True)
    assert (len(packed.records), packed.label_maps) == (2, 8)
    results = tmp_path / "results"
    found = verify_bundle(tmp_path / "b.zip", Evidence(results))
    assert found.errors == []
    assert len(merge(found, results).new) == 2
