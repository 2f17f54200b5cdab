import json

import numpy as np
import pytest
from voxbench.analyses.effects import effects
from voxbench.analyses.pairing import pair_arms
from voxbench.analyses.ranks.board import apply_policy, boards
from voxbench.analyses.ranks.league import league
from voxbench.analyses.read import read_groups
from voxbench.analyses.settings import by_recipe
from voxbench.errors import DataError, RecordError
from voxbench.external.records import import_scores
from voxbench.records import Store
from voxbench.stats.metric import METRICS

from tests.analyses.records import cases
from tests.analyses.records import record as made
from tests.conftest import REPOSITORY

WIDE = "name,aorta,liver\ns1,0.9,0.8\ns2,,0.5\ns3,,\n"


@pytest.fixture
def put(tmp_path):
    def put(name, text):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
        return path

    return put


def scores(record, metric="dice"):
    return {
        (case.case, name): getattr(found, metric)
        for case in record.cases
        for name, found in case.classes.items()
        if not np.isnan(getattr(found, metric))
    }


def test_a_wide_table_says_by_its_name_whose_score_it_is(put):
    [record] = import_scores([put("nnU-Net_U-Net_dsc.csv", WIDE)], "total")
    assert (record.arm.task, record.arm.baseline) == ("total", "nnU-Net_U-Net")
    assert scores(record) == {("s1", "aorta"): 0.9, ("s1", "liver"): 0.8, ("s2", "liver"): 0.5}
    assert len(record.cases) == 3


def test_files_of_one_arm_become_one_record(put):
    nsd = put("net_nsd.csv", WIDE.replace("0.9", "0.7"))
    [record] = import_scores([put("net_dsc.csv", WIDE), nsd], "total")
    assert scores(record)["s1", "aorta"] == 0.9
    assert scores(record, "nsd")["s1", "aorta"] == 0.7


def test_a_folder_can_name_the_arm_and_the_file_the_metric(put):
    [record] = import_scores([put("unest/dsc.csv", WIDE)], "total")
    assert record.arm.baseline == "unest"


def test_imported_records_say_so_with_source_and_checksum(put, tmp_path):
    path = put("net_dsc.csv", WIDE)
    [record] = import_scores([path], "total", source="Somebody 2024")
    assert (record.imported.layout, record.imported.source) == ("wide", "Somebody 2024")
    assert len(record.imported.files["net_dsc.csv"]) == 64
    Store(tmp_path).write(record)
    assert Store(tmp_path).read(record.key).imported == record.imported


def test_the_same_file_gives_the_same_key_and_a_changed_one_another(put):
    [first] = import_scores([put("net_dsc.csv", WIDE)], "total")
    [again] = import_scores([put("net_dsc.csv", WIDE)], "total")
    [changed] = import_scores([put("net_dsc.csv", WIDE.replace("0.9", "0.7"))], "total")
    assert first.key == again.key != changed.key


def test_a_long_table_holds_arms_seeds_and_metrics(put):
    text = "task,model,case,class,seed,Dice,HD95\n"
    text += "".join(
        f"t,{arm},c{i},liver,{seed},0.{i}5,4\n" for arm in "ab" for i in (1, 2) for seed in (0, 1)
    )
    records = import_scores([put("scores.csv", text)])
    assert [(r.arm.baseline, r.arm.seed) for r in records] == [
        ("a", 0), ("a", 1), ("b", 0), ("b", 1),
    ]  # fmt: skip
    assert scores(records[0]) == {("c1", "liver"): 0.15, ("c2", "liver"): 0.25}
    assert scores(records[0], "hd95_mm") == {("c1", "liver"): 4, ("c2", "liver"): 4}


def test_a_long_table_can_have_a_row_a_metric_and_several_scans_a_patient(put):
    text = "case,patient,class,metric,value\n1a,p1,x,DSC,0.5\n1b,p1,x,DSC,0.7\n2a,p2,x,dice,\n"
    [record] = import_scores([put("scores.csv", text)], "t", "a")
    [group] = read_groups([record])
    assert group.scores["dice"][0, 0] == pytest.approx(0.6)
    assert group.undefined["dice"] == 1


def summary(**changes):
    entry = {
        "metrics": {"1": {"Dice": 0.8, "IoU": 0.7}, "2": {"Dice": float("nan")}},
        "prediction_file": "/out/case_7.nii.gz",
        "reference_file": "/in/case_7.nii.gz",
    }
    return json.dumps({"metric_per_case": [{**entry, **changes}], "mean": {}})


def test_a_summary_of_nnunet_is_read_by_case_and_label(put):
    [record] = import_scores([put("summary.json", summary())], "t", "nnU-Net")
    assert scores(record) == {("case_7", "1"): 0.8}
    assert set(record.cases[0].classes) == {"1", "2"}


