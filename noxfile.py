"""The project's sessions: `nox -s tests`, and what CI and contributors run beside it."""

import nox

nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "types", "layers", "tests"]


def _install(session: nox.Session) -> None:
    session.install("-c", "constraints.txt", "-e", ".[dev]")


@nox.session
def tests(session: nox.Session) -> None:
    """The default suite on every core; arguments go to pytest (`-- -m slow`)."""
    _install(session)
    session.run("pytest", "-n", "auto", "--dist", "loadfile", *session.posargs)


@nox.session
def smoke(session: nox.Session) -> None:
    """The smoke benchmark from nothing to its report, and once more from its records."""
    _install(session)
    folder = session.create_tmp()
    environment = {"VOXBENCH_CACHE": f"{folder}/cache"}
    for _ in range(2):
        session.run("voxbench", "run", "smoke", "-o", f"{folder}/smoke", env=environment)


@nox.session
def lint(session: nox.Session) -> None:
    """Style and common mistakes."""
    _install(session)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Static types, strictly."""
    _install(session)
    session.run("mypy")


@nox.session
def layers(session: nox.Session) -> None:
    """Which room may import which."""
    _install(session)
    session.run("lint-imports")


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Speed as ratios in one run, against peers that only this session installs."""
    _install(session)
    session.install("-c", "constraints.txt", "absl-py", "blosc2", "nnunetv2", "surface-distance")
    for script in ("start", "loop", "patches", "metrics_speed", "metrics_fuzz"):
        session.run("python", f"tests/benchmarks/{script}.py", *session.posargs)
