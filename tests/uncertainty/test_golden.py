"""What ValUES' own code computes on the same arrays, and where it is wrong and why."""

import numpy as np
import pytest
from voxbench.uncertainty.active import improvement, query
from voxbench.uncertainty.aggregation import (
    image_mean,
    image_sum,
    patch_maximum,
    threshold_mean,
    validation_threshold,
)
from voxbench.uncertainty.ambiguity import Masks, energy_distance, normalised_cross_correlation
from voxbench.uncertainty.calibration import reliability
from voxbench.uncertainty.detection import detect
from voxbench.uncertainty.failure import detect_failures, risk_coverage
from voxbench.uncertainty.measures import Measures, Members, measure_of
from voxbench.uncertainty.platt import Platt, fit_platt

pytestmark = pytest.mark.realdata


@pytest.fixture
def golden(real_values):
    def load(kind):
        files = sorted(real_values.glob(f"{kind}_[0-9]*.npz"))
        assert files
        return {file.stem[len(kind) + 1 :]: dict(np.load(file)) for file in files}

    return load


def close(value, rtol=1e-9, atol=1e-12):
    return pytest.approx(value, rel=rtol, abs=atol)


def measured(softmax):
    members = Members(softmax.shape[1], softmax.shape[2:])
    for member in softmax:
        members.add(member)
    return members.measures()


def test_measures(golden):
    for name, case in golden("uncertainty").items():
        found = measured(case["softmax"])
        for measure in Measures._fields[:3]:
            np.testing.assert_allclose(
                getattr(found, measure), case[measure], rtol=1e-6, atol=1e-6, err_msg=name
            )
        for kind in ("aleatoric", "epistemic"):
            ours = getattr(found, measure_of(kind, "ssn"))
            np.testing.assert_allclose(ours, case[f"ssn_{kind}"], rtol=1e-6, atol=1e-6)
        first = measured(case["softmax"][:1]).one_minus_max
        np.testing.assert_allclose(first, case["one_minus_msr_of_first"], rtol=1e-6, atol=1e-6)


def test_aggregations(golden):
    for name, case in golden("agg").items():
        u, size = case["unc"], case["patch_size"].tolist()
        assert image_sum(u) == close(case["image_sum"]), name
        assert image_mean(u) == close(case["image_mean"]), name
        assert threshold_mean(u, float(case["threshold"])) == close(case["threshold_mean"]), name
        patch = patch_maximum(u, size)
        if case["error"]:  # a patch that is larger than the image along some axis
            assert patch.box == ((0, 6), *patch.box[1:])
            box = u[tuple(slice(*ends) for ends in patch.box)]
            assert patch.sum == close(box.sum())
            continue
        assert patch.sum == close(case["patch_sum_max"]), name
        box = tuple(slice(*ends) for ends in case["patch_bbox"])
        if u[box].shape == (size,) * u.ndim and u[box].sum() == close(patch.sum):
            assert patch.mean == close(case["patch_mean_max"]), name
            assert np.array_equal(patch.box, case["patch_bbox"]), name
        else:  # a box that is not there, or that has another sum than it is said to have
            assert u[tuple(slice(*ends) for ends in patch.box)].sum() == close(patch.sum), name


def test_thresholds(golden):
    for case in golden("threshold").values():
        shares = [float((own > 0).mean()) for own in case["pred_segs"]]
        assert 1 - np.mean(shares) == close(case["background_quantile"])
        found = validation_threshold(list(case["unc_maps"]), shares)
        assert found == close(case["threshold"], rtol=1e-6)


def test_average_calibration_errors_but_where_all_are_right(golden):
    for name, case in golden("ace").items():
        found = reliability(case["correct"], case["confidence"])
        if case["correct"].all():
            full = found.trials > 0
            assert found.ace == close(np.mean(1 - found.confidence[full])), name
            continue
        rtol = 1e-6 if case["confidence"].dtype == np.float32 else 1e-9
        assert found.ace == close(case["ace"], rtol), name
        full = found.trials > 0
        assert full.sum() == case["n_nonempty_bins"]
        gaps = np.abs(found.accuracy - found.confidence)[full]
        np.testing.assert_allclose(gaps, case["bin_discrepancies"], rtol=1e-6, atol=1e-12)
        shares = (found.trials / found.trials.sum())[full]
        np.testing.assert_allclose(shares, case["bin_fraction"], rtol=1e-9)
        assert found.ece == close((gaps * shares).sum())


def judged(prediction, references, ignored):
    """For how many raters each voxel is right, and how many judged it."""
    counted = references != ignored
    return ((references == prediction) & counted).sum(axis=0), counted.sum(axis=0)


