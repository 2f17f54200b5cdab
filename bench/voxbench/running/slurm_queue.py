"""What Slurm says of the pilots that work for an output folder."""

import hashlib
import re
import subprocess
from collections import Counter
from pathlib import Path

from voxbench.errors import EngineError

FOLDER = "slurm"
"""In the output folder: the logs of pilots, one folder a submission."""
_ANSWER_S = 60.0


def pilots_name(root: Path) -> str:
    """What Slurm calls the pilots of an output folder; no other folder's are called so."""
    path = root.resolve()
    plain = re.sub(r"[^\w.-]", "-", path.name, flags=re.ASCII)
    return f"voxbench-{plain}-{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"


def queued_pilots(root: Path) -> Counter[str]:
    """Their states, as `RUNNING` or `PENDING (Priority)`, and how many pilots are in each.

    Raises:
        EngineError: Slurm does not answer.
    """
    words = ("squeue", "--noheader", "--array", "--name", pilots_name(root), "--format", "%T (%r)")
    said = asked_of_slurm(*words).splitlines()
    return Counter(line.strip().removesuffix(" (None)") for line in said if line.strip())


def asked_of_slurm(*words: str) -> str:
    """What a command of Slurm prints.

    Raises:
        EngineError: it is not there, fails, or takes longer than a minute.
    """
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_ANSWER_S, check=True)  # noqa: S603
    except FileNotFoundError:
        raise EngineError(f"{words[0]}: not found; is this a machine of a Slurm cluster?") from None
    except subprocess.TimeoutExpired:
        raise EngineError(f"{words[0]}: no answer within {_ANSWER_S:.0f} s.") from None
    except subprocess.CalledProcessError as error:
        raise EngineError(f"{words[0]}: {error.stderr.strip() or error}.") from None
    return done.stdout
