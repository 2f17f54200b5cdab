"""What a plan asks of a record is what the whole record says, however it is laid out."""

import json

import pytest
from voxbench.errors import RecordError
from voxbench.records.glance import verdict_digest
from voxbench.records.provenance import Contamination

from tests.analyses.records import cases, record, stored

JUDGED = Contamination(status="overlaps (by case)", shared=["a", "b\n }"], reason="of a scan")
KINDS = {
    "finished": record(cases(lambda i, c: 0.5)),
    "smoke": record(cases(lambda i, c: 0.5), smoke=True),
    "imported": record(cases(lambda i, c: 0.5), cost=None),
    "long": record(cases(lambda i, c: 0.5), cell={"recipe": {"note": "x" * 100_000}}),
    "judged": record(cases(lambda i, c: 0.5), contamination=JUDGED),
    "failed": record(None, failure="boom"),
    "failed without a word": record(None, failure=None),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("indent", [None, 1])
def test_a_glance_says_what_the_record_says(tmp_path, kind, indent):
    store = stored(tmp_path, KINDS[kind])
    [path] = store.files()
    path.write_text(json.dumps(json.loads(path.read_bytes()), indent=indent))
    [found], [whole] = store.glances(), store
    assert (found.key, found.smoke) == (whole.key, whole.smoke)
    assert found.seconds == (whole.cost.seconds if whole.cost else None)
    assert (found.failure is None) == (whole.status == "ok")
    assert found.verdict == verdict_digest(whole.contamination)


def test_a_record_that_ends_early_is_no_finished_cell(tmp_path):
    store = stored(tmp_path, KINDS["finished"])
    [path] = store.files()
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(RecordError, match="not a record"):
        list(store.glances())
