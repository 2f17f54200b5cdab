"""Two folders in, scores out: nothing is skipped in silence."""

import gzip
import json
import math
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner
from voxbench.cli.score import score_verb
from voxbench.errors import DataError, SpecError
from voxbench.metrics import METRICS_VERSION, evaluate
from voxbench.score import ScoreOptions, class_means, pair_cases, score_folders, write_summary

AFFINE = np.diag([1.5, 1.5, 3.0, 1.0])
CLASSES = {"liver": 1, "spleen": 2}
OPTIONS = ScoreOptions(CLASSES, 2.0)


def organs(shift=0, spleen=True):
    volume = np.zeros((20, 24, 16), np.uint8)
    volume[3 + shift : 10 + shift, 4:15, 3:12] = 1
    if spleen:
        volume[12:18, 4:10, 4:9] = 2
    return volume


def save(file, labels, affine=AFFINE):
    file.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(labels.astype(np.uint8), affine), file)


@pytest.fixture
def folders(tmp_path):
    """Three cases: shifted, without a spleen on either side, and with a spleen on one side only."""
    for name, ours, theirs in (
        ("a", organs(1), organs()),
        ("b", organs(0, spleen=False), organs(0, spleen=False)),
        ("c", organs(2, spleen=False), organs()),
    ):
        save(tmp_path / f"ours/{name}.nii.gz", ours)
        save(tmp_path / f"theirs/{name}.nii.gz", theirs)
    return tmp_path / "ours", tmp_path / "theirs"


def scores_of_a():
    pair = np.asfortranarray(organs(1)), np.asfortranarray(organs())
    return evaluate(*pair, CLASSES, (1.5, 1.5, 3.0), 2.0)


