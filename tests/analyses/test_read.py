import numpy as np
import pytest
from voxbench.analyses.groups import Run, find_arm
from voxbench.analyses.read import read_groups
from voxbench.errors import RecordError, SpecError
from voxbench.records.case_scores import CaseScores

from tests.analyses.records import MASKED, SCRATCH, cases, record, scores

NAN = float("nan")


def two_scans():
    """Patient p1 was scanned twice, p2 once; class b is empty in one scan of p1."""
    return [
        CaseScores(case="1a", patient="p1", classes={"a": scores(0.8), "b": scores(0.6)}),
        CaseScores(
            case="1b",
            patient="p1",
            classes={"a": scores(0.5), "b": scores(NAN, hd95_mm=NAN, flag="both_empty")},
        ),
        CaseScores(case="2", patient="p2", classes={"a": scores(0.9), "b": scores(0.7)}),
    ]


def test_a_patient_is_the_mean_of_the_cases_and_a_case_of_its_defined_classes():
    [group] = read_groups([record(two_scans())])
    assert group.patients == ("p1", "p2")
    assert group.scores["dice"][:, 0] == pytest.approx([(0.7 + 0.5) / 2, 0.8])
    assert group.scores["hd95_mm"][:, 0] == pytest.approx([(3.0 + 5.0) / 2, 2.0])


def test_undefined_scores_are_counted():
    [group] = read_groups([record(two_scans())])
    others = dict.fromkeys(("false_alarms", "false_alarm_ml", "dice_flare", "nsd_flare"), 0)
    assert group.undefined == {"dice": 1, "nsd": 1, "hd95_mm": 1, **others}


def test_one_class_keeps_the_patients_without_it():
    found = cases(lambda i, c: 0.5 + 0.1 * i, patients=2, classes=("a", "b"))
    del found[1].classes["b"]
    [group] = read_groups([record(found)])
    alone = group.only("b")
    assert (alone.classes, alone.patients) == (("b",), group.patients)
    assert alone.scores["dice"][:, 0] == pytest.approx([0.5, NAN], nan_ok=True)


def test_undefined_scores_are_counted_by_class():
    [group] = read_groups([record(two_scans())])
    assert [group.only(name).undefined["dice"] for name in "ab"] == [0, 1]


def test_seeds_and_draws_are_columns_not_patients():
    records = [
        record(cases(lambda i, c: 0.5), seed=seed, draw=draw) for seed in (1, 0) for draw in (0, 1)
    ]
    [group] = read_groups(records)
    assert group.runs == (Run(0, 0), Run(0, 1), Run(1, 0), Run(1, 1))
    assert group.scores["dice"].shape == (8, 4)


def test_a_failed_cell_is_kept_with_its_reason():
    [group] = read_groups([record(cases(lambda i, c: 0.5)), record(None, seed=1, failure="no!")])
    assert [(failed.run, failed.reason) for failed in group.failed] == [(Run(0, 1), "no!")]
    assert group.runs == (Run(0, 0),)


def test_a_failed_cell_that_was_run_again_is_no_failure():
    again = [record(None, key="old"), record(cases(lambda i, c: 0.5), key="new")]
    [group] = read_groups(again)
    assert not group.failed


def test_an_arm_that_only_failed_is_there_without_scores():
    [group] = read_groups([record(None)])
    assert group.scores["dice"].shape == (0, 0)
    assert np.isnan(group.train_patients)


def test_fractions_are_ordered_by_labelled_patients_and_scratch_comes_first():
    found = cases(lambda i, c: 0.5)
    records = [
        record(found, arm, fraction=fraction)
        for fraction in ("100%", "10 shots", "3 shots")
        for arm in (MASKED, SCRATCH)
    ]
    places = [(group.where.fraction, group.arm) for group in read_groups(records)]
    fractions = ("3 shots", "10 shots", "100%")
    assert places == [(fraction, arm) for fraction in fractions for arm in (SCRATCH, MASKED)]


@pytest.mark.parametrize(
    "change",
    [
        {"cell": {"recipe": {"steps": 9}}},
        {"fingerprint": "e" * 64},
        {"smoke": True},
        {"metrics_version": "2"},
    ],
    ids=["recipe", "data", "smoke", "metrics"],
)
def test_records_that_differ_in_more_than_the_run_are_never_pooled(change):
    found = cases(lambda i, c: 0.5)
    groups = read_groups([record(found), record(found, key="other", seed=1, **change)])
    assert [group.runs for group in groups] in (
        [(Run(0, 0),), (Run(0, 1),)],
        [(Run(0, 1),), (Run(0, 0),)],
    )
    assert len({group.where.setting for group in groups}) == 2


def test_arms_of_one_label_with_another_pretraining_are_told_apart():
    found = cases(lambda i, c: 0.5)
    recipe = {"steps": 300}
    groups = read_groups(
        [
            record(found, MASKED, key=str(steps), cell={"recipe": recipe, "pretraining": steps})
            for steps in (100, 200)
        ]
    )
    assert len({group.arm for group in groups}) == 2
    assert {group.label for group in groups} == {MASKED}


def test_the_same_training_twice_is_refused_by_name():
    found = cases(lambda i, c: 0.5)
    with pytest.raises(RecordError, match="one and two are the same training"):
        read_groups([record(found, key="one"), record(found, key="two")])


def test_hours_of_cells_add_up_and_those_of_the_shared_weights_do_not():
    found = cases(lambda i, c: 0.5)
    [group] = read_groups([record(found, MASKED, seed=seed) for seed in range(3)])
    assert group.spent.cpu_hours == pytest.approx(0.03)
    assert group.spent.pretraining_cpu_hours == pytest.approx(0.25)
    assert group.spent.fit_seconds == pytest.approx(10.0)


def test_failed_predictions_are_counted_and_stay_in_the_mean():
    found = cases(lambda i, c: 0.0 if i == 0 else 0.8)
    found[0].failure = "crashed"
    [group] = read_groups([record(found)])
    assert group.failed_cases == 1
    assert group.scores["dice"].mean() == pytest.approx(0.7)


def test_an_arm_is_found_by_label_and_by_a_beginning_that_only_it_has():
    arms = [MASKED, SCRATCH, SCRATCH]
    assert find_arm(arms, MASKED) == find_arm(arms, "masked") == MASKED


def test_a_whole_label_wins_over_longer_ones():
    assert find_arm(["scratch", SCRATCH], "scratch") == "scratch"


def test_an_ambiguous_beginning_lists_the_arms():
    with pytest.raises(SpecError, match=r"ambiguous: a\[x=1\], a\[x=2\]"):
        find_arm(["a[x=1]", "a[x=2]"], "a")


def test_an_unknown_arm_gets_the_nearest_name():
    with pytest.raises(SpecError, match="Did you mean 'masked-autoencoder'"):
        find_arm([MASKED, SCRATCH], "masked-autoencodr")
