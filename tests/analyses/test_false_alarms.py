"""Patients without the structure: a careful arm leaves the mask empty, the other does not."""

import math

import pytest
from voxbench.analyses.effect_sentences import effect_sentence
from voxbench.analyses.effects import effects
from voxbench.analyses.means import means
from voxbench.analyses.pairing import twins
from voxbench.analyses.ranks.board import apply_policy, boards
from voxbench.analyses.ranks.league import league
from voxbench.analyses.read import read_groups
from voxbench.records.case_scores import CaseScores
from voxbench.stats.metric import ALL

from tests.analyses.records import MASKED, SCRATCH, record, scores

NAN = math.nan
CAREFUL = scores(NAN, volume_mm3_prediction=0.0, volume_mm3_reference=0.0, flag="both_empty")
ALARM = scores(0.0, volume_mm3_prediction=5e3, volume_mm3_reference=0.0, flag="reference_empty")


def arm(name, absent, seed=0, gain=0.0, patients=40, **options):
    """Half of the patients lack the tumour; everybody has a liver."""
    found = [
        CaseScores(
            case=f"case{i}",
            patient=f"p{i:03}",
            classes={
                "liver": scores(0.9 + 0.001 * (i % 7) + gain),
                "tumour": absent if i % 2 else scores(0.5 + 0.002 * (i % 5) + gain),
            },
        )
        for i in range(patients)
    ]
    return record(found, name, seed=seed, **options)


def both(**options):
    return [
        arm(name, absent, seed, **options)
        for name, absent in ((SCRATCH, CAREFUL), (MASKED, ALARM))
        for seed in range(3)
    ]


def effect_of(records, metric="dice"):
    chosen = ALL[metric]
    [found] = effects(twins(read_groups(records), chosen), chosen.margin)
    return found


def test_dice_is_averaged_over_the_structures_that_the_reference_has():
    found = effect_of(both())
    assert found.arm_mean == found.other_mean
    assert (found.effect.mean, found.verdict, found.patients) == (0.0, "equivalent", 40)


def test_false_alarms_have_an_effect_and_a_verdict_beside_dice():
    found = effect_of(both())
    assert found.alarms == pytest.approx((1.0, 1.0, 1.0))
    assert found.alarms_verdict == "worse"
    assert "; false alarms: worse, +1.000 [+1.000, +1.000]" in effect_sentence(found, ALL["dice"])


@pytest.mark.parametrize(
    ("metric", "twin", "own", "patients"),
    [("false_alarms", 0.0, 1.0, 20), ("false_alarm_ml", 0.0, 5.0, 20)],
)
def test_their_share_and_their_volume_are_metrics_of_their_own(metric, twin, own, patients):
    found = effect_of(both(), metric)
    assert (found.other_mean, found.arm_mean, found.patients) == (twin, own, patients)
    assert found.verdict == "worse"


@pytest.mark.parametrize("metric", ["dice_flare", "nsd_flare"])
def test_where_two_empty_masks_score_1_the_careful_arm_is_better(metric):
    found = effect_of(both(), metric)
    assert found.effect.mean == pytest.approx(-0.25)  # half of the classes of half of the patients
    assert found.verdict == "worse"


@pytest.mark.parametrize("metric", ["dice", "dice_flare", "false_alarms"])
@pytest.mark.parametrize("policy", ["complete", "available", "worst"])
def test_the_careful_arm_comes_first(metric, policy):
    [board] = boards(read_groups(both()), ALL[metric])
    rows = league(apply_policy(board, policy), ALL[metric].margin).rows
    assert [row.arm for row in rows] == [SCRATCH, MASKED]


def test_the_careful_arm_comes_first_of_a_place_also_with_a_lower_mean_and_a_note_says_so():
    records = [r for r in both(gain=0.003) if r.arm.baseline == MASKED]
    records += [arm(SCRATCH, CAREFUL, seed) for seed in range(3)]
    [board] = boards(read_groups(records), ALL["dice"])
    careful, loud = league(board, 0.01).rows
    assert (careful.arm, careful.place, loud.place) == (SCRATCH, 1, 1)
    assert (careful.alarms.mean, loud.alarms.mean) == (0.0, 1.0)
    assert careful.mean.mean < loud.mean.mean
    assert loud.note == f"ranks before {SCRATCH}, but is shown to raise more false alarms"


def test_a_missing_training_raises_all_alarms_where_it_counts_as_the_worst():
    [board] = boards(read_groups([*both()[:5], record(None, MASKED, seed=2)]), ALL["false_alarms"])
    values = apply_policy(board, "worst").samples[0].values
    assert values[board.arms.index(MASKED), 1::2, 2] == pytest.approx(1.0)
    assert all(math.isnan(value) for value in values[board.arms.index(MASKED), 0::2, 2])


def test_a_failed_prediction_is_a_false_alarm_of_no_known_volume():
    failed = scores(0.0, volume_mm3_prediction=0.0, volume_mm3_reference=0.0, flag="failed")
    [mean] = means(read_groups([arm(SCRATCH, failed)]))
    assert mean.scores["false_alarms"].mean == 1.0
    assert math.isnan(mean.scores["false_alarm_ml"].mean)


def test_without_an_absent_structure_nothing_is_said_of_false_alarms():
    records = [arm(name, scores(0.5), patients=8) for name in (SCRATCH, MASKED)]
    found = effect_of(records)
    assert (found.alarms_verdict, math.isnan(found.alarms.mean)) == ("", True)
    assert "false" not in effect_sentence(found, ALL["dice"])
    [board] = boards(read_groups(records), ALL["dice"])
    assert board.alarms is None
    assert effect_of(records, "dice_flare").arm_mean == found.arm_mean


def imported(name, tumour):
    """Scores of others: nobody knows what the reference has."""
    unknown = {"volume_mm3_prediction": NAN, "volume_mm3_reference": NAN}
    found = [
        CaseScores(
            case=f"case{i}",
            patient=f"p{i:03}",
            classes={"liver": scores(0.9, **unknown), "tumour": scores(tumour(i), **unknown)},
        )
        for i in range(12)
    ]
    return record(found, name)


def test_both_arms_are_averaged_over_the_pairs_that_both_have():
    records = [
        imported(SCRATCH, lambda i: NAN if i % 2 else 0.5),
        imported(MASKED, lambda i: 0.0 if i % 2 else 0.5),
    ]
    found = effect_of(records)
    assert (found.arm_mean, found.other_mean) == pytest.approx((0.8, 0.8))
    assert "6 pairs of a case and a class that one arm lacks left out" in found.note
    [board] = boards(read_groups(records), ALL["dice"])
    one, other = board.samples[0].values
    assert one == pytest.approx(other)
    assert "6 pairs of a case and a class without a score in every arm left out" in board.accounts


def test_a_run_without_a_score_takes_the_pair_from_all_runs():
    records = [imported(SCRATCH, lambda i: 0.5), imported(MASKED, lambda i: 0.5)]
    lacking = imported(MASKED, lambda i: 0.5 if i else NAN)
    for item, seed in ((imported(SCRATCH, lambda i: 0.7), 1), (lacking, 1)):
        item.arm.seed = seed
        records.append(item.model_copy(update={"key": f"{item.key}-again"}))
    found = effect_of(records)
    assert (found.runs, found.patients) == (2, 12)
    assert found.other_mean == pytest.approx((0.9 + 11 * 0.75) / 12)