def test_calibration_from_platt_scaling_to_the_error_of_each_image(golden):
    for name, case in golden("calibration").items():
        ignored = case["ignore_value"]
        fits = [
            fit_platt(unc, *judged(own, refs, ignored))
            for unc, own, refs in zip(
                case["val_unc"], case["val_pred"], case["val_refs"], strict=True
            )
        ]
        np.testing.assert_allclose(fits, case["platt_ab_per_val_image"], rtol=1e-6, err_msg=name)
        platt = Platt.mean(fits)
        assert platt.a == close(float(case["platt_a"]), 1e-6)
        assert platt.b == close(float(case["platt_b"]), 1e-6)
        for unc, own, refs, ace in zip(
            case["test_unc"], case["test_pred"], case["test_refs"], case["ace_per_image"],
            strict=True,
        ):  # fmt: skip
            right, trials = judged(own, refs, ignored)
            if not (right == trials).all():
                assert reliability(right, platt.confidence(unc), trials).ace == close(ace, 1e-6)


def test_curves_of_risk_and_what_values_leaves_out_of_their_area(golden):
    """ValUES' AURC begins at coverage 1/n, so that constant risks of 0.25 have 0.24, and its
    E-AURC subtracts an oracle that begins at 0, so that it can be negative."""
    for case in golden("aurc").values():
        risk, confidence = case["risk"], case["confidence"]
        found, n = detect_failures(risk, confidence), len(risk)
        assert found.eaurc >= -1e-12
        if np.ptp(risk) == 0:
            assert found.aurc == close(risk[0])
        if case["has_ties"]:
            continue
        coverage, selective = risk_coverage(risk, confidence)
        np.testing.assert_allclose(coverage, case["coverages"][::-1], rtol=1e-9)
        np.testing.assert_allclose(selective, case["selective_risks"][::-1], rtol=1e-9)
        lacking = (selective[0] + selective[-1]) / (2 * n)
        assert found.aurc == close(case["aurc"] + lacking)
        assert found.eaurc == close(case["eaurc"] + lacking)


def test_ties_have_one_area_whatever_their_order_which_they_have_not_in_values(golden):
    cases = {name: case for name, case in golden("aurc").items() if case["has_ties"]}
    for case in cases.values():
        order = np.random.default_rng(0).permutation(len(case["risk"]))
        one = detect_failures(case["risk"], case["confidence"])
        assert one == close(detect_failures(case["risk"][order], case["confidence"][order]))


def test_detection_of_other_distributions(golden):
    for name, case in golden("auroc").items():
        found = detect(case["score"], case["is_ood"])
        if case["error"]:
            assert np.isnan(found).all(), name
            continue
        assert found.auroc == close(case["auroc"]), name
        half = len(case["score"]) // 2
        edge = np.sort(case["score"])[::-1][half - 1 : half + 1]
        if edge[0] > edge[1]:
            assert found.top_half == close(case["ood_detection_rate"]), name


def test_correlations_with_the_variance_over_raters(golden):
    for name, case in golden("ncc").items():
        if "raters" in case:
            variance = Masks.of(case["raters"] > 0).variance
            np.testing.assert_allclose(variance, case["gt_unc"], atol=1e-12)
        rtol = 1e-6 if case["gt_unc"].dtype == np.float32 else 1e-9
        found = normalised_cross_correlation(case["gt_unc"], case["pred_unc"])
        assert found == pytest.approx(case["ncc"], rel=rtol, nan_ok=True), name


def test_energy_distances_but_of_masks_that_are_all_empty(golden):
    """For ValUES two empty masks are as far apart as can be, and so are three of one model."""
    for name, case in golden("ged").items():
        members = case["softmax"].argmax(axis=1) == 1
        found = energy_distance(Masks.of(members), Masks.of(case["raters"] > 0))
        wrong = not members.any() or not (case["raters"] > 0).any()
        assert found == close(case["ged"] + wrong, 1e-6), name


def test_queries_of_active_learning(golden):
    for name, case in golden("al_query").items():
        found = query(case["names"].tolist(), case["score"], float(case["acquisition_fraction"]))
        assert found == case["queried"].tolist(), name


def test_improvements_by_active_learning_but_over_nothing(golden):
    for name, case in golden("al_improvement").items():
        dice = (
            float(case[f"dice_{which}"])
            for which in ("first_cycle", "second_cycle_uncertainty", "second_cycle_random")
        )
        expected = float(case["al_improvement"])
        assert improvement(*dice) == pytest.approx(expected, rel=1e-9, nan_ok=True), name
