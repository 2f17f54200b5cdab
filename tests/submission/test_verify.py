"""What a bundle says is held against itself, the task's data and the results that are known."""

import math
import shutil
import subprocess
import sys

import numpy as np
import pytest
from voxbench.data.label_map import read_label_map, write_label_map
from voxbench.data.split import freeze_split, split_cases
from voxbench.data.volumes import read_reference
from voxbench.design.cell import Ref
from voxbench.design.fold import Fold
from voxbench.design.sweep_file import parse_sweep
from voxbench.errors import BundleError
from voxbench.plugins import TASKS, find_task
from voxbench.records import Store
from voxbench.records.predictions import prediction_path
from voxbench.records.provenance import Contamination, Imported
from voxbench.submission.duplicates import _decides
from voxbench.submission.evidence import Evidence
from voxbench.submission.pack import pack
from voxbench.submission.verify import verify_bundle

from tests.submission.made import SWEEP, bundle, make, maps, members, scored

NAN = math.nan


@pytest.fixture(scope="module")
def evidence(finished) -> Evidence:
    """The data of `boxes`, and no results."""
    return Evidence(None)


@pytest.fixture
def judge(tmp_path, finished, evidence):
    """The verdict on the finished sweep once a function has changed its records."""

    def judged(change=lambda record: None, known=evidence, label_maps=False, root=finished):
        content = members(root, change) | (maps(root) if label_maps else {})
        return verify_bundle(bundle(tmp_path / "b.zip", content), known)

    return judged


def first(change):
    """Change only the first class of the first case of the first record."""
    seen = []

    def once(record):
        if not seen:
            seen.append(record)
            case = record.cases[0]
            change(next(iter(case.classes.values())))

    return once


def test_an_honest_sweep_is_verified_and_nothing_but_known_results_is_left(judge):
    found = judge(label_maps=True)
    assert (found.errors, found.warnings) == ([], [])
    [left] = found.unchecked
    assert "known results" in left
    assert (len(found.bundle.records), found.bundle.label_maps, found.verified) == (8, 32, True)


IMPOSSIBLE = [
    ({"dice": 1.2}, "Dice is not between 0 and 1"),
    ({"dice": -0.1}, "Dice is not between 0 and 1"),
    ({"nsd": 1.0001}, "NSD is not between 0 and 1"),
    ({"nsd": -1.0}, "NSD is not between 0 and 1"),
    ({"hd95_mm": -1.0}, "HD95 is no distance"),
    ({"volume_mm3_prediction": -1.0}, "a volume is negative"),
    ({"volume_mm3_reference": NAN}, "a volume is negative, infinite or missing"),
    ({"dice": 1.0}, "Dice is higher than the volumes allow"),
    ({"dice": 0.95, "volume_mm3_prediction": 3.0}, "Dice is higher than the volumes allow"),
    ({"dice": 0.9, "volume_mm3_prediction": 0.0}, "scores of an empty mask without a flag"),
    ({"dice": NAN}, "undefined without a flag"),
    ({"flag": "both_empty"}, "both masks are empty, but something was measured"),
    ({"flag": "prediction_empty"}, "the prediction is empty, but the volumes are not so"),
    ({"flag": "reference_empty"}, "the reference is empty, but the volumes are not so"),
    ({"flag": "failed"}, "a failed prediction has not the worst scores"),
    ({"flag": "failed"}, "failure and flags of a case contradict"),
    ({"flag": "lucky"}, "an unknown flag"),
    ({"volume_mm3_prediction": 0.0, "flag": "prediction_empty"}, "has not the worst scores"),
    ({"volume_mm3_reference": 1e9, "volume_mm3_prediction": 1e9}, "two volumes of one reference"),
]


@pytest.mark.parametrize(("values", "rule"), IMPOSSIBLE)
def test_an_impossible_value_is_an_error_that_names_the_place(judge, values, rule):
    def change(score):
        for name, value in values.items():
            setattr(score, name, value)

    found = judge(first(change))
    [told] = [line for line in found.errors if rule in line]
    assert "b0" in told  # a case


