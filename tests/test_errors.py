"""What a machine can't do is told in one line that names the file; a defect keeps its traceback."""

import errno
import os
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, Field, ValidationError, model_validator
from voxbench.cli import main
from voxbench.errors import bare, first_rule, in_words
from voxbench.files import write_atomically
from voxbench.running.faults import why_failed

MACHINES = {
    errno.ENOSPC: "no space is left",
    errno.EACCES: "permission denied",
    errno.EROFS: "read-only",
    errno.ENAMETOOLONG: "too long",
    errno.EMFILE: "too many files",
}


@pytest.fixture
def bundle(tmp_path, monkeypatch) -> Path:
    """A file that can't be packed, because the machine fails as soon as it is written."""
    monkeypatch.setattr("voxbench.submission.pack.pack", lambda *_, **__: write(tmp_path / "b.zip"))
    return tmp_path / "b.zip"


def write(path: Path) -> None:
    write_atomically(path, b"content")


@pytest.mark.parametrize(("number", "words"), MACHINES.items())
def test_what_the_machine_lacks_is_one_line_that_names_the_file(
    voxbench, bundle, tmp_path, monkeypatch, number, words
):
    def fail(_handle):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("voxbench.files.os.fsync", fail)
    code, out, err = voxbench("submit", tmp_path, "-o", bundle)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"voxbench: {bundle}: ")
    assert words in err
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_a_folder_is_needed_is_named(voxbench, bundle, tmp_path):
    bundle.mkdir()
    code, _, err = voxbench("submit", tmp_path, "-o", bundle)
    assert (code, err.count("\n")) == (2, 1)
    assert f"{bundle}: a folder lies where a file is needed" in err


def test_a_name_that_no_file_system_holds_is_told(tmp_path):
    with pytest.raises(OSError, match="b" * 300) as told:
        write(tmp_path / ("b" * 300))
    assert "too long" in in_words(told.value)


def test_an_error_of_no_machine_keeps_its_traceback(bundle, tmp_path, monkeypatch):
    def fail(_handle):
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    monkeypatch.setattr("voxbench.files.os.fsync", fail)
    monkeypatch.setattr("sys.argv", ["voxbench", "submit", str(tmp_path), "-o", str(bundle)])
    with pytest.raises(OSError, match="Bad file descriptor"):
        main()


def test_a_cell_that_the_machine_fails_says_so_in_its_record_without_a_traceback():
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "records/k.json")
    assert why_failed(full).startswith("records/k.json: no space is left")
    assert "KeyError" in why_failed(KeyError("defect"))


def test_an_interrupted_call_says_how_to_go_on(voxbench, monkeypatch, tmp_path):
    def interrupt(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("voxbench.submission.pack.pack", interrupt)
    code, told, said = voxbench("submit", tmp_path, "-o", tmp_path / "b.zip")
    assert (code, told) == (130, "")
    assert said == "voxbench: interrupted; the same command takes it up again.\n"


class Boxed(BaseModel):
    size: int = Field(ge=1)

    @model_validator(mode="after")
    def _odd(self) -> "Boxed":
        if self.size % 2:
            return self
        raise ValueError("an odd size is needed")


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "size: Input should be greater than or equal to 1"),
        (2, "an odd size is needed"),
    ],
)
def test_the_first_broken_rule_names_its_field(size, said):
    with pytest.raises(ValidationError) as error:
        Boxed(size=size)
    assert first_rule(error.value) == said


def test_a_field_of_several_kinds_is_named_without_them():
    class Scanned(BaseModel):
        modality: Literal["CT", "MR"] | tuple[Literal["CT", "MR"], ...]

    with pytest.raises(ValidationError) as error:
        Scanned(modality="MRI")
    assert first_rule(error.value) == "modality: Input should be 'CT' or 'MR'"


def test_a_file_that_is_not_there_is_named_once(voxbench, tmp_path):
    missing = tmp_path / "claims.toml"
    assert voxbench("claims", missing, tmp_path)[2] == (
        f"voxbench: {missing}: can't be read (No such file or directory).\n"
    )


def test_what_no_system_says_keeps_its_words():
    assert bare(OSError("cut off")) == "cut off"
    assert bare(ValueError("no number")) == "no number"
