"""What is asked of a case is computed, and nothing else."""

import numpy as np
import pytest
from voxbench.score.uncertainty import judged, validation
from voxbench.score.uncertainty.case import Predicted, Question
from voxbench.score.uncertainty.judged import judge_case
from voxbench.score.uncertainty.validation import learn

MEASURE = "predictive_entropy"


@pytest.fixture
def case():
    """A case with two members and two raters who differ."""
    rng = np.random.default_rng(0)
    chance = rng.random((6, 6, 6), np.float32)
    mean = np.stack([1 - chance, chance])
    masks = [(rng.random((6, 6, 6)) < 0.5).astype(np.uint8) for _ in range(4)]
    labels = mean.argmax(axis=0).astype(np.uint8)
    return Predicted({MEASURE: mean[1]}, mean, labels, masks[:2], masks[2:], (1.0, 1.0, 1.0))


def asked(aggregations, applications):
    return Question({"lesion": 1}, None, [MEASURE], aggregations, applications)


def test_what_is_asked_alone_is_what_it_is_among_all(case):
    everything = Question({"lesion": 1}, None, [MEASURE])
    whole = judge_case("a", "a", case, everything, learn([case], everything))
    for aggregation, applications, figures in (
        ("threshold", ["calibration"], ["errors"]),
        ("boundary", ["ambiguity"], ["correlations", "distance"]),
        ("image mean", ["risk control"], ["missed"]),
        ("pairwise Dice", ["failure detection"], ["agreement", "risks"]),
    ):
        question = asked([aggregation], applications)
        own = judge_case("a", "a", case, question, learn([case], question))
        scores = whole.scores[MEASURE].items()
        assert own.scores[MEASURE] == {name: one for name, one in scores if name == aggregation}
        assert all(getattr(own, figure) == getattr(whole, figure) for figure in figures)
        silent = {"errors", "correlations", "missed", "risks"} - {*figures}
        assert not any(getattr(own, figure) for figure in silent)


def test_what_nobody_asks_for_costs_nothing(case, monkeypatch):
    def refuse(*_):
        pytest.fail("nobody asked for it")

    monkeypatch.setattr(validation, "fit_platt", refuse)
    monkeypatch.setattr(validation, "controlled_threshold", refuse)
    monkeypatch.setattr(judged, "boundary_weights", refuse)
    monkeypatch.setattr(judged, "reliability", refuse)
    question = asked(["image mean"], ["OoD detection"])
    assert judge_case("a", "a", case, question, learn([case], question)).scores[MEASURE]