def test_equal_volumes_and_a_perfect_dice_leave_no_distance(judge):
    def change(score):
        score.dice, score.nsd = 1.0, 1.0
        score.volume_mm3_prediction = score.volume_mm3_reference

    assert any("a perfect Dice with a distance" in line for line in judge(first(change)).errors)


def test_two_diagonals_of_one_image_are_an_error(judge):
    def change(record):
        for mm, score in enumerate(record.cases[0].classes.values(), start=30):
            score.dice = score.nsd = score.volume_mm3_prediction = 0.0
            score.flag, score.hd95_mm = "prediction_empty", float(mm)

    assert any("two diagonals" in line for line in judge(change).errors)


def test_the_same_dice_in_all_cases_is_an_error(judge):
    def change(record):
        for case in record.cases:
            case.classes["large"].dice = 0.7
            case.classes["large"].volume_mm3_prediction = case.classes["large"].volume_mm3_reference

    assert any("the same Dice in all cases" in line for line in judge(change).errors)


def changed(path: str, value):
    """Set one field of every record."""

    def change(record):
        *places, name = path.split(".")
        for place in places:
            record = getattr(record, place)
            if record is None:
                return
        setattr(record, name, value)

    return change


@pytest.mark.parametrize(
    ("path", "value", "rule"),
    [
        ("cost.seconds", -1.0, "a negative cost"),
        ("cost.gpu_hours", -1.0, "a negative cost"),
        ("weights.cpu_hours", -1.0, "a negative cost"),
        ("cost", None, "no cost"),
        ("training", {0: -1.0, -1: 1.0}, "a curve that can't be"),
        ("weights.audit.loaded_share", 1.5, "a share of loaded weights outside"),
        ("weights.audit.loaded_share", 0.5, "less of the encoder was loaded"),
        ("weights.audit.hash_before", "b", "loading the weights changed nothing"),
        ("weights", None, "a pre-trained arm without weights"),
        ("smoke", True, "a smoke run, which measures nothing"),
        ("imported", Imported(layout="long", source="x", files={}), "imported scores"),
        ("environment", {}, "no environment"),
        ("seeds", {"subset": 1}, "the random streams are not those of the cell"),
        ("metrics_version", "0", "another version of the metrics, and no label maps"),
        ("data.fingerprint", "f" * 64, "the key is not the hash"),
        ("data.fingerprint", "f" * 64, "other data than the task has here"),
        ("data.split_sha256", "f" * 64, "another split than the task's"),
        ("data.train_patients", 3, "another number of training patients"),
        ("data.train_patients", 99, "more patients were trained on than cases"),
        ("data.test", [], "nothing was tested"),
        ("data.test", [], "the scored cases are not the test cases"),
        ("data", None, "no data"),
        ("arm.baseline", "mine", "the arm is not called as its cell is"),
        ("arm.strategy", "supervised", "the arm is not called as its cell is"),
        ("arm.network", "unet-large", "the arm is not called as its cell is"),
        ("arm.twin", None, "the arm is not called as its cell is"),
        ("arm.fraction", "100%", "the arm's axes are not those of the cell"),
        ("arm.seed", 7, "the arm's axes are not those of the cell"),
        ("cell", {}, "its cell can't be read"),
        ("cases", [], "the scored cases are not the test cases"),
        ("status", "failed", "no finished record"),
        ("status", "failed", "status and failure contradict"),
        ("failure", "no room", "status and failure contradict"),
        ("cost.steps", 60_000, "other steps than the recipe's: "),
        ("training", {}, "other steps than the recipe's: "),
        ("training", {4: 0.5, 60_000: 0.1}, "other steps than the recipe's: "),
        ("validation", {5: 0.5}, "validations that the recipe does not have"),
        ("cost.fit_seconds", 5.0, "parts that take longer than the whole"),
        ("cost.seconds", 3600.0, "hours that are not the seconds on the device"),
        ("cost.gpu_hours", 1.0, "hours that are not the seconds on the device"),
        ("environment", {"device": "cpu"}, "no device or no threads"),
        ("arm.strategy", "scratch", "strategy, twin and weights contradict"),
        ("weights.audit.missing", ["conv1"], "the share of loaded weights and the list"),
        ("weights.audit.activation_after", [1.0], "other activations before loading"),
        ("data.train_patients", 5, "more patients than the fraction asks for"),
        ("data.mirrored", "R", "mirrored, though nothing was augmented"),
        ("contamination", Contamination(status="clean", shared=["x"]), "contamination and what"),
        ("contamination", Contamination(status="overlaps (by case)"), "contamination and what"),
        (
            "contamination",
            Contamination(status="overlaps (by case)", shared=["no test case"]),
            "contamination and what is shared contradict",
        ),
    ],
)
def test_a_changed_field_is_an_error(judge, path, value, rule):
    assert any(rule in line for line in judge(changed(path, value)).errors)


