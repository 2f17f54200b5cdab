"""The front page says what the verdicts say, and no more."""

import re

import pytest
from voxbench.analyses.claims import judge_claims
from voxbench.design.claims import Claim
from voxbench.records import Store
from voxbench.records.provenance import Contamination, Imported
from voxbench.reporting.report import write_report
from voxbench.reporting.site.front.cell import line_of
from voxbench.reporting.site.front.declared import declared
from voxbench.reporting.site.front.evidence import gather_evidence
from voxbench.reporting.site.front.matrix import MADE, PUBLISHED, TAKEN
from voxbench.reporting.site.front.page import most_compared, panels
from voxbench.reporting.site.material import gather
from voxbench.stats.interval import UNDEFINED, Interval

from tests.analyses.records import MASKED, SCRATCH, cases, record, stored
from tests.reporting.site.demo import made
from tests.reporting.site.html import Page

OTHER = "supervised[source=malf]"
CONTROL = "negative-control[source=malf]"


def shown(root, gains, patients=12, seeds=3, **changes):
    """The evidence and panels of a store in which arms gain so much on scratch."""
    for arm, gain in {SCRATCH: 0.0, **gains}.items():
        for seed in range(seeds):
            found = cases(lambda i, c, g=gain, s=seed: 0.5 + 0.02 * i + g + 0.001 * (s + i) * (
                g != 0), patients)  # fmt: skip
            own = record(found, arm, seed=seed, **changes)
            own.arm.strategy = {SCRATCH: "scratch", CONTROL: "control"}.get(arm, "self-supervised")
            stored(root, own)
    report = write_report(root, root / "report")
    evidence = gather_evidence(gather(report, Store(root), root / "site", False), report.metric)
    return evidence, panels(evidence)


def test_yes_names_task_arm_and_gain_and_is_a_claim_that_holds(tmp_path):
    evidence, [panel] = shown(tmp_path, {MASKED: 0.1})
    assert panel.finding.answer == "Yes."
    assert "Masked autoencoder on malf, 28 volumes beats a random start on openkbp (a) by 0.1" in (
        panel.finding.sentence
    )
    assert [r.verdict for r in judge_claims(panel.finding.claims, evidence.groups)] == ["holds"]


def test_ahead_of_a_random_start_that_stays_frozen_is_no_answer(tmp_path):
    _, [panel] = shown(tmp_path, {MASKED: 0.1}, adaptation="frozen")
    assert panel.finding.answer == "Not asked."
    assert panel.finding.tally["better"] == ("▲", 1)
    shown(tmp_path, {MASKED: 0.05})
    _, [panel] = shown(tmp_path, {MASKED: 0.1}, adaptation="frozen")
    assert panel.finding.sentence.startswith(
        "With 3 labelled patients, Masked autoencoder on malf, 28 volumes beats a random start on "
    )
    assert "by 0.05" in panel.finding.sentence
    assert [row.about for row in panel.sections[0].rows] == [
        "self-supervised",
        "self-supervised, frozen",
    ]


def test_a_tuned_arm_is_told_to_have_beaten_a_tuned_twin(tmp_path):
    _, [panel] = shown(tmp_path, {MASKED: 0.1}, adaptation="tuned")
    assert (
        "28 volumes (tuned) beats a random start tuned alike on openkbp" in panel.finding.sentence
    )


def test_arms_are_in_the_order_of_their_numbers(tmp_path):
    arms = [f"supervised[source=malf,volumes={count}]" for count in (2, 8, 32)]
    _, [panel] = shown(tmp_path, dict.fromkeys(arms, 0.1))
    assert [row.label for row in panel.sections[0].rows] == arms


def test_what_is_unknown_of_contamination_has_its_reason_on_both_pages(tmp_path):
    unknown = Contamination(status="unknown", reason="unknown corpus 'mine'.")
    _, [panel] = shown(tmp_path, {MASKED: 0.1}, contamination=unknown)
    assert panel.facts == ["contaminated: none known, 1 unknown (unknown corpus 'mine')"]
    [row] = panel.sections[0].rows
    result = Page(made(tmp_path, tmp_path / "out").parent / row.cells[0][0].href)
    assert "unknown unknown corpus 'mine'" in result.text


def test_a_source_that_is_the_default_is_told_as_others_are(tmp_path):
    cell = {"baseline": ["supervised", {"source": "phantom-atlas"}]}
    evidence, _ = shown(tmp_path, {"supervised[size=tiny]": 0.1, OTHER: 0.1}, cell=cell)
    assert str(evidence.names["supervised[size=tiny]"]) == "Supervised on phantom-atlas"
    assert str(evidence.names[OTHER]) == "Supervised on malf"


def test_a_league_tells_who_is_first_and_how_clearly(tmp_path):
    _, [panel] = shown(tmp_path, {MASKED: 0.1, OTHER: 0.1})
    [league] = panel.ranks
    assert league.leader == "Masked autoencoder on malf, 28 volumes, 0.717, tied with 1 of 2"


def test_worth_in_labels_is_told_also_where_no_number_of_them_suffices(tmp_path):
    shown(tmp_path, {SCRATCH: 0.1, MASKED: 0.4, OTHER: 0.2, CONTROL: 0.4}, fraction="100%")
    _, [panel, _] = shown(tmp_path, {MASKED: 0.3, OTHER: 0.05, CONTROL: 0.3})
    [(place, lines)] = panel.worth.items()
    assert place == "openkbp"
    assert [line.arm for line in lines] == [
        "Masked autoencoder on malf, 28 volumes",
        "Supervised on malf",
    ]
    assert lines[0].told == "more than all 160 patients, by means alone"
    # 0.0565 of the 0.1065 that the twin gains from 3 to 160 patients: (160 / 3) ** 0.53
    assert lines[1].told.startswith("8.2× [")
    assert lines[1].told.endswith("the labels, between the twin's points")