def test_our_own_summary_names_the_classes(put):
    document = json.loads(summary()) | {"classes": {"1": "liver", "2": "spleen"}}
    [record] = import_scores([put("summary.json", json.dumps(document))], "t", "a")
    assert set(record.cases[0].classes) == {"liver", "spleen"}


def test_one_call_takes_many_arms_and_each_keeps_its_own_files(put, tmp_path):
    folds = [("netA", 0, "case_1"), ("netA", 1, "case_2"), ("netB", 0, "case_1")]
    files = []
    for arm, fold, case in folds:
        path = tmp_path / arm / f"fold_{fold}" / "validation" / "summary.json"
        path.parent.mkdir(parents=True)
        path.write_text(summary(reference_file=f"/in/{case}.nii.gz"))
        files.append(path)
    first, second = import_scores(files, "t")
    assert (first.arm.baseline, second.arm.baseline) == ("netA", "netB")
    assert [case.case for case in first.cases] == ["case_1", "case_2"]
    assert [name.split("/")[-4:] for name in first.imported.files] == [
        ["netA", "fold_0", "validation", "summary.json"],
        ["netA", "fold_1", "validation", "summary.json"],
    ]
    assert str(tmp_path) not in first.model_dump_json()
    assert len(second.imported.files) == 1
    with pytest.raises(DataError, match="is there twice"):
        import_scores([*files, files[0]], "t")


def test_folds_that_are_imported_one_after_another_are_one_arm(put):
    parts = [
        import_scores([put("summary.json", summary(reference_file=f"{case}.nii.gz"))], "t", "a")[0]
        for case in ("c1", "c2")
    ]
    assert parts[0].key != parts[1].key
    [group] = read_groups(parts)
    assert [case for _, case in group.cases] == ["c1", "c2"]
    again = import_scores([put("summary.json", summary(reference_file="c1.nii.gz"))], "t", "a")[0]
    again = again.model_copy(update={"key": "other"})
    with pytest.raises(RecordError, match="are the same training"):
        read_groups([*parts, again])


def test_an_arm_may_begin_with_an_underscore(put):
    [record] = import_scores([put("_Diff-UNet/dsc.csv", WIDE)], "total")
    assert record.arm.baseline == "_Diff-UNet"


def test_imported_scores_are_compared_with_own_arms_on_shared_cases_of_any_recipe(put):
    rows = "".join(f"case{i},{0.5 + 0.01 * i}\n" for i in range(10))
    [theirs] = import_scores([put("theirs_dsc.csv", f"name,a\n{rows}")], "openkbp")
    ours = [
        made(cases(lambda i, c, s=seed: 0.6 + 0.01 * i + 0.001 * s, 12), fraction="100%", seed=seed)
        for seed in (1, 2, 3)
    ]
    other = made(
        cases(lambda i, c: 0.5 + 0.01 * i, 12),
        fraction="100%", key="other", cell={"recipe": {"steps": 9}},
    )  # fmt: skip
    groups = read_groups([theirs, *ours, other])
    rows = effects(pair_arms(groups, "scratch", "theirs", METRICS["dice"]), 0.01)
    assert {(row.patients, row.runs) for row in rows} == {(10, 3), (10, 1)}
    assert sorted(row.effect.mean for row in rows) == pytest.approx([0.0, 0.102])
    assert all("imported (theirs)" in row.note for row in rows)
    recipes = by_recipe([theirs, *ours, other])
    assert [len(own) for own in recipes.values()] == [4, 2]
    [board] = boards(read_groups(recipes[next(iter(recipes))]), METRICS["dice"])
    notes = {row.arm: row.note for row in league(apply_policy(board), 0.01).rows}
    assert notes["theirs"] == "imported"


def test_arms_are_compared_on_the_cases_that_both_have(put):
    files = [put("a_dsc.csv", WIDE), put("b_dsc.csv", "name,aorta,liver\ns1,0.5,0.5\ns9,1,1\n")]
    groups = read_groups(import_scores(files, "total"))
    assert sorted({name for group in groups for name in group.patients}) == ["s1", "s2", "s3", "s9"]
    [found] = boards(groups, METRICS["dice"])
    assert found.arms == ("a", "b")
    assert found.samples[0].values.shape == (2, 4, 1)


