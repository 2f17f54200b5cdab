"""How soon a pilot that is asked to stop gives its claim back and is gone, whatever it is doing.

One `voxbench work` after the other works on a sweep of pre-training, tuning, cells and uncertainty.
Each is sent SIGTERM as soon as one of its processes has been in the next of the phases for a
moment, and the one after goes on. In the end a last one finishes the sweep.

    python tests/benchmarks/stops.py [--side 64] [PHASE …]
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from voxbench.records.claims import claimed

sys.path.insert(0, str(Path(__file__).parent))
from chaos import make_data

PHASES = {
    "planning": "voxbench.running.sweep plan_cells",
    "starting a worker": "voxbench.running.queue Queue._claim",
    "preparing": "voxbench.data.prepare onto_grid",
    "pre-training": "voxbench.pretrain.engine train",
    "trial": "voxbench.running.trial fit_network",
    "training": "voxbench.fit.segmenter train",
    "validation": "voxbench.fit.segmenter score_cases",
    "prediction": "voxbench.running.cell score_cases",
    "scoring": "voxbench.predict.case score_labels",
    "uncertainty": "voxbench.running.uncertainty_job predicted",
}
"""In the order in which a sweep comes to them: a module, and what it calls then."""
WANTED_S = 10.0
MOMENT_S = 0.3
SPEC = """
name = "stops"
fractions = [1.0]
[sources]
boxes = {name = "nnunet-folder", root = "ROOT", patients = "case", title = "boxes"}
[[tasks]]
name = "nnunet-folder"
root = "ROOT"
patients = "case"
[[baselines]]
name = "masked-autoencoder"
size = "tiny"
source = "boxes"
[recipe]
steps = 60
patch = [16, 16, 16]
selection = "best"
validations = 1
[pretraining]
steps = 60
patch = [16, 16, 16]
[tuning]
trials = 1
[tuning.space]
"recipe.learning_rate" = [1e-3]
[uncertainty]
models = ["softmax"]
"""
SITE = """
import functools, importlib.util, os, sys

MODULE, PLACE = os.environ.get("STOPS_AT", "none none").split()


class Noting:
    \"\"\"Lets it be noted when a function of a module is called.\"\"\"

    def find_spec(self, name, path=None, target=None):
        if name != MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            *owners, name = PLACE.split(".")
            owner = functools.reduce(getattr, owners, module)
            function = getattr(owner, name)

            @functools.wraps(function)
            def noted(*given, **named):
                open(os.environ["STOPS_SEEN"], "a").close()
                return function(*given, **named)

            setattr(owner, name, noted)

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Noting())
"""
"""What Python runs first in these processes."""


class Ground:
    """A folder with data and a sweep."""

    def __init__(self, folder: Path, side: int) -> None:
        self.folder, self.root = folder, folder / "out"
        make_data(folder / "data", side)
        (folder / "stops.toml").write_text(SPEC.replace("ROOT", str(folder / "data")))
        (folder / "site").mkdir()
        (folder / "site" / "sitecustomize.py").write_text(SITE)

    def start(self, phase: str | None = None) -> subprocess.Popen[bytes]:
        """A pilot that notes when it comes to a phase."""
        told = {
            "PYTHONPATH": os.pathsep.join([str(self.folder / "site"), *sys.path]),
            "VOXBENCH_CACHE": str(self.folder / "cache"),
            "STOPS_SEEN": str(self.folder / f"{phase}.seen"),
            **({"STOPS_AT": PHASES[phase]} if phase else {}),
        }
        words = ["work", str(self.folder / "stops.toml"), "-o", str(self.root), "-j", "1"]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "voxbench", *words],
                env={**os.environ, **told},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def stopped_in(self, phase: str) -> tuple[float, float, int] | None:
        """Seconds until the claims are back and until the process is gone, and its exit code.

        None where it ended without having come to the phase.
        """
        pilot, seen = self.start(phase), self.folder / f"{phase}.seen"
        while not seen.exists():
            if pilot.poll() is not None:
                return None
            time.sleep(0.01)
        time.sleep(MOMENT_S)
        asked = time.monotonic()
        pilot.send_signal(signal.SIGTERM)
        given_back = None
        while pilot.poll() is None:
            if given_back is None and not self.claims():
                given_back = time.monotonic() - asked
            time.sleep(0.02)
        gone = time.monotonic() - asked
        return given_back or gone, gone, pilot.returncode

    def claims(self) -> int:
        return sum(1 for folder in (self.root, self.folder / "cache") for _ in claimed(folder))


def main() -> None:
    """Stop a pilot in each phase; exit code 1 if one was too slow, or left something behind."""
    parser = argparse.ArgumentParser()
    parser.add_argument("phases", nargs="*", default=list(PHASES), metavar="PHASE")
    parser.add_argument("--side", type=int, default=64)
    asked, wrong = parser.parse_args(), list[str]()
    with TemporaryDirectory(prefix="voxbench-stops-") as name:
        ground = Ground(Path(name), asked.side)
        for phase in asked.phases:
            found = ground.stopped_in(phase)
            if found is None:
                wrong.append(f"{phase}: not seen")
                continue
            back, gone, code = found
            load = os.getloadavg()[0]
            print(
                f"{phase:18} claims back {back:5.1f} s, gone {gone:5.1f} s, exit {code}, "
                f"load {load:.0f}",
                flush=True,
            )
            if gone > WANTED_S or code != os.EX_TEMPFAIL or ground.claims():
                wrong.append(f"{phase}: {gone:.1f} s, exit {code}, {ground.claims()} claims left")
        if code := ground.start().wait():
            wrong.append(f"the last pilot ended with {code}")
        if "Traceback" in (log := (ground.folder / "log").read_text()):
            wrong.append(log[-10000:])
    print(*wrong, sep="\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