def test_worse_everywhere_is_a_no(tmp_path):
    _, [panel] = shown(tmp_path, {MASKED: -0.1})
    assert panel.finding.answer == "No."
    assert panel.finding.claims == []


def test_undecided_is_not_a_no(tmp_path):
    _, [panel] = shown(tmp_path, {MASKED: 0.1}, patients=5)
    assert panel.finding.answer == "Not shown."
    [[row]] = [section.rows for section in panel.sections]
    assert (row.cells[0][0].word, row.cells[0][0].reason) == ("undecided", "5 patients: too few")


def test_a_control_is_no_pretraining_and_warns_where_it_differs(tmp_path):
    _, [panel] = shown(tmp_path, {CONTROL: 0.1, MASKED: -0.1})
    assert panel.finding.answer == "No."
    assert panel.finding.comparisons == 1
    assert "doubt what is beside it" in panel.finding.warning
    rows = panel.sections[0].rows
    assert [row.about for row in rows] == ["self-supervised", "control: must be ≈"]


def test_without_a_comparison_nothing_is_answered(tmp_path):
    _, [panel] = shown(tmp_path, {})
    assert panel.finding.answer == "Not asked."


def test_a_reader_first_sees_the_fraction_that_was_asked_about_most(tmp_path):
    shown(tmp_path, {})
    shown(tmp_path, {MASKED: 0.1}, fraction="10 shots")
    _, found = shown(tmp_path, {MASKED: 0.1, CONTROL: 0.0, OTHER: 0.0}, fraction="100%")
    assert [panel.finding.comparisons for panel in found] == [0, 1, 2]
    assert most_compared(found) == found[2].id
    index = made(tmp_path, tmp_path / "out").read_text(encoding="utf-8")
    assert re.findall('value="([^"]*)" checked', index) == ["all patients"]


def test_the_twin_stands_above_its_arms_with_its_own_score(tmp_path):
    _, [panel] = shown(tmp_path, {MASKED: 0.1})
    [section] = panel.sections
    assert section.title.startswith(TAKEN)
    assert section.twin.cells[0][0].effect == "0.610"
    assert section.rows[0].once == "downloaded"


def test_weights_made_here_stand_apart(tmp_path):
    cell = {"recipe": {"steps": 300}, "source": ["phantom-atlas", {}]}
    _, [panel] = shown(tmp_path, {MASKED: 0.1}, cell=cell)
    assert panel.sections[0].title.startswith(MADE)


def test_weights_are_shared_by_the_runs_of_all_fractions(tmp_path):
    shown(tmp_path, {MASKED: 0.1})
    evidence, _ = shown(tmp_path, {MASKED: 0.1}, fraction="100%")
    assert [offer.uses for offer in evidence.offers if offer.arm == MASKED] == [6, 6]


@pytest.mark.parametrize(
    ("interval", "path"),
    [
        ((0.0, -0.02, 0.02), "M40 6H60"),
        ((0.2, 0.05, 0.5), "M75 6H96M93 2L97 6L93 10"),
        ((-0.2, -0.5, 0.0), "M4 6H50M7 2L3 6L7 10"),
    ],
)
def test_a_line_is_in_units_of_ten_margins_and_leaves_by_an_arrow(interval, path):
    assert line_of(Interval(*interval), 0.01).reach == path


def test_what_is_undefined_has_no_line():
    assert line_of(UNDEFINED, 0.01) is None


def test_imported_scores_alone_ask_for_the_best_arm(tmp_path):
    root = tmp_path / "store"
    for arm, gain in (("A", 0.0), ("B", 0.1)):
        own = record(cases(lambda i, c, g=gain: 0.5 + 0.02 * i + g, 12), arm, cell={})
        own.arm.twin = None
        own.imported = Imported(layout="wide", source="someone", files={})
        stored(root, own)
    index = Page(made(root, tmp_path / "out"))
    assert "Which arm segments best?" in index.text
    assert PUBLISHED in index.text
    assert "B is ahead" in index.text


def test_declared_claims_lead_with_what_became_of_them(tmp_path):
    evidence, _ = shown(tmp_path, {MASKED: 0.1, CONTROL: -0.1})
    claims = [
        Claim(
            text=text, arm=arm, relation="better", other="scratch", fraction="3 shots", tasks="all"
        )
        for text, arm in (("masks that are guessed pay", MASKED), ("noise pays", CONTROL))
    ]
    results = judge_claims(claims, evidence.groups)
    assert [(one.verdict, one.glyph) for one in declared(results, evidence.names)] == [
        ("holds", "▲"),
        ("does not hold", "▼"),
    ]
    told = made(tmp_path, tmp_path / "out", claims=results).read_text(encoding="utf-8")
    assert "1 of 2 declared claims hold<" in told
    assert "<small>Negative control on malf − Scratch, 3 patients</small>" in told
    assert "<small>openkbp: does not hold: −0." in told


def test_references_are_a_bibtex_file(site):
    text = (site / "references.bib").read_text()
    assert text.count("@misc{") == text.count("\n}\n") > 1


def test_the_front_page_is_small(site):
    assert (site / "index.html").stat().st_size < 300_000
