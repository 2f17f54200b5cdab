"""A small store with everything that pages show: phantoms with predictions, and a task without."""

from pathlib import Path

import numpy as np
from voxbench.api import Case
from voxbench.data.label_map import write_label_map
from voxbench.data.volumes import read_reference
from voxbench.design.cell import Ref
from voxbench.plugins import find_task
from voxbench.records.case_scores import CaseScores
from voxbench.records.predictions import prediction_path
from voxbench.reporting.report import write_report
from voxbench.reporting.site.build import build_site

from tests.analyses.records import MASKED, SCRATCH, cases, record, scores, stored

PHANTOM = ["phantom-shifted", {"patients": 1, "seed": 0}]
BASELINE = {SCRATCH: ["scratch", {}], MASKED: ["masked-autoencoder", {}]}


def phantom_store(root: Path) -> Path:
    """Two arms on a phantom; a shift is the mistake, larger for scratch and for later cases."""
    task = find_task(Ref.of(*PHANTOM))
    tested = task.cases()["test"]
    for arm, clumsy in ((SCRATCH, 2), (MASKED, 1)):
        for seed in (0, 1):
            own = record(
                [
                    _predicted(root, task, case, i, clumsy, arm, seed)
                    for i, case in enumerate(tested)
                ],
                arm,
                task="phantom-shifted",
                seed=seed,
                key=_key(arm, seed),
                cell={"task": PHANTOM, "baseline": BASELINE[arm], "recipe": {"steps": 300}},
            )
            stored(root, own)
    return root


def _key(arm: str, seed: int) -> str:
    return f"{arm.partition('[')[0]}-{seed}"


def _predicted(root, task, case: Case, place: int, clumsy: int, arm: str, seed: int) -> CaseScores:
    reference = read_reference(case, task.card)
    predicted = np.roll(reference.array, 1 + (clumsy * place) // 4, axis=0)
    if seed == 0:  # one of two runs kept its predictions
        path = prediction_path(root, _key(arm, seed), case.id)
        write_label_map(path, predicted, reference.affine)
    found = {}
    for index, name in enumerate(task.card.classes, start=1):
        ours, theirs = predicted == index, reference.array == index
        dice = 2 * float((ours & theirs).sum()) / max(1.0, float(ours.sum() + theirs.sum()))
        found[name] = scores(dice - 0.001 * seed)
    return CaseScores(case=case.id, patient=case.patient, classes=found)


def whole_store(root: Path) -> Path:
    """The phantoms, and a task of two fractions whose data are nowhere."""
    phantom_store(root)
    for arm, gain in ((SCRATCH, 0.0), (MASKED, 0.06)):
        for fraction in ("3 shots", "100%"):
            for seed in range(3):
                found = cases(lambda i, c, gain=gain: 0.5 + 0.01 * i + gain, 12, ("gtv", "oar"))
                cell = {"baseline": BASELINE[arm], "recipe": {"steps": 300}}
                stored(root, record(found, arm, fraction=fraction, seed=seed, cell=cell))
    return root


def made(root: Path, out: Path, **options) -> Path:
    """Report and site of a store; gives the index."""
    return build_site(write_report(root, out), root, out, **options)[0]
