"""Compiled code is cached wherever one may write."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from voxbench import compiled

ROOT = Path(compiled.__file__).parents[1]


def python(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=os.environ | environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_read_only_installation_caches_in_a_private_folder(tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "here/double.py").write_text(
        "from voxbench.compiled import compiled\n@compiled\ndef double(x):\n    return 2 * x\n"
    )
    (tmp_path / "here/__pycache__").write_text("")  # a file: nothing can be written below it
    (tmp_path / "home").write_text("")
    code = """
        import sys, double
        assert double.double(21) == 42
        print(double.double._cache._impl.locator.get_cache_path(), double.double.stats.cache_hits)
    """
    environment = {
        "PYTHONPATH": f"{tmp_path / 'here'}:{ROOT}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(tmp_path),
        "HOME": str(tmp_path / "home"),
        "XDG_CACHE_HOME": str(tmp_path / "home"),
        "NUMBA_CACHE_DIR": "",
    }
    before, after = (python(code, **environment) for _ in range(2))
    assert str(tmp_path / "voxbench-kernels-") in before
    assert "{}" in before or "Counter()" in before
    assert ": 1}" in after
    assert (tmp_path / f"voxbench-kernels-{os.getuid()}").stat().st_mode & 0o777 == 0o700


def test_a_change_in_a_file_that_a_compiled_function_calls_into_compiles_it_anew(tmp_path):
    header = "from voxbench.compiled import compiled\n"
    (tmp_path / "outer.py").write_text(
        f"{header}from inner import f\n@compiled\ndef outer(x):\n    return f(x)\n"
    )
    environment = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "NUMBA_CACHE_DIR": str(tmp_path)}
    for factor in (2, 3):
        (tmp_path / "inner.py").write_text(
            f"{header}@compiled\ndef f(x):\n    return {factor} * x\n"
        )
        code = "from outer import outer; print(outer(7))"
        assert python(code, **environment) == f"{factor * 7}"


def test_a_cache_that_others_can_write_to_is_not_trusted(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = compiled._private_folder()
    assert folder.startswith(str(tmp_path))
    Path(folder).chmod(0o777)
    assert compiled._private_folder() == ""


@pytest.mark.slow
def test_processes_that_compile_at_once_leave_a_sound_cache(tmp_path):
    code = """
        import numpy as np
        from voxbench.metrics import evaluate
        v = np.zeros((9, 9, 9), np.uint8); v[2:6, 2:6, 2:6] = 1
        print(evaluate(v, v, {"x": 1}, (1, 1, 1), 1.0)["x"].nsd)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    for _ in range(2):
        together = [
            subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
            for _ in range(4)
        ]
        assert [p.communicate(timeout=300)[0].strip() for p in together] == ["1.0"] * 4
