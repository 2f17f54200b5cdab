"""An effect against a twin that has not converged is a head start, in every table."""

import numpy as np
import pytest
from voxbench.analyses.effects import effects
from voxbench.analyses.means import means
from voxbench.analyses.pairing import twins
from voxbench.analyses.ranks.leagues import task_leagues
from voxbench.analyses.read import read_groups
from voxbench.stats.metric import METRICS
from voxbench.stats.paired import worded

from tests.analyses.records import MASKED, SCRATCH, cases, record

DICE = METRICS["dice"]
FLAT = dict.fromkeys(range(1, 101), 0.3)
FALLING = {step: 2.0 - step / 100 for step in range(1, 101)}


def groups(gain: float, scratch=FLAT, masked=FLAT):
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.004, (20, 3))

    def run(arm, more, seed, training):
        found = cases(lambda i, _: 0.5 + more + noise[i, seed], 20)
        return record(found, arm, seed=seed, training=training)

    arms = (SCRATCH, 0.0, scratch), (MASKED, gain, masked)
    return read_groups(
        run(arm, more, seed, training) for arm, more, training in arms for seed in range(3)
    )


@pytest.mark.parametrize(
    ("gain", "scratch", "masked", "verdict"),
    [
        (0.05, FLAT, FLAT, "better"),
        (0.05, {}, {}, "better"),
        (0.05, FALLING, FLAT, "head start"),
        (0.05, FLAT, FALLING, "better"),
        (-0.05, FLAT, FLAT, "worse"),
        (-0.05, FLAT, FALLING, "behind"),
        (0.0, FALLING, FALLING, "equivalent"),
    ],
)
def test_the_word_depends_on_the_one_that_lies_behind(gain, scratch, masked, verdict):
    [effect] = effects(twins(groups(gain, scratch, masked), DICE), 0.01)
    assert effect.verdict == verdict


def test_a_row_says_who_has_converged_and_why_not():
    [effect] = effects(twins(groups(0.05, FALLING, {}), DICE), 0.01)
    assert (effect.converged, effect.other_converged) == ("unknown", "no")
    assert (
        f"not converged: loss still falls, by 0.25 in the last quarter of the steps ({SCRATCH})"
        in (effect.note)
    )
    assert [mean.converged for mean in means(groups(0.05, FALLING, {}))] == ["no", "unknown"]


def test_ranks_and_their_pairs_say_so_too():
    [league] = task_leagues(groups(0.05, FALLING), DICE, 0.01).values()
    assert [(row.arm, row.place) for row in league.rows] == [(MASKED, 1), (SCRATCH, 2)]
    assert "not converged" in league.rows[1].note
    assert [pair.verdict for pair in league.pairs] == ["head start"]


@pytest.mark.parametrize("verdict", ["equivalent", "undecided", ""])
def test_other_words_stay(verdict):
    assert worded(verdict, True, True) == verdict