def test_a_training_may_be_watched_that_selects_nothing(judge):
    assert not judge(changed("validation", {2: 0.4, 4: 0.5})).errors


def test_one_network_has_one_number_of_parameters(judge):
    def change(record):
        record.cost.parameters += record.arm.seed

    assert any("two numbers of parameters" in line for line in judge(change).errors)


def test_training_faster_than_elsewhere_or_than_any_is_a_warning(judge):
    def change(record, seconds=0.02):
        if record.arm.seed == 0:
            record.cost.fit_seconds = seconds

    assert any("far faster training" in line for line in judge(change).warnings)
    found = judge(lambda record: change(record, 1e-3))
    assert any("4 steps in 0.001 s" in line for line in found.warnings)
    assert found.verified


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("seed", 5, "the key is not the hash"),
        ("recipe", {"steps": 5}, "the key is not the hash"),
        ("recipe", {"steps": "4"}, "its cell can't be read"),
        ("limit", 3, "a smoke run"),
        ("more", 1, "its cell can't be read"),
        ("draw", -1, "its cell can't be read"),
        ("draw", True, "its cell can't be read"),
        ("task", ["boxes", {"root": "/etc"}], "its cell can't be read"),
        ("task", ["boxes", {"volumes": {"a": 1}}], "its cell can't be read"),
        ("fraction", {"share": 7.0, "shots": None}, "its cell can't be read"),
        ("recipe", "fast", "its cell can't be read"),
    ],
)
def test_a_tampered_cell_is_an_error(judge, name, value, rule):
    def change(record):
        recipe = name == "recipe" and isinstance(value, dict)
        record.cell[name] = {**record.cell["recipe"], **value} if recipe else value

    assert any(rule in line for line in judge(change).errors)


def test_training_on_a_test_case_is_an_error_whether_the_data_are_here_or_not(judge, monkeypatch):
    def change(record):
        record.data.train = sorted([record.data.train[0], record.data.test[0]])

    for line in ("a case lies in two parts", "cases that the split has not in train"):
        assert any(line in told for told in judge(change).errors)
    monkeypatch.setattr(TASKS, "loose", {})
    assert any("a case lies in two parts" in told for told in judge(change, Evidence(None)).errors)


def test_a_test_case_of_another_patient_is_an_error(judge):
    def change(record):
        record.cases[0].patient = "p999"

    assert any("a test case of another patient" in line for line in judge(change).errors)


def test_a_missing_test_case_is_an_error(judge):
    def change(record):
        del record.cases[0], record.data.test[0]

    assert any("not all test cases of the split" in line for line in judge(change).errors)


def test_a_missing_class_is_an_error(judge):
    def change(record):
        del record.cases[0].classes["small"]

    assert any("other classes than the task has" in line for line in judge(change).errors)


