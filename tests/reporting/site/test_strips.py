import pytest
from voxbench.analyses.read import read_groups
from voxbench.reporting.site.material import ArmResult
from voxbench.reporting.site.strips import distributions
from voxbench.stats.metric import METRICS

from tests.analyses.records import MASKED, SCRATCH, cases, record


def runs(arm, dice, seeds=3, **options):
    return [
        record(
            cases(lambda i, c: dice + 0.01 * i, 12),
            arm,
            seed=seed,
            **options,
        )
        for seed in range(seeds)
    ]


@pytest.mark.parametrize("metric", ["dice", "hd95_mm"])
def test_a_strip_has_a_dot_a_patient_within_its_frame(metric):
    groups = read_groups([*runs(SCRATCH, 0.5), *runs(MASKED, 0.6)])
    results = [ArmResult(group, None, [], None, "", None) for group in groups]
    [figure] = distributions(results, METRICS[metric])
    assert [strip.arm for strip in figure.strips] == [MASKED, SCRATCH]  # the better one first
    for strip in figure.strips:
        dots = [float(dot.split()[0]) for dot in strip.dots.split("M")[1:]]
        assert len(dots) == 12
        assert 5 <= min(dots) <= strip.quartiles[1] <= max(dots) <= 595
        assert strip.description.startswith("12 patients: median")
