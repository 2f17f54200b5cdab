import json
import re

import pytest
import typer
from typer.testing import CliRunner
from voxbench import plugins
from voxbench.cli.prepare import prepare_verb
from voxbench.errors import DataError

from tests.data.toy import save, volumes

LOOSE = """
from voxbench_tasks.nnunet_folder import NnunetFolder

class ToyFolder(NnunetFolder):
    pass
"""


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Run the verb on an nnU-Net folder of three cases, through a loose plugin."""
    monkeypatch.setattr(plugins.TASKS, "loose", {})
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "toy.py").write_text(LOOSE)
    for name in "abc":
        image, label = volumes(seed=sum(name.encode()))
        save(tmp_path / "raw" / "imagesTr" / f"{name}_0000.nii.gz", image)
        save(tmp_path / "raw" / "labelsTr" / f"{name}.nii.gz", label)
    description = {"channel_names": {"0": "T1"}, "labels": {"background": 0, "ball": 1, "box": 4}}
    (tmp_path / "raw" / "dataset.json").write_text(json.dumps(description))
    app = typer.Typer()
    app.command()(prepare_verb)

    def run(*options):
        fields = (
            "--field",
            f"root={tmp_path / 'raw'}",
            "--include-path",
            str(tmp_path / "plugins"),
        )
        return CliRunner().invoke(app, ["toy-folder", *fields, *options])

    return run


def test_sound_cases_are_counted_and_the_exit_code_is_0(call):
    result = call("--json")
    assert result.exit_code == 0
    (report,) = json.loads(result.stdout)
    mirroring, notes = report.pop("mirroring"), report.pop("notes")
    assert report == {"task": "raw", "cases": 3, "patients": 3, "usable": 3, "problems": []}
    assert mirroring == "mirrored in training: left-right, front-back, top-bottom"
    assert notes[0] == "patients: each case counts as one; nothing says who is who"
    assert notes[1].startswith(
        "2 validation and test images compared with those of the other parts"
    )


def test_a_scan_in_two_parts_of_the_split_is_refused(call, tmp_path):
    image = volumes(seed=1)[0]
    for name, grey in (("a", image), ("b", 2 * image[::-1] + 100)):
        save(tmp_path / "raw" / "imagesTr" / f"{name}_0000.nii.gz", grey)
    result = call("--json")
    assert result.exit_code == 1
    (problem,) = json.loads(result.stdout)[0]["problems"]
    assert (problem["kind"], problem["fatal"]) == ("in two parts", True)
    assert re.fullmatch(
        r"looks like [abc] of \w+: 0\.9\d+ .*|looks like .*: 1\.000 .*", problem["detail"]
    )
    assert json.loads(call("--json").stdout)[0]["problems"] == [problem]


def test_cases_that_look_grouped_are_asked_about(call, tmp_path):
    for name in "abcdef":
        image, label = volumes(seed=sum(name.encode()))
        for visit in "12":
            scan = f"{name}_visit{visit}"
            save(tmp_path / "raw" / "imagesTr" / f"{scan}_0000.nii.gz", image + int(visit))
            save(tmp_path / "raw" / "labelsTr" / f"{scan}.nii.gz", label)
    result = call("--field", "title=x")
    assert isinstance(result.exception, DataError)
    assert "prefixes (as a of a, a_visit1, a_visit2): are these patients?" in str(result.exception)
    assert call("--field", "patients=prefix").exit_code == 0
    apart = call("--field", "patients=case")
    assert apart.exit_code == 1
    assert "in two parts" in apart.stdout


def test_a_broken_case_is_in_the_table_and_the_exit_code_is_1(call, tmp_path):
    (tmp_path / "raw" / "labelsTr" / "b.nii.gz").write_bytes(b"nothing")
    result = call("--jobs", "2")
    assert result.exit_code == 1
    assert "2 of 3 cases usable" in result.stdout
    (row,) = [line for line in result.stdout.splitlines() if line.split()[:1] == ["b"]]
    assert "corrupt file" in row
    (problem,) = json.loads(call("--json").stdout)[0]["problems"]
    assert (problem["case"], problem["kind"], problem["fatal"]) == ("b", "corrupt file", True)


def test_a_case_without_foreground_is_a_note_and_no_failure(call, tmp_path):
    save(tmp_path / "raw" / "labelsTr" / "c.nii.gz", volumes()[1] * 0)
    result = call()
    assert result.exit_code == 0
    assert "3 of 3 cases usable" in result.stdout
    assert "empty label" in result.stdout
