"""Fixtures that every room shares."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from voxbench.cli import main
from voxbench.plugins import ARCHITECTURES, BASELINES, TASKS

# compiling a kernel on first use takes longer than any deadline; the same examples every time
settings.register_profile("voxbench", deadline=None, derandomize=True)
settings.load_profile("voxbench")

REPOSITORY = Path(__file__).parent.parent


def _real(folder: str, variable: str) -> Path:
    given = os.environ.get(variable)
    path = Path(given) if given else REPOSITORY.parent / "shared" / folder
    if not path.is_dir():
        pytest.skip(f"real {folder} missing: set {variable}")
    return path


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real volumes."""
    return _real("data", "VOXBENCH_DATA")


@pytest.fixture(scope="session")
def real_weights() -> Path:
    """The folder of real weights."""
    return _real("weights", "VOXBENCH_WEIGHTS")


@pytest.fixture(scope="session")
def real_networks() -> Path:
    """The folder of published networks' activations."""
    return _real("golden/networks", "VOXBENCH_NETWORKS")


@pytest.fixture(scope="session")
def real_values() -> Path:
    """The folder of what ValUES' own code computes."""
    return _real("golden/values", "VOXBENCH_VALUES")


@pytest.fixture(scope="session")
def real_touchstone() -> Path:
    """The folder of Touchstone's published scores."""
    return _real("golden/touchstone", "VOXBENCH_TOUCHSTONE")


@pytest.fixture(scope="session", autouse=True)
def _cache_of_session(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What fixtures of the session prepare; tests never read or fill the user's cache."""
    os.environ["VOXBENCH_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of the file's own: a test finds no weights that another file's has made."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOXBENCH_CACHE", str(folder))
        yield folder


@pytest.fixture
def voxbench(monkeypatch, capsys) -> Callable[..., tuple[int, str, str]]:
    """Call `voxbench` with words in this process; gives exit code, output and errors."""

    def call(*words: object) -> tuple[int, str, str]:
        for registry in (TASKS, BASELINES, ARCHITECTURES):
            monkeypatch.setattr(registry, "loose", {})
        monkeypatch.setattr("sys.argv", ["voxbench", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        code = ended.value.code
        return (0 if code is None else int(code)), told.out, told.err

    return call
