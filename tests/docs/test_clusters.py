"""The files for schedulers work: they can be read, and start what there is."""

import shlex
import subprocess
from pathlib import Path

import click
import pytest
import typer
import yaml
from voxbench.cli import app

FILES = Path(__file__).parents[2] / "docs" / "clusters"
WORK = typer.main.get_command(app).get_command(click.Context(click.Command("voxbench")), "work")


def kubernetes() -> dict:
    return yaml.safe_load((FILES / "kubernetes.yaml").read_text())


def started(name: str) -> list[str]:
    """The words behind `voxbench work` in a file."""
    if name == "kubernetes.yaml":
        words = kubernetes()["spec"]["template"]["spec"]["containers"][0]["command"]
    else:
        text = (FILES / name).read_text()
        if name == "skypilot.yaml":
            text = yaml.safe_load(text)["run"]
        line = next(line for line in text.splitlines() if "voxbench work" in line)
        words = shlex.split(line.replace("$@", "s.toml"))
    return words[words.index("work") + 1 :]


@pytest.mark.parametrize("name", ["slurm.sh", "kubernetes.yaml", "skypilot.yaml"])
def test_each_starts_work_with_options_that_it_has(name):
    context = WORK.make_context("work", started(name))
    assert context.params["spec"]


def test_the_script_is_one_that_bash_can_read():
    script = FILES / "slurm.sh"
    subprocess.run(["bash", "-n", script], check=True)
    options = [line for line in script.read_text().splitlines() if line.startswith("#SBATCH --")]
    minutes = next(int(one.rpartition("=")[2]) for one in options if "--time" in one)
    assert WORK.make_context("work", started("slurm.sh")).params["minutes"] < minutes


def test_a_pod_that_stopped_with_work_left_is_replaced_and_all_pods_see_one_volume():
    job = kubernetes()["spec"]
    codes = [
        rule["onExitCodes"] for rule in job["podFailurePolicy"]["rules"] if "onExitCodes" in rule
    ]
    pod = job["template"]["spec"]
    container = pod["containers"][0]
    assert codes == [{"containerName": container["name"], "operator": "In", "values": [75]}]
    assert pod["restartPolicy"] == "Never"  # Kubernetes asks for it where there is such a policy
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}
