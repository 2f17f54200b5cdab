import numpy as np
import pytest
from voxbench.analyses.curves import fitted_curves, learning_curves
from voxbench.analyses.label_efficiency import times, vanishing, worth
from voxbench.analyses.pairing import twins
from voxbench.analyses.read import read_groups
from voxbench.stats.metric import METRICS

from tests.analyses.records import LABELLED, MASKED, SCRATCH, cases, record

ONE_RUN = "1 run: the interval leaves out the spread between seeds"
HIGHEST = "the highest fraction: only a multiplier below 1 can be seen here"


def both(twin, arm, metric="dice", patients=20, noise=0.01, seeds=1):
    """Scores at 3, 10, 16 and 160 labelled patients by a function of n."""
    rng = np.random.default_rng(0)
    records = []
    for fraction, n in LABELLED.items():
        for name, score in ((SCRATCH, twin), (MASKED, arm)):
            jitter = rng.normal(0, noise, patients)
            level = score(n)
            found = cases(lambda i, c, s=level, j=jitter: s + j[i] + 0.002 * i, patients)
            records += [record(found, name, fraction=fraction, seed=seed) for seed in range(seeds)]
    [made] = learning_curves(twins(read_groups(records), METRICS[metric]))
    return made


def law(n, times=1.0):
    """A curve; with `times`, one whose labels count so often."""
    return 0.85 - 0.6 * (times * n) ** -0.5


def test_labels_that_count_double_are_worth_two():
    rows = worth(both(law, lambda n: law(n, 2.0)))
    assert [row.labels for row in rows] == [3, 10, 16, 160]
    for row in rows[:3]:
        assert row.fitted.mean == pytest.approx(2.0, rel=0.15)
        assert row.fitted.low < 2.0 < row.fitted.high
    for row in rows[:2]:  # between 10% and 100% a straight line is far from the curve
        assert row.direct.mean == pytest.approx(2.0, rel=0.25)


def test_beyond_the_twins_best_score_it_is_refused():
    last = worth(both(law, lambda n: law(n, 2.0)))[-1]
    assert np.isnan(last.fitted.mean)
    assert last.refused == "the arm is above the twin's highest score"


@pytest.mark.parametrize(("seeds", "told"), [(1, [ONE_RUN]), (2, [])])
def test_one_run_and_what_the_highest_fraction_can_show_are_told(seeds, told):
    curves = both(law, lambda n: law(n, 2.0), seeds=seeds)
    notes = [row.note.split("; ") if row.note else [] for row in worth(curves)]
    assert notes == [told, told, told, [*told, HIGHEST]]


@pytest.mark.parametrize(("seeds", "told"), [(1, ONE_RUN), (2, "")])
def test_one_run_is_told_of_where_a_benefit_vanishes(seeds, told):
    gains = dict(zip(LABELLED.values(), (0.1, 0.05, 0.0, 0.0), strict=True))
    assert vanishing(both(law, lambda n: law(n) + gains[n], seeds=seeds), 0.01).note == told


def test_below_the_twins_worst_score_it_is_refused():
    first = worth(both(law, lambda n: law(n, 0.3)))[0]
    assert first.refused == first.refused_direct == "the arm is below the twin's lowest score"


def test_a_bound_that_the_data_do_not_give_is_open():
    rows = worth(both(law, lambda n: law(n, 6.5), noise=0.03))
    assert rows[2].fitted.high == np.inf
    assert np.isfinite(rows[2].fitted.mean)


def test_a_flat_twin_is_refused():
    rows = worth(both(lambda n: 0.7, lambda n: 0.75))
    assert all("flat" in row.refused for row in rows)


def test_a_twin_that_falls_is_refused_with_the_place():
    found = worth(both(lambda n: 0.8 if n == 10 else law(n), law))[0]
    assert found.refused.endswith("it falls between 10 shots and 10%")


def test_few_patients_are_refused():
    assert worth(both(law, law, patients=4))[0].refused == "4 test patients, 6 are needed"


def test_two_fractions_interpolate_but_fit_nothing():
    made = both(law, lambda n: law(n, 2.0))
    keep = [r for r in worth(_first(made, 2)) if r.labels == 3]
    assert keep[0].refused == "2 fractions, 3 are needed"
    assert keep[0].direct.mean > 1


def _first(made, n):
    from dataclasses import replace

    cut = {k: getattr(made, k)[:n] for k in ("labels", "fractions", "patients")}
    cut |= {k: getattr(made, k)[:n] for k in ("arm_scores", "twin_scores")}
    cut |= {k: getattr(made, k)[:, :n] for k in ("arm_drawn", "twin_drawn")}
    return replace(made, **cut)


def test_distances_work_the_other_way_round():
    rows = worth(both(law, lambda n: law(n, 2.0), metric="hd95_mm"))
    assert rows[1].fitted.mean == pytest.approx(2.0, rel=0.2)


def test_the_curve_of_arm_and_twin_have_bounds():
    arm, twin = fitted_curves([both(law, lambda n: law(n, 2.0))])
    assert (arm.arm, twin.arm) == (MASKED, SCRATCH)
    assert twin.ceiling.low <= twin.ceiling.mean <= twin.ceiling.high
    assert twin.exponent.mean == pytest.approx(0.5, abs=0.1)
    assert twin.refused == ""


def gain(*gains):
    by_labels = dict(zip(LABELLED.values(), gains, strict=True))
    return both(law, lambda n: law(n) + by_labels[n])


def test_the_benefit_vanishes_between_two_fractions():
    # from 0.05 at 10 to 0 at 16: 0.01 is reached at four fifths of the way in log labels
    found = vanishing(gain(0.1, 0.05, 0.0, 0.0), 0.01)
    assert found.labels.mean == pytest.approx(10 * 1.6**0.8, rel=0.1)
    assert 10 < found.labels.low <= found.labels.mean <= found.labels.high < 160


@pytest.mark.parametrize(
    ("gains", "reason"),
    [
        ((0.0, 0.0, 0.0, 0.0), "no fraction with a demonstrable benefit"),
        ((0.1, 0.1, 0.1, 0.1), "still above the margin at 100%, the largest fraction"),
    ],
)
def test_a_benefit_that_is_not_there_or_stays_has_no_such_point(gains, reason):
    assert vanishing(gain(*gains), 0.01).refused == reason


def test_a_benefit_within_the_margin_is_none():
    assert "within the margin" in vanishing(gain(0.05, 0.05, 0.0, 0.0), 0.2).refused


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ((2.06, 1.0, 3.0), "2.1× [1.0, 3.0]"),
        ((2.0, 1.0, float("inf")), "2.0× [1.0, …]"),
        ((2.0, 0.0, 3.0), "2.0× […, 3.0]"),
        ((float("nan"),) * 3, "–"),
    ],
)
def test_an_end_that_the_data_do_not_give_is_open(found, text):
    assert times(*found) == text
