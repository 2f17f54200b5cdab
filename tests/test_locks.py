"""A lock keeps others out while its holder lives, and no longer."""

import subprocess
import sys
import time

import pytest
from voxbench.errors import DataError
from voxbench.locks import locked


def test_the_lock_of_a_killed_process_is_given_back(tmp_path):
    folder = tmp_path / "weights"
    code = (
        "import sys, time; from pathlib import Path; from voxbench.locks import locked\n"
        "with locked(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        probe = (
            "import fcntl, sys\nfile = open(sys.argv[1])\n"
            "try: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
            "except BlockingIOError: sys.exit(7)"
        )
        waiting = subprocess.run([sys.executable, "-c", probe, str(folder / "lock")], check=False)
        assert waiting.returncode == 7
        holder.kill()
        holder.wait()
    started = time.monotonic()
    with locked(folder):
        assert time.monotonic() - started < 5


def test_a_folder_that_cannot_be_made_is_one_error_with_the_way_out(tmp_path):
    (tmp_path / "file").write_text("")
    message = "set VOXBENCH_CACHE to one that can"
    with pytest.raises(DataError, match=message), locked(tmp_path / "file"):
        pytest.fail("held")
