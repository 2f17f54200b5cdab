import numpy as np
import pytest
from voxbench.analyses.ranks.board import boards
from voxbench.analyses.ranks.sensitivity import sensitivity
from voxbench.analyses.read import read_groups
from voxbench.stats.metric import METRICS

from tests.analyses.records import MASKED, SCRATCH, cases, record


def groups(missing=False):
    """MASKED is far ahead on a small task, a little behind on a large one."""
    gains = {"small": (0.2, 6), "large": (-0.05, 60)}
    records = [
        record(cases(lambda i, c, e=extra: 0.5 + e, patients), arm, task=task)
        for task, (gain, patients) in gains.items()
        for arm, extra in ((SCRATCH, 0.0), (MASKED, gain))
    ]
    return read_groups(records[:-1] if missing else records)


def found(missing=False):
    given = groups(missing)
    [reference] = boards(given, METRICS["dice"])
    rows = sensitivity(given, reference)
    return {(row.metric, row.aggregation, row.policy): row for row in rows}


def test_the_aggregation_can_turn_the_ranking_round():
    rows = found()
    assert len(rows) == 3 * 3 * 3
    assert rows["dice", "tasks", "complete"].leader == (MASKED,)
    assert rows["dice", "patients", "complete"].leader == (SCRATCH,)
    assert rows["dice", "patients", "complete"].tau == pytest.approx(-1)
    assert rows["dice", "borda", "complete"].leader == (MASKED, SCRATCH)
    assert np.isnan(rows["dice", "borda", "complete"].tau)


def test_the_policy_decides_what_a_missing_task_is():
    rows = found(missing=True)
    assert rows["dice", "tasks", "complete"].leader == (MASKED,)  # the small task alone
    assert rows["dice", "tasks", "available"].leader == (MASKED,)  # 0.7 against 0.5
    assert rows["dice", "tasks", "worst"].leader == (SCRATCH,)  # 0.35 against 0.5
