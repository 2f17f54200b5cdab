import csv

import pytest
from voxbench.analyses.effects import effects
from voxbench.analyses.means import means
from voxbench.analyses.pairing import twins
from voxbench.analyses.read import read_groups
from voxbench.reporting.figures.curve import TWIN, _panels, draw_curve
from voxbench.stats.metric import METRICS

from tests.analyses.records import MASKED, SCRATCH, cases, record

DICE = METRICS["dice"]
OTHER = "supervised[source=malf,volumes=28]"


def content(arms=(SCRATCH, MASKED), fractions=("3 shots", "100%")):
    groups = read_groups(
        [
            record(cases(lambda i, c, arm=arm: 0.5 + 0.01 * i + 0.001 * len(arm)), arm,
                   fraction=fraction, seed=seed)
            for arm in arms for fraction in fractions for seed in (0, 1)
        ]
    )  # fmt: skip
    return means(groups), effects(twins(groups, DICE), 0.01)


def test_the_same_records_give_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        draw_curve("task", *content(), DICE, 0.01, tmp_path / name / "curve")
    for ending in ("svg", "png"):
        one, two = (tmp_path / name / f"curve.{ending}" for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_an_svg_has_no_date_in_it(tmp_path):
    [svg, *_] = draw_curve("task", *content(), DICE, 0.01, tmp_path / "curve")
    assert "dc:date" not in svg.read_text()


@pytest.mark.parametrize("fractions", [("3 shots",), ("3 shots", "10 shots", "100%")])
@pytest.mark.parametrize("arms", [(SCRATCH,), (MASKED,), (SCRATCH, MASKED, OTHER)])
def test_any_number_of_fractions_and_arms_can_be_drawn(tmp_path, arms, fractions):
    paths = draw_curve("task", *content(arms, fractions), DICE, 0.01, tmp_path / "curve")
    assert [path.suffix for path in paths] == [".svg", ".png", ".csv"]
    assert all(path.stat().st_size > 5000 for path in paths[:2])


def test_nothing_is_drawn_of_arms_that_only_failed(tmp_path):
    failed = means(read_groups([record(None)]))
    assert draw_curve("task", failed, [], DICE, 0.01, tmp_path / "curve") == []


def test_each_strategy_has_a_panel_with_its_twin_in_grey():
    panels = _panels(*content((SCRATCH, MASKED, OTHER)), DICE)
    assert [panel.title for panel in panels] == ["Masked autoencoder", "Supervised"]
    for panel in panels:
        assert [series.colour == TWIN for series in panel.series] == [True, False]


def test_arms_of_a_strategy_differ_in_colour_and_marker():
    many = [f"supervised[source=s{n}]" for n in range(13)]
    [panel] = _panels(*content((SCRATCH, *many)), DICE)
    arms = [(series.colour, series.marker) for series in panel.series[1:]]
    assert len(set(arms)) == 13


@pytest.mark.parametrize("width", [3.5, 7.2])
def test_a_curve_is_as_wide_as_was_asked(tmp_path, width):
    [svg, *_] = draw_curve("t", *content(), DICE, 0.01, tmp_path / "curve", width)
    assert f'width="{72 * width:g}pt"' in svg.read_text()


def test_what_a_curve_shows_is_beside_it(tmp_path):
    *_, values = draw_curve("task", *content(), DICE, 0.01, tmp_path / "curve")
    rows = list(csv.DictReader(values.read_text().splitlines()))
    assert [(row["arm"], row["fraction"]) for row in rows] == [
        (arm, fraction) for fraction in ("3 shots", "100%") for arm in (SCRATCH, MASKED)
    ]  # fmt: skip
    assert all(row["verdict"] for row in rows if row["arm"] == MASKED)


def test_drawing_leaves_the_users_settings_alone(tmp_path):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    draw_curve("task", *content(), DICE, 0.01, tmp_path / "curve")
    assert dict(mpl.rcParams) == before
