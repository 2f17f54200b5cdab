import pytest
from voxbench.analyses.comparison import compare_arms, compare_mixed
from voxbench.errors import RecordError

from tests.analyses.records import MASKED, SCRATCH, cases, record, stored


def test_two_arms_are_compared_at_every_fraction_they_share(tmp_path):
    for arm, extra in ((SCRATCH, 0.0), (MASKED, 0.1)):
        scores = cases(lambda i, c, extra=extra: 0.5 + 0.01 * i + extra)
        for task in ("openkbp", "hippocampus"):
            for fraction in ("3 shots", "100%"):
                stored(tmp_path, record(scores, arm, task=task, fraction=fraction))
    table = compare_arms(tmp_path, "masked", "scratch")
    assert [(row["task"], row["fraction"]) for row in table.rows] == [
        ("hippocampus", "3 shots"), ("hippocampus", "100%"),
        ("openkbp", "3 shots"), ("openkbp", "100%"),
    ]  # fmt: skip
    assert {row["verdict"] for row in table.rows} == {"better"}


@pytest.mark.parametrize("compare", [compare_arms, compare_mixed])
def test_arms_that_share_no_task_can_not_be_compared(tmp_path, compare):
    stored(tmp_path, record(cases(lambda i, c: 0.5), task="a"), record(None, MASKED, task="b"))
    with pytest.raises(RecordError, match="no task, fraction, recipe and data in common"):
        compare(tmp_path, MASKED, SCRATCH)


def test_arms_that_share_no_run_have_no_model(tmp_path):
    scores = cases(lambda i, c: 0.5)
    stored(tmp_path, record(scores, seed=0), record(scores, MASKED, seed=1))
    with pytest.raises(RecordError, match="no task, fraction, recipe and data in common"):
        compare_mixed(tmp_path, MASKED, SCRATCH)
