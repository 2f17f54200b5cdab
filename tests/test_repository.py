"""What the repository says of itself: workflows, templates, citation, changelog, sessions."""

import re
import tomllib

import pytest
import typer
import yaml
from voxbench.cli import app

from tests.conftest import REPOSITORY

GITHUB = REPOSITORY / ".github"
WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((GITHUB / "workflows").glob("*.yml"))
}
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
VERBS = typer.main.get_command(app).commands.keys()
SESSIONS = re.findall(
    r"^@nox\.session.*\ndef (\w+)", (REPOSITORY / "noxfile.py").read_text(), re.MULTILINE
)


def steps(workflow):
    return [step for job in WORKFLOWS[workflow]["jobs"].values() for step in job["steps"]]


def scripts(workflow):
    return [step["run"] for step in steps(workflow) if "run" in step]


def on(workflow):
    return WORKFLOWS[workflow][True]  # YAML 1.1 reads the word as true


@pytest.mark.parametrize("path", sorted(GITHUB.rglob("*.yml")), ids=lambda path: path.name)
def test_what_github_reads_is_yaml(path):
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_the_sessions_and_verbs_of_a_workflow_exist(workflow):
    told = "\n".join(scripts(workflow))
    assert set(re.findall(r"nox -s (\w+)", told)) <= set(SESSIONS)
    assert set(re.findall(r"bin/voxbench ([a-z]+)", told)) <= VERBS


def test_the_tests_run_on_every_python_that_is_supported_by_the_command_of_the_readme():
    [job] = WORKFLOWS["ci"]["jobs"].values()
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    [command] = [run for run in scripts("ci") if run.startswith("python3 -m venv")]
    assert command in (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert command in (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_what_a_fork_can_start_may_write_nothing_and_knows_no_secret(workflow):
    text = (GITHUB / "workflows" / f"{workflow}.yml").read_text(encoding="utf-8")
    assert "pull_request_target" not in text
    assert "secrets." not in text
    if "pull_request" in on(workflow):
        assert WORKFLOWS[workflow]["permissions"] == {"contents": "read"}
        for job in WORKFLOWS[workflow]["jobs"].values():
            pushed = job.get("if") == "github.event_name == 'push'"
            assert pushed or "permissions" not in job


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_no_script_is_written_by_who_opens_a_pull_request(workflow):
    for script in scripts(workflow):
        assert "${{" not in script  # it would be pasted in, not passed


def test_the_verified_code_is_that_of_the_base_branch():
    checkout = steps("submission")[0]
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert not any("checkout" in step.get("uses", "") for step in steps("submission-comment"))


@pytest.mark.parametrize("form", ["bug", "task", "baseline"])
def test_a_form_asks_for_what_a_maintainer_needs(form):
    asked = yaml.safe_load((GITHUB / "ISSUE_TEMPLATE" / f"{form}.yml").read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= asked.keys()
    assert any(item.get("validations", {}).get("required") for item in asked["body"])


def test_citation_and_changelog_tell_the_version_of_the_package():
    cited = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= cited.keys()
    assert cited["license"] == PROJECT["license"]
    assert cited["version"] == PROJECT["version"]
    changes = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{cited['version']}] - {cited['date-released']}\n" in changes


def test_every_session_is_told_of_to_contributors():
    told = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for session in SESSIONS:
        assert re.search(rf"nox -s [\w ]*\b{session}\b", told), session
