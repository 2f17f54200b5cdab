"""A third-party package is installed and used like a built-in one."""

import json
import os
import subprocess
import sys
from pathlib import Path

PLUGIN = Path(__file__).parent / "example_plugin"


def test_an_installed_package_brings_a_task_a_baseline_and_a_network(tmp_path):
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    install = [*pip, "--no-build-isolation", "--target", str(target), str(PLUGIN)]
    subprocess.run(install, check=True, capture_output=True, timeout=120)
    paths = [str(target), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}

    def voxbench(*words: str) -> str:
        code = "from voxbench.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", code, *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    listed = {row["task"]: row["from"] for row in json.loads(voxbench("ls", "tasks", "--json"))}
    assert listed["example-cubes"] == "voxbench-example"
    assert listed["phantom-atlas"] == "voxbench"
    told = json.loads(voxbench("ls", "architectures", "example-flat", "--json"))
    assert told["from"] == "voxbench-example"
    assert told["tensors"]["encoder.down.weight"] == [4, 1, 3, 3, 3]
    task = ("-t", "example-cubes")
    baseline = ("-b", "example-denoising")
    own = (*baseline, "--field", "architecture=example-flat", "--field", "size=wide")
    for words in (task, baseline, own):
        name, checks = words[1], json.loads(voxbench("check", *words, "--json"))
        assert {check["state"] for check in checks} <= {"passed", "skipped"}
        assert {check["plugin"] for check in checks} == {name}
