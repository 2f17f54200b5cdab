"""The project's sessions: `nox` runs what CI runs, `nox -s NAME` one of them.

They use the environment that nox itself was installed into with `pip install -e ".[dev]"`; only
`docs`, `benchmarks`, `nnunet`, `preparing`, `browser`, `ray` and `slurm`, which need what nothing
else needs, make some of their own.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "layers", "tests"]

BIN = Path(sys.executable).parent


def _run(session: nox.Session, tool: str, *words: str, **options: object) -> None:
    session.run(str(BIN / tool), *words, external=True, **options)


@nox.session
def tests(session: nox.Session) -> None:
    """The default suite on every core; arguments go to pytest (`-- -m slow`)."""
    _run(session, "pytest", "-n", "auto", "--dist", "loadfile", *session.posargs)


@nox.session
def smoke(session: nox.Session) -> None:
    """The smoke benchmark from nothing to its report, and once more from its records."""
    with TemporaryDirectory() as folder:
        environment = {"VOXBENCH_CACHE": f"{folder}/cache"}
        for _ in range(2):
            _run(session, "voxbench", "run", "smoke", "-o", f"{folder}/smoke", env=environment)


@nox.session
def chaos(session: nox.Session) -> None:
    """A sweep that is killed a hundred times on a failing machine ends as if left alone."""
    session.run(sys.executable, "tests/benchmarks/chaos.py", *session.posargs, external=True)


@nox.session
def pilots(session: nox.Session) -> None:
    """Five pilots in one folder, killed and stopped at random, train each cell once."""
    session.run(sys.executable, "tests/benchmarks/pilots.py", *session.posargs, external=True)


@nox.session
def gpu(session: nox.Session) -> None:
    """Speed, waiting, sharing and the Dice of bf16 on one GPU (`-- --json FILE`)."""
    session.run(sys.executable, "tests/benchmarks/gpu.py", *session.posargs, external=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Style and common mistakes."""
    _run(session, "ruff", "check", ".")
    _run(session, "ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Static types, strictly."""
    _run(session, "mypy")


@nox.session
def layers(session: nox.Session) -> None:
    """Which room may import which."""
    _run(session, "lint-imports")


@nox.session(venv_backend="virtualenv")
def docs(session: nox.Session) -> None:
    """The documentation site, into docs/_build; a warning is an error."""
    session.install("-c", "constraints.txt", "-e", ".[docs]")
    session.run("sphinx-build", "-W", "--keep-going", "-E", "docs", "docs/_build", *session.posargs)


@nox.session(venv_backend="virtualenv")
def benchmarks(session: nox.Session) -> None:
    """Speed as ratios in one run, against peers that only this session installs."""
    session.install("-c", "constraints.txt", "-e", ".[dev]")
    session.install("-c", "constraints.txt", "absl-py", "blosc2", "nnunetv2", "surface-distance")
    scripts = ("start", "loop", "patches", "metrics_start", "metrics_speed", "metrics_fuzz")
    scripts += ("overlap", "stats_speed", "calibration", "families", "over_tasks", "false_alarms")
    for script in (*scripts, "racing", "power_plans", "large_volumes", "members"):
        session.run("python", f"tests/benchmarks/{script}.py", *session.posargs)


@nox.session(venv_backend="virtualenv")
def nnunet(session: nox.Session) -> None:
    """Scratch beside nnU-Net's own trainer, on the hippocampus and the heart."""
    session.install("-c", "constraints.txt", "-e", ".")
    session.install("-c", "constraints.txt", "nnunetv2")
    session.run("python", "tests/benchmarks/nnunet.py", *session.posargs)


@nox.session(venv_backend="virtualenv")
def preparing(session: nox.Session) -> None:
    """Cases a second beside nnU-Net's preprocessing of the same folder."""
    session.install("-c", "constraints.txt", "-e", ".")
    session.install("-c", "constraints.txt", "nnunetv2")
    session.run("python", "tests/benchmarks/preparing.py", *session.posargs)


@nox.session(venv_backend="virtualenv")
def browser(session: nox.Session) -> None:
    """The pages of a report in a headless Chromium: /usr/bin/chromium, or $CHROMIUM."""
    session.install("-c", "constraints.txt", "-e", ".[dev]", "playwright", "axe-playwright-python")
    session.run("pytest", "-n", "0", "-m", "browser", "tests/reporting/site", *session.posargs)


@nox.session(venv_backend="virtualenv")
def ray(session: nox.Session) -> None:
    """A sweep on a Ray cluster: a node is lost, and the process that runs the sweep."""
    session.install("-c", "constraints.txt", "-e", ".[dev,ray]")
    _clusters(session, "ray")


@nox.session(venv_backend="virtualenv")
def slurm(session: nox.Session) -> None:
    """A sweep by pilots of a Slurm of one node: Debian's slurm-wlm and munge, started and ended."""
    session.install("-c", "constraints.txt", "-e", ".[dev,slurm]")
    _clusters(session, "slurm")


def _clusters(session: nox.Session, which: str) -> None:
    words = ("-n", "0", "-m", "cluster", "-k", which, "-rs", "tests/running/test_clusters.py")
    session.run("pytest", *words, *session.posargs)