def test_a_draw_trains_every_arm_on_the_same_cases(judge, finished):
    pool = sorted({case for record in Store(finished) for case in record.data.train})
    others = [c.id for c in split_cases(find_task("boxes")).train if c.id not in pool][:2]

    def change(record):
        if record.weights and record.arm.fraction == "2 shots":
            record.data.train = others

    assert any("neither the same nor nested" in line for line in judge(change).errors)


def subset(tmp_path, root, keep, evidence):
    content = {
        f"records/{r.key}.json": r.model_dump_json().encode() for r in Store(root) if keep(r)
    }
    return verify_bundle(bundle(tmp_path / "b.zip", content), evidence)


def test_an_arm_without_its_twin_is_an_error_unless_the_results_have_it(
    tmp_path, finished, evidence
):
    found = subset(tmp_path, finished, lambda r: r.weights, evidence)
    assert any("without its scratch twin" in line for line in found.errors)
    found = subset(tmp_path, finished, lambda r: r.weights, Evidence(finished))
    assert found.errors == []


def test_holes_are_warnings(tmp_path, finished, evidence):
    def keep(record):
        arm = record.arm
        return (bool(record.weights), arm.fraction, arm.seed) != (False, "4 shots", 1)

    found = subset(tmp_path, finished, keep, evidence)
    assert found.verified
    assert any(
        line.startswith("a hole in the grid") and "4 shots, draw 0, seed 1" in line
        for line in found.warnings
    )
    assert any("cells without their twin" in line for line in found.warnings)


def test_a_failed_cell_is_a_warning_with_its_reason(judge):
    def change(record):
        if record.arm.seed == 1 and record.arm.fraction == "4 shots":
            record.status, record.failure, record.cases, record.cost = "failed", "no room", [], None

    found = judge(change)
    assert found.verified
    assert any("a failed cell" in line and "no room" in line for line in found.warnings)


def test_without_the_data_the_committed_split_is_compared(judge, finished, tmp_path, monkeypatch):
    results = tmp_path / "results"
    freeze_split(split_cases(find_task("boxes")), results / "splits" / "boxes.json")
    (results / "records").mkdir()
    monkeypatch.setattr(TASKS, "loose", {})
    found = judge(known=Evidence(results))
    assert found.verified
    assert any("a task that is not here: boxes" in line for line in found.unchecked)
    assert any("a pre-training source that is not here" in line for line in found.unchecked)

    def other(record):
        record.data.split_sha256 = "f" * 64

    wrong = judge(other, Evidence(results))
    assert any("another split than the committed one" in line for line in wrong.errors)


def test_a_strangers_fields_generate_nothing_but_a_sweep_of_ones_own_does(judge, finished):
    def change(record):
        record.cell["task"] = ["boxes", {"volumes": 10**9}]

    found = judge(change)
    assert any("does not say where its data lie" in line for line in found.unchecked)
    own = parse_sweep({**SWEEP, "tasks": [{"name": "boxes", "volumes": 20}]})
    assert judge(known=Evidence(None, [own])).verified


@pytest.mark.parametrize("field", ["dice", "nsd", "hd95_mm", "volume_mm3_prediction"])
def test_a_score_that_its_label_map_does_not_have_is_an_error(judge, field):
    def change(score):
        setattr(score, field, getattr(score, field) * 0.999)

    found = judge(first(change), label_maps=True)
    [told] = [line for line in found.errors if "scores otherwise than the record says" in line]
    assert f"large: {field}" in told


def test_a_label_map_that_scores_otherwise_is_an_error(judge, run):
    record = next(iter(Store(run)))
    case = next(c for c in split_cases(find_task("boxes")).test if c.id == record.cases[0].case)
    reference, affine = read_reference(case, find_task("boxes").card)[:2]
    path = prediction_path(run, record.key, case.id)
    for array, place, rule in (
        (reference, affine, "scores otherwise"),
        (reference[1:], affine, "on another grid"),
        (reference, np.diag([2.0, 2.0, 2.0, 1.0]), "on another grid"),
        (reference + 1, affine, "more classes than the task has"),
    ):
        write_label_map(path, array, place)
        errors = judge(root=run, label_maps=True).errors
        assert any(rule in line and case.id in line for line in errors), (rule, errors)


