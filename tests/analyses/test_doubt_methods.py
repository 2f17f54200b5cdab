"""Which ways of doubting are best, which component matters, and what separates."""

import numpy as np
import pytest
from voxbench.analyses.groups import Run, Where
from voxbench.analyses.uncertainty.doubts import Doubt
from voxbench.analyses.uncertainty.findings import front_sentence
from voxbench.analyses.uncertainty.methods import (
    component_rows,
    contests,
    mean_ranks,
    method_rows,
)
from voxbench.analyses.uncertainty.rows import DoubtRow, What, doubt_rows
from voxbench.analyses.uncertainty.separation import separations
from voxbench.records.uncertainty import UncertainCase, UncertaintyRecord
from voxbench.stats.interval import Interval
from voxbench.uncertainty.failure import detect_failures

from tests.analyses.records import cases, record

PATIENTS = 16
WHERE = Where("openkbp", "full", "3 shots", "0" * 6)
RNG = np.random.default_rng(0)
NOISE = RNG.random((4, PATIENTS))


def doubt(model, score, correlations=None, shift=lambda place: ""):
    """One arm by a model that doubts case `place` of a measure and aggregation so."""
    cell = record(cases(lambda i, _: 0.3 + 0.04 * i, PATIENTS))
    found = [
        UncertainCase(
            scored=case,
            scores={
                measure: {name: score(measure, name, place) for name in ("image mean", "boundary")}
                for measure in ("expected_entropy", "mutual_information")
            },
            correlations=correlations(place) if correlations else {},
            shift=shift(place),
        )
        for place, case in enumerate(cell.cases)
    ]
    asked = {"applications": ["failure detection", "OoD detection"]}
    kept = UncertaintyRecord(
        key=model, smoke=False, sweep="test", cells=[cell.key], arm=cell.arm, seeds=[0],
        model=(model, {}), asked=asked, validation=[], test=found, seconds=1.0, environment={},
    )  # fmt: skip
    told = f'[["{model}", {{}}], {{}}, null]'
    return Doubt(WHERE, cell.arm.baseline, None, told, {Run(0, 0): kept})


def knows_by_measure(measure, name, place):
    """One measure knows which cases fail, whatever the aggregation; the other has it backwards."""
    return -float(place) if measure == "expected_entropy" else 1.0 + place


def test_methods_are_ranked_and_those_as_good_share_the_best_rank():
    doubts = [doubt("softmax", knows_by_measure), doubt("tta", knows_by_measure)]
    rows = method_rows(contests(doubts))
    best = [row for row in rows if row.rank == 2.5]  # four share the places 1 to 4
    assert {row.method.measure for row in best} == {"expected_entropy"}
    risk = 1 - (0.3 + 0.04 * np.arange(PATIENTS))
    assert best[0].value == pytest.approx(detect_failures(risk, -risk).aurc)
    assert all(row.tied for row in best)
    assert not any(row.tied for row in rows if row.method.measure == "mutual_information")
    first, *_, last = mean_ranks(rows)
    assert first[2:] == (2.5, 1, 1)
    assert last[3:] == (0, 1)


def test_the_component_that_decides_has_the_share():
    doubts = [doubt("softmax", knows_by_measure), doubt("tta", knows_by_measure)]
    [row] = component_rows(contests(doubts))
    assert row.measure.mean == pytest.approx(1)
    assert (row.model.mean, row.aggregation.mean) == pytest.approx((0, 0), abs=1e-12)
    assert row.methods == 8


def test_a_measure_that_says_nothing_is_no_method_of_the_shares():
    def one_member(measure, name, place):
        return knows_by_measure(measure, name, place) * (measure == "expected_entropy")

    doubts = [doubt("softmax", one_member), doubt("tta", knows_by_measure)]
    [row] = component_rows(contests(doubts))
    assert row.methods == 6


def test_a_measure_that_says_nothing_has_no_figures():
    """Its one risk for all cases would be told as worth of doubt, and fewer errors as its gain."""

    def one_member(measure, name, place):
        return knows_by_measure(measure, name, place) * (measure == "expected_entropy")

    silent, spoken = doubt("softmax", one_member), doubt("tta", knows_by_measure)
    assert {row.what.measure for row in doubt_rows([silent])} == {"expected_entropy"}
    assert len(doubt_rows([spoken])) == 2 * len(doubt_rows([silent]))


def rises(measure, name, place):
    """Shifted cases, every other one, are doubted by their epistemic uncertainty alone."""
    strange = place % 2 if measure == "mutual_information" else 0
    return float(strange + NOISE[1, place])


def correlated(high, low):
    return lambda place: {
        "expected_entropy": high + 0.1 * float(NOISE[2, place]),
        "mutual_information": low + 0.1 * float(NOISE[3, place]),
    }


def every_other(place):
    return "grey" if place % 2 else ""


def test_measures_that_rise_each_with_its_own_separate():
    [row] = separations([doubt("ensemble", rises, correlated(0.6, 0.1), every_other)])
    assert (row.aleatoric, row.epistemic, row.verdict) == ("yes", "yes", "separates")
    assert ": separates. Shown that aleatoric uncertainty follows the raters more" in row.sentence
    assert row.raters.mean == pytest.approx(0.5, abs=0.05)


def test_measures_of_a_stochastic_segmentation_network_are_swapped():
    [row] = separations([doubt("ssn", rises, correlated(0.6, 0.1), every_other)])
    assert (row.aleatoric, row.epistemic, row.verdict) == ("no", "no", "does not separate")
    assert "(NCC −0.5" in row.sentence


def test_what_a_task_has_none_of_is_not_asked():
    [row] = separations([doubt("ensemble", rises, None, every_other)])
    assert (row.aleatoric, row.epistemic, row.verdict) == ("", "yes", "separates")
    assert np.isnan(row.raters.mean)
    assert "raters" not in row.sentence
    assert separations([doubt("ensemble", rises)]) == []


def test_a_single_member_can_tell_nothing_apart():
    def one_member(measure, name, place):
        return rises(measure, name, place) * (measure == "expected_entropy")

    assert separations([doubt("softmax", one_member, correlated(0.6, 0.1), every_other)]) == []


def test_the_sentence_counts_the_verdicts_of_each_application():
    def row(figure, verdict):
        nothing = Interval(0.0, 0.0, 0.0)
        what = What("", figure, "", "")
        return DoubtRow(WHERE, "a", "softmax", what, nothing, nothing, verdict, 9, 1)

    rows = [row("AUROC", "better"), row("AUROC", "undecided"), row("ACE", "equivalent")]
    assert front_sentence(rows) == (
        "Pre-training changes how far a model's doubt can be trusted: the detection of other "
        "distributions (better in 1, undecided in 1 of 2 comparisons with scratch); calibration "
        "(equivalent in 1 of 1 comparisons with scratch)."
    )
    assert "has not been shown to change" in front_sentence(rows[1:])
    assert front_sentence([row("AUROC", ""), row("ECE", "better")]) == ""
