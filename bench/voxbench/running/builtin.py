"""Sweeps that come with voxbench, by name."""

from collections.abc import Sequence
from pathlib import Path

from voxbench.design.spec import Sweep
from voxbench.design.sweep_file import read_sweep
from voxbench.errors import SpecError, unknown

_FOLDER = Path(__file__).parent / "sweeps"


def builtin_sweeps() -> dict[str, Path]:
    """Name → file."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.toml"))}


def find_sweep(spec: str, overrides: Sequence[str] = ()) -> Sweep:
    """Read a sweep by name or by the path of its file.

    Raises:
        SpecError: there is neither, or the file breaks a rule.
    """
    path = builtin_sweeps().get(spec, Path(spec))
    if not path.is_file():
        raise SpecError(f"{spec}: no such file, and {unknown('sweep', spec, builtin_sweeps())}")
    return read_sweep(path, overrides)