@pytest.mark.parametrize(
    ("name", "text", "options", "message"),
    [
        ("a_dsc.csv", WIDE, {}, "says no task"),
        ("a.csv", WIDE, {"task": "t"}, "name ends in no metric"),
        ("a_dsc.csv", WIDE.replace("0.9", "1.9"), {"task": "t"}, "column aorta: dice is 1.9"),
        ("a_dsc.csv", WIDE.replace("0.9", "-1"), {"task": "t"}, "not between 0 and 1"),
        ("a_dsc.csv", WIDE.replace("0.9", "good"), {"task": "t"}, "'good' is no number"),
        ("a_hd95.csv", WIDE.replace("0.9", "inf"), {"task": "t"}, "finite distance"),
        ("a_dsc.csv", WIDE + "s1,0.1,0.1\n", {"task": "t"}, "two values of dice for 'aorta'"),
        ("a_dsc.csv", WIDE + "s4,0.1\n", {"task": "t"}, "line 5: 2 values under 3 columns"),
        ("a_dsc.csv", "name,x,x\n", {"task": "t"}, "'x' is there twice"),
        ("a_dsc.csv", "name,x\ns1,\n", {"task": "t"}, "no defined score"),
        ("a_dsc.csv", "", {"task": "t"}, "no header"),
        ("a_dsc.csv", WIDE, {"task": "../../etc"}, "letters, digits"),
        ("a_dsc.csv", WIDE, {"task": "t", "arm": "a\nb"}, "plain signs"),
        ("a_dsc.csv", WIDE, {"task": "t", "metric": "dise"}, "Did you mean 'dice'"),
        ("long.csv", "case,class,dice\nc,x,1\n", {"task": "t"}, "no column for arm"),
        ("long.csv", "case,class,iou\nc,x,1\n", {"task": "t", "arm": "a"}, "metric and value"),
        ("long.csv", "case,class,dice,seed\nc,x,1,-1\n", {"task": "t", "arm": "a"}, "no whole"),
        ("s.json", summary(), {"task": "t"}, "says no arm"),
        ("s.json", "[1]", {"task": "t", "arm": "a"}, "no list 'metric_per_case'"),
        ("s.json", "{", {"task": "t", "arm": "a"}, "can't be read as JSON"),
        ("s.json", "[" * 100_000, {"task": "t", "arm": "a"}, "can't be read as JSON"),
        ("s.json", summary(metrics=3), {"task": "t", "arm": "a"}, "no dictionary 'metrics'"),
        ("s.json", summary(reference_file=3), {"task": "t", "arm": "a"}, "no 'reference_file'"),
        ("s.json", summary(metrics={"1": {"Dice": "1"}}), {"task": "t", "arm": "a"}, "no number"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_one_clear_line(put, name, text, options, message):
    with pytest.raises(DataError, match=message) as told:
        import_scores([put(name, text)], **options)
    assert "\n" not in str(told.value)


def test_a_missing_file_is_one_clear_line(tmp_path):
    with pytest.raises(DataError, match="can't be read as CSV"):
        import_scores([tmp_path / "a_dsc.csv"], "t")


def test_layouts_are_not_mixed(put):
    with pytest.raises(DataError, match="files of several layouts"):
        import_scores([put("a_dsc.csv", WIDE), put("s.json", summary())], "t", "a")


@pytest.mark.realdata
def test_the_touchstone_tables_are_read_whole_and_ranked(real_touchstone):
    folder = real_touchstone
    records = import_scores(sorted(folder.glob("*.csv")), "totalsegmentator")
    assert [(r.arm.baseline, len(r.cases)) for r in records] == [
        ("MONAI_Swin_UNETR", 743), ("nnU-Net_STU-Net_B", 743), ("nnU-Net_U-Net", 743),
    ]  # fmt: skip
    assert {name for r in records for case in r.cases for name in case.classes} == {
        "aorta", "gall_bladder", "kidney_left", "kidney_right", "liver", "pancreas", "postcava",
        "spleen", "stomach",
    }  # fmt: skip
    lines = (folder / "nnU-Net_U-Net_dsc.csv").read_text().splitlines()[1:]
    livers = [float(line.split(",")[5]) for line in lines if line.split(",")[5]]
    own = [s for (_, name), s in scores(records[2]).items() if name == "liver"]
    assert own == livers
    [board] = boards(read_groups(records), METRICS["dice"])
    found = league(apply_policy(board), 0.01)
    assert [(row.place, row.arm) for row in found.rows] == [
        (1, "nnU-Net_STU-Net_B"), (2, "nnU-Net_U-Net"), (3, "MONAI_Swin_UNETR"),
    ]  # fmt: skip
    for pair in found.pairs:
        assert pair.verdict == ("better" if pair.effect.mean > 0 else "worse")
        assert pair.p_adjusted < 0.05
    told = (REPOSITORY / "docs" / "results.md").read_text()
    for row in found.rows:
        mean, low, high = row.mean
        assert f"| {row.place} | {row.arm} | {mean:.3f} [{low:.3f}, {high:.3f}] |" in told