def test_a_broken_label_map_is_an_error_and_the_others_are_still_scored(judge, run):
    record = next(iter(Store(run)))
    prediction_path(run, record.key, record.cases[0].case).write_bytes(b"no gzip")
    found = judge(root=run, label_maps=True)
    assert any("not a label map of voxbench" in line for line in found.errors)
    assert len(found.errors) == 1


def test_a_missing_and_a_stray_label_map_are_told(judge, run):
    record = next(iter(Store(run)))
    path = prediction_path(run, record.key, record.cases[0].case)
    shutil.move(path, path.with_name("stray.nii.gz"))
    found = judge(root=run, label_maps=True)
    assert any("a label map of no case" in line for line in found.errors)
    assert any("a case without its label map" in line for line in found.warnings)


def test_an_older_metric_version_passes_where_the_label_maps_score_the_same(judge):
    old = changed("metrics_version", "0")
    found = judge(old, label_maps=True)
    assert found.verified
    assert any("scored again with equal result" in line for line in found.warnings)


def swap(root, source, target, noise=None, some=slice(None)):
    """Give a record label maps and scores of another one, and noise where asked for."""
    task = find_task("boxes")
    store = Store(root)
    for case, told in list(zip(split_cases(task).test, target.cases, strict=True))[some]:
        reference, affine = read_reference(case, task.card)[:2]
        taken = read_label_map(prediction_path(root, source.key, case.id)).array.copy()
        if noise:
            taken[tuple(np.argwhere(taken == 1)[noise].T)] = 0
        write_label_map(prediction_path(root, target.key, case.id), taken, affine)
        told.classes = scored(case, task.card, taken, reference, affine).classes
    store.write(target)


def pair(root):
    """A record of either arm, of one fraction and seed."""
    own = [r for r in Store(root) if (r.arm.fraction, r.arm.seed) == ("2 shots", 0)]
    return own if own[0].weights is None else own[::-1]


def test_copied_predictions_are_errors(judge, run):
    swap(run, *pair(run))
    found = judge(root=run, label_maps=True)
    assert any("the same scores, to the last digit" in line for line in found.errors)
    assert any("the same label maps in two trainings" in line for line in found.errors)


def test_copied_scores_are_errors_without_label_maps_too(judge, run):
    swap(run, *pair(run))
    assert any("the same scores" in line for line in judge(root=run).errors)


def test_predictions_that_were_copied_and_touched_up_are_errors(judge, run, monkeypatch):
    """One voxel of about 500 is another: a Dice of 0.999 needs larger boxes than the tests have."""
    monkeypatch.setattr("voxbench.submission.duplicates.NEAR_DICE", 0.998)
    swap(run, *pair(run), noise=[3])
    found = judge(root=run, label_maps=True)
    assert any("near-identical predictions" in line for line in found.errors)
    assert any("nearer to each other" in line for line in judge(root=run).warnings)


def test_one_label_map_of_another_training_is_evidence(judge, run):
    swap(run, *pair(run), some=slice(1))
    found = judge(root=run, label_maps=True)
    assert any("the same label maps" in line and "1 of 4 cases" in line for line in found.errors)
    assert any("the same scores" in line for line in judge(root=run).warnings)


def test_all_label_maps_but_one_of_another_training_are_an_error_by_their_scores(judge, run):
    swap(run, *pair(run), some=slice(1, None))
    assert any("the same scores" in line for line in judge(root=run).errors)


def test_names_of_cases_and_classes_hide_no_copy(judge, run):
    source, target = pair(run)
    swap(run, source, target)
    for case in target.cases:
        case.case += "x"
    Store(run).write(target)
    assert any("the same scores" in line for line in judge(root=run).errors)


def test_copies_with_noise_are_a_warning(judge, run):
    swap(run, *pair(run), noise=slice(None, None, 100))
    for label_maps in (True, False):
        found = judge(root=run, label_maps=label_maps)
        assert [line for line in found.warnings if "nearer to each other" in line]


