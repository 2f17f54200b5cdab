"""The scale curve: transfer against the volumes that were pre-trained on."""

import pytest
from voxbench.analyses.effects import effects
from voxbench.analyses.means import means
from voxbench.analyses.pairing import twins
from voxbench.analyses.read import read_groups
from voxbench.reporting.figures.scale import _families, _lines, _twins, draw_scale, family
from voxbench.reporting.report import write_report
from voxbench.stats.metric import METRICS

from tests.analyses.records import SCRATCH, WEIGHTS, cases, record, stored

DICE = METRICS["dice"]


def records(volumes=(2, 8, 32), noises=("", "label_noise=0.3,")):
    arms = {f"supervised[{noise}volumes={n}]": n for noise in noises for n in volumes}
    return [
        record(
            cases(lambda i, c, n=n: 0.4 + 0.01 * n + 0.001 * i), arm, seed=seed,
            **({"weights": WEIGHTS.model_copy(update={"volumes": n})} if n else {}),
        )
        for arm, n in {SCRATCH: 0, **arms}.items() for seed in (0, 1)
    ]  # fmt: skip


def content(**options):
    groups = read_groups(records(**options))
    return means(groups), effects(twins(groups, DICE), 0.01)


@pytest.mark.parametrize(
    ("arm", "expected"),
    [
        ("supervised[volumes=2]", "supervised"),
        ("supervised[size=tiny,volumes=2]", "supervised[size=tiny]"),
        ("supervised[volumes=2,size=tiny]", "supervised[size=tiny]"),
        ("supervised[a=1,volumes=None,size=tiny]", "supervised[a=1,size=tiny]"),
        ("supervised[size=tiny]", "supervised[size=tiny]"),
    ],
)
def test_a_family_is_an_arm_without_its_volumes(arm, expected):
    assert family(arm) == expected


def test_a_line_runs_over_the_volumes_of_one_family_and_its_twin_is_level():
    found, compared = content()
    grown = _families(found)
    clean, noisy = _lines(grown, DICE)
    assert {clean.arm, noisy.arm} == {"supervised", "supervised[label_noise=0.3]"}
    assert [volumes for volumes, _ in clean.points] == [2, 8, 32]
    assert [round(score.mean, 4) for _, score in clean.points] == [0.4235, 0.4835, 0.7235]
    [twin] = _twins(grown, found, compared, DICE)
    assert (twin.arm, twin.dashed, [volumes for volumes, _ in twin.points]) == (
        SCRATCH,
        True,
        [2, 32],
    )


def test_one_scale_is_no_curve(tmp_path):
    assert draw_scale("task", *content(volumes=(8,)), DICE, tmp_path / "scale") == []


def test_the_report_draws_it_and_repeats_its_bytes(tmp_path):
    stored(tmp_path, *records())
    for name in ("one", "two"):
        made = write_report(tmp_path, tmp_path / name)
        assert any(path.name == "scale-openkbp-3-shots-dice.svg" for path in made.files)
    one, two = (tmp_path / name / "figures" for name in ("one", "two"))
    for path in one.glob("scale-*"):
        assert path.read_bytes() == (two / path.name).read_bytes()
