"""A user without code names and registers corpora in the sweep; `plan` tells what weights saw."""

import json

import pytest

from tests.cli.test_run import EXAMPLE
from tests.running.test_external import write_other

SPEC = """
name = "hearts"
fractions = ["1 shot"]
seeds = 1
recipe = { steps = 1, patch = [16, 16, 16] }
pretraining = { steps = 1, patch = [16, 16, 16] }
sources = { bellies = { name = "nnunet-folder", root = "BELLIES", SOURCE } }
tasks = [{ name = "nnunet-folder", root = "HEARTS", TASK }]
baselines = [{ name = "example-denoising", source = "bellies", size = "tiny" }]
"""
OWN = """
[corpora.our-hospital]
kind = ["CT", "MR"]
source = "our archive, of people in no public set"
"""
PART = """
[corpora.our-hospital]
kind = ["MR"]
parents = ["ACDC"]
source = "our archive, to which ACDC was added"
"""


@pytest.fixture
def planned(voxbench, tmp_path):
    for name, noise in (("Dataset001_Hearts", 0.5), ("Dataset002_Bellies", 0.4)):
        write_other(tmp_path / name, {"ball": 1, "cube": 2}, noise=noise)

    def plan(source, task, registered=""):
        spec = tmp_path / "sweep.toml"
        told = SPEC.replace("SOURCE", source).replace("TASK", task)
        told = told.replace("HEARTS", str(tmp_path / "Dataset001_Hearts"))
        spec.write_text(told.replace("BELLIES", str(tmp_path / "Dataset002_Bellies")) + registered)
        words = "plan", spec, "-o", tmp_path / "out", "--include-path", EXAMPLE
        code, out, err = voxbench(*words, "--json")
        if code:
            return err
        rows = [row for row in json.loads(out) if row["twin"]]
        return {row["contamination"]["status"] for row in rows}

    return plan


CHAOS, ACDC, OURS = 'corpora = ["CHAOS"]', 'corpora = ["ACDC"]', 'corpora = ["our-hospital"]'


def test_named_corpora_that_never_meet_are_clean(planned):
    assert planned('title = "a"', 'title = "b"') == {"unknown"}
    assert planned(CHAOS, ACDC) == {"clean"}
    assert planned(ACDC, ACDC) == {"overlaps (by corpus)"}


def test_a_corpus_of_the_sweep_is_known_with_its_parents(planned):
    assert planned(OURS, ACDC) == {"unknown"}
    assert planned(OURS, ACDC, OWN) == {"clean"}
    assert planned(OURS, ACDC, PART) == {"overlaps (by corpus)"}


def test_a_corpus_that_cannot_be_registered_is_one_line(planned):
    again = '[corpora.ACDC]\nkind = ["MR"]\nsource = "x"\n'
    assert "corpora: corpora 'ACDC' and 'ACDC' share the name" in planned(CHAOS, ACDC, again)
    lost = OWN + 'parents = ["ACDD"]\n'
    assert "corpora: corpus 'our-hospital': unknown corpus 'ACDD'" in planned(CHAOS, ACDC, lost)
    assert "corpora.our-hospital.kind" in planned(CHAOS, ACDC, OWN.replace('"CT", ', '"CTT", '))