def test_copies_of_the_results_are_found(judge, run, finished, evidence, tmp_path):
    scratch, other = pair(run)
    swap(run, scratch, other)
    results = tmp_path / "results"
    (results / "records").mkdir(parents=True)
    Store(results).write(scratch)

    def keep(record):
        return record.key != scratch.key

    found = subset(tmp_path, run, keep, Evidence(results))
    assert any("in the results" in line for line in found.errors)


def test_direct_inference_may_be_equal_over_seeds(finished):
    one, other = (r for r in Store(finished) if r.weights and r.arm.fraction == "2 shots")
    assert _decides(one) != _decides(other)
    for record in (one, other):
        record.arm.adaptation = "direct"
    assert _decides(one) == _decides(other)


def test_a_method_is_not_excused_by_the_weights_that_it_claims(judge, run):
    """Another arm's scores under one's own name, with that arm's hash of the weights."""
    source = next(r for r in Store(run) if r.weights)
    claimed = source.model_copy(deep=True)
    claimed.cell["baseline"][1]["noise"] = 0.9
    assert _decides(claimed) != _decides(source)
    claimed.arm.adaptation = source.arm.adaptation = "direct"
    assert _decides(claimed) != _decides(source)


def test_networks_that_find_nothing_are_no_copies(judge):
    def change(record):
        for case in record.cases:
            for score in case.classes.values():
                score.dice = score.nsd = score.volume_mm3_prediction = 0.0
                score.flag, score.hd95_mm = "prediction_empty", 46.0

    assert judge(change).verified


def test_another_record_of_a_known_key_is_an_error(judge, finished):
    found = judge(changed("sweep", "other"), Evidence(finished))
    assert any("another record than the one of the same key" in line for line in found.errors)
    assert judge(known=Evidence(finished)).verified


def test_a_packed_file_is_verified_and_refused_once_a_byte_of_it_is_another(
    finished, tmp_path, evidence
):
    pack(finished, tmp_path / "b.zip", with_predictions=True)
    assert verify_bundle(tmp_path / "b.zip", evidence).verified
    content = bytearray((tmp_path / "b.zip").read_bytes())
    content[len(content) // 2] ^= 255
    (tmp_path / "b.zip").write_bytes(content)
    with pytest.raises(BundleError, match="is damaged"):
        verify_bundle(tmp_path / "b.zip", evidence)


def test_verifying_imports_no_torch(finished, tmp_path):
    pack(finished, tmp_path / "b.zip")
    probe = f"""
import sys
sys.argv = ["voxbench", "verify", {str(tmp_path / "b.zip")!r}]
from voxbench.cli import main
try:
    main()
except SystemExit:
    pass
print("heavy:", sorted({{"torch", "monai", "matplotlib", "wandb"}} & set(sys.modules)))
"""
    told = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=120
    )
    assert "heavy: []" in told.stdout, told.stdout + told.stderr
    assert "tiny, 8 records" in told.stdout


def test_label_maps_of_every_fold_are_scored_again(tmp_path, judge):
    folded = make(tmp_path / "folded", folds=2, fractions=["4 shots"], seeds=1)
    assert judge(label_maps=True, root=folded).errors == []
    content = members(folded, altered) | maps(folded)
    found = verify_bundle(bundle(tmp_path / "forged.zip", content), Evidence(None))
    forged = [one for one in found.diagnostics if "scores otherwise" in one.rule]
    assert len(forged) == sum(len(record.cases) for record in Store(folded))


def altered(record):
    """Tell of another Dice than the label maps have."""
    for case in record.cases:
        first = next(iter(case.classes.values()))
        first.dice = first.dice * 0.99


def test_a_fold_that_the_data_can_not_be_divided_into_is_named():
    ref = TASKS.complete(Ref("boxes"))
    assert "make no 500 folds" in str(Evidence(None).find(ref, "boxes", Fold(0, 500)))