def run(*arguments):
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(score_verb)
    done = CliRunner().invoke(app, [str(a) for a in arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def test_every_case_is_scored_as_its_arrays_are(folders):
    heard = []
    results = score_folders(pair_cases(*folders), OPTIONS, jobs=2, done=heard.append)
    assert [result.case for result in results] == ["a", "b", "c"]
    assert sorted(heard) == sorted(results)
    assert repr(results[0].scores) == repr(scores_of_a())


def test_means_leave_out_what_is_undefined_and_count_it(folders):
    found = class_means(score_folders(pair_cases(*folders), OPTIONS))
    assert (found["spleen"].defined, found["spleen"].undefined, found["spleen"].flagged) == (
        2,
        1,
        1,
    )
    assert found["spleen"].dice == 0.5
    assert found["liver"].undefined == 0


def test_a_missing_prediction_is_the_worst_and_flagged(folders):
    (folders[0] / "a.nii.gz").unlink()
    first = score_folders(pair_cases(*folders), OPTIONS)[0]
    assert first.prediction is None
    assert first.scores["liver"].flag == "failed"
    assert first.scores["liver"].dice == 0
    assert first.scores["liver"].volume_mm3_reference > 0


def test_another_grid_is_refused_unless_it_may_be_resampled(folders):
    flipped = AFFINE @ [[-1, 0, 0, 19], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    save(folders[0] / "a.nii.gz", organs(1)[::-1], flipped)
    with pytest.raises(DataError, match=r"case a: .*another grid.*--resample"):
        score_folders(pair_cases(*folders), OPTIONS)
    results = score_folders(pair_cases(*folders), ScoreOptions(CLASSES, 2.0, resample=True))
    assert repr(results[0].scores) == repr(scores_of_a())


def test_distances_are_measured_by_the_affine_as_in_a_run_whatever_pixdim_says(folders):
    expected = score_folders(pair_cases(*folders), OPTIONS)
    for file in (*folders[0].iterdir(), *folders[1].iterdir()):
        image = nib.load(file)
        image.header["pixdim"][1:4] = 1
        image.header.set_qform(None, code=0)
        image.header["vox_offset"] = 352
        raw = gzip.decompress(file.read_bytes())
        file.write_bytes(gzip.compress(image.header.binaryblock + raw[348:]))
    assert nib.load(file).header.get_zooms() == (1, 1, 1)
    found = score_folders(pair_cases(*folders), OPTIONS)
    assert [repr(r.scores) for r in found] == [repr(r.scores) for r in expected]


def test_slices_are_scored_as_what_they_are(tmp_path):
    ours, theirs = organs(1)[..., 6], organs()[..., 6]
    save(tmp_path / "ours/a.nii.gz", ours)
    save(tmp_path / "theirs/a.nii.gz", theirs)
    [found] = score_folders(pair_cases(tmp_path / "ours", tmp_path / "theirs"), OPTIONS)
    pair = np.asfortranarray(ours), np.asfortranarray(theirs)
    assert repr(found.scores) == repr(evaluate(*pair, CLASSES, (1.5, 1.5), 2.0))


def test_masks_and_label_maps_score_alike(folders, tmp_path):
    for case in folders[1].iterdir():
        labels = np.asarray(nib.load(case).dataobj)
        for name, label in CLASSES.items():
            place = tmp_path / "masks" / case.name.split(".")[0] / "segmentations"
            save(place / f"{name}.nii.gz", labels == label)
    expected = score_folders(pair_cases(*folders), OPTIONS)
    found = score_folders(pair_cases(folders[0], tmp_path / "masks"), OPTIONS)
    assert [repr(r.scores) for r in found] == [repr(r.scores) for r in expected]
    (tmp_path / "masks/b/segmentations/spleen.nii.gz").unlink()
    with pytest.raises(DataError, match=r"case b: .*no mask of 'spleen'"):
        score_folders(pair_cases(folders[0], tmp_path / "masks"), OPTIONS)


def test_the_summary_has_the_shape_of_nnunet_s_and_the_table_every_number(folders, tmp_path):
    save(folders[0] / "z.nii.gz", organs())
    pairing = pair_cases(*folders)
    results = score_folders(pairing, OPTIONS)
    table = write_summary(tmp_path / "out/summary.json", results, OPTIONS, pairing)
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert set(summary) >= {"foreground_mean", "mean", "metric_per_case"}
    liver = summary["metric_per_case"][0]["metrics"]["1"]
    assert liver["TP"] + liver["FN"] == liver["n_ref"] == (organs() == 1).sum()
    assert liver["TP"] + liver["FP"] + liver["FN"] + liver["TN"] == organs().size
    assert liver["Dice"] == 2 * liver["TP"] / (liver["n_ref"] + liver["n_pred"])
    assert summary["mean"]["2"]["Dice"] == 0.5
    assert math.isnan(summary["metric_per_case"][1]["metrics"]["2"]["Dice"])
    assert summary["undefined"] == {"1": 0, "2": 1}
    assert summary["extra"] == ["z"]
    assert summary["metrics_version"] == METRICS_VERSION
    rows = pq.read_table(table).to_pylist()
    assert [(row["case"], row["class"]) for row in rows][:2] == [("a", "liver"), ("a", "spleen")]
    assert rows[0]["nsd"] == results[0].scores["liver"].nsd
    with pytest.raises(SpecError, match=r"named \.json"):
        write_summary(tmp_path / "out.txt", results, OPTIONS, pairing)


def test_the_command_prints_and_writes(folders, tmp_path):
    save(folders[0] / "z.nii.gz", organs())
    (folders[1] / "dataset.json").write_text(
        json.dumps({"labels": {"background": 0, "liver": 1, "spleen": 2}})
    )
    out = tmp_path / "s.json"
    said = run(*folders, "--tolerance-mm", "2", "--tolerance-mm", "spleen=3", "-j", 2, "-o", out)
    assert "both_empty" in said
    assert "1 without a reference, not scored: z" in said
    assert json.loads(out.read_text())["tolerance_mm"] == {"1": 2.0, "2": 3.0}


def test_the_command_names_missing_cases_and_scores_them_when_asked(folders):
    (folders[0] / "b.nii.gz").unlink()
    options = ["--class", "liver=1", "--class", "both=1+2", "--tolerance-mm", "2"]
    with pytest.raises(DataError, match=r"1 references have no prediction: b\..*--cases-of"):
        run(*folders, *options)
    alone = run(*folders, *options, "--cases-of", folders[0])
    assert "1 not asked for by --cases-of, not scored: b" in alone
    assert "scored as the worst: b" in run(*folders, *options, "--missing-fail")


def test_a_task_s_card_gives_classes_and_tolerances_which_options_override(
    folders, tmp_path, monkeypatch
):
    card = SimpleNamespace(classes=CLASSES, tolerance_mm={"liver": 1.5, "spleen": 3.0})
    monkeypatch.setattr("voxbench.plugins.find_task", lambda name: SimpleNamespace(card=card))
    out = tmp_path / "s.json"
    run(*folders, "--task", "abdomen", "--tolerance-mm", "liver=2.5", "-o", out)
    assert json.loads(out.read_text())["tolerance_mm"] == {"1": 2.5, "2": 3.0}


def test_an_official_scoring_has_its_classes_tolerances_and_empty_masks(folders, tmp_path):
    spleen = {"RK": 1, "IVC": 2}
    (folders[1] / "dataset.json").write_text(json.dumps({"labels": {"background": 0, **spleen}}))
    out = tmp_path / "s.json"
    run(*folders, "--scoring", "flare22", "-o", out)
    told = json.loads(out.read_text())
    assert (told["scoring"], told["tolerance_mm"]) == ("flare22", {"1": 3.0, "2": 2.0})
    assert [case["metrics"]["2"]["Dice"] for case in told["metric_per_case"]] == [1, 1, 0]
    assert told["undefined"] == {"1": 0, "2": 0}


def test_a_scoring_that_takes_any_class_leaves_out_what_the_reference_lacks(folders):
    save(folders[0] / "b.nii.gz", organs())
    said = run(*folders, "--class", "liver=1", "--class", "x=2", "--scoring", "totalsegmentator")
    assert "nan" in next(line for line in said.splitlines() if line.split()[:2] == ["b", "x"])


def test_label_maps_of_another_release_are_not_scored_by_guess(folders):
    save(folders[1] / "a.nii.gz", organs() * 2)  # 2 and 4, as BraTS 2021
    with pytest.raises(DataError, match="holds 4, --scoring brats has 0, 1, 2, 3"):
        run(*folders, "--scoring", "brats", "--tolerance-mm", "1")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "no classes are known"),
        (["--class", "liver=1"], "no tolerance for liver"),
        (["--class", "liver=one"], "name=label"),
        (["--class", "liver=1", "--tolerance-mm", "livr=2"], "Did you mean 'liver'"),
        (["--class", "liver=1", "--tolerance-mm", "wide"], "a number of mm"),
        (["--definition", "surfaces"], "Did you mean 'surface'"),
        (["--scoring", "kits22"], "Did you mean 'kits23'"),
        (["--scoring", "flare22", "--tolerance-mm", "2"], "has its own tolerances"),
        (["--scoring", "flare22", "--definition", "voxel"], "has its own definition"),
        (["--scoring", "kits23", "--class", "kidney=1"], r"kidney and mass=1\+2\+3"),
        (["--scoring", "brats"], "no tolerance for whole tumour"),
    ],
)
def test_a_call_that_can_t_work_says_what_to_do(folders, options, says):
    with pytest.raises(SpecError, match=says):
        run(*folders, *options)


def test_a_class_is_scored_lesion_by_lesion_beside_its_voxels(folders, tmp_path):
    pytest.importorskip("panoptica")
    (folders[0] / "b.nii.gz").unlink()
    out = tmp_path / "s.json"
    told = ["--class", "spleen=2", "--tolerance-mm", "2", "--lesions", "spleen", "--missing-fail"]
    assert "lesion by lesion" in run(*folders, *told, "-o", out)
    found = [case["2"] for case in json.loads(out.read_text())["lesions"]]
    assert [(one["reference"], one["predicted"], one["found"]) for one in found] == [
        (1, 1, 1),
        (0, 0, 0),
        (1, 0, 0),
    ]
    assert [one["f1"] for one in found] == [1, pytest.approx(math.nan, nan_ok=True), 0]


def test_lesions_of_a_class_that_is_not_scored_are_refused(folders):
    with pytest.raises(SpecError, match="--lesions: unknown class 'tumour'"):
        run(*folders, "--class", "spleen=2", "--tolerance-mm", "2", "--lesions", "tumour")
