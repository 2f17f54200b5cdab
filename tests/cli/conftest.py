"""Running the command line inside the test process."""

from collections.abc import Callable

import pytest
from voxbench.cli import main
from voxbench.plugins import BASELINES, TASKS


@pytest.fixture
def voxbench(monkeypatch, capsys) -> Callable[..., tuple[int, str, str]]:
    """Call `voxbench` with words; gives exit code, output and errors."""

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(TASKS, "loose", {})
        monkeypatch.setattr(BASELINES, "loose", {})
        monkeypatch.setattr("sys.argv", ["voxbench", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        code = ended.value.code
        return (0 if code is None else int(code)), told.out, told.err

    return call
