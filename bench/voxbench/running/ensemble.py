"""What the seeds of a cell say together: their probabilities averaged, from kept weights.

A result that is derived from finished cells, not a cell of its own: nothing is trained.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter
from torch import nn

from voxbench.data.cell_data import load_cell_data
from voxbench.design.cell import digest
from voxbench.files import write_atomically
from voxbench.predict.case import score_members
from voxbench.predict.members import Subject
from voxbench.predict.models import Ensemble
from voxbench.progress import Stage, tell
from voxbench.records.case_scores import CaseScores
from voxbench.records.kept import weights_path
from voxbench.running.bound import BoundCell, Trainings
from voxbench.running.kept import load_kept
from voxbench.running.plan import Planned

_CASES = TypeAdapter(list[CaseScores])


@dataclass(frozen=True)
class SeedEnsemble:
    """Finished cells that differ in their seed alone, and whose weights were kept.

    Attributes:
        cells: two or more, in the order of their seeds.
    """

    cells: tuple[BoundCell, ...]

    def path(self, root: Path) -> Path:
        """`ROOT/ensembles/DIGEST.json`, of the keys of the cells."""
        return root / "ensembles" / f"{digest([cell.key for cell in self.cells])[:20]}.json"


class KeptNetworks(Sequence[nn.Module]):
    """The networks of cells, each loaded when it is asked for and forgotten after."""

    def __init__(self, cells: Sequence[BoundCell], root: Path, device: str) -> None:
        self._cells, self._root, self._device = cells, root, device

    def __len__(self) -> int:
        return len(self._cells)

    def __getitem__(self, place):  # type: ignore[no-untyped-def]
        return load_kept(self._cells[place], self._root, self._device)


def seed_ensembles(planned: Sequence[Planned], root: Path) -> list[SeedEnsemble]:
    """Those of a plan's finished cells whose weights are there, two seeds or more."""
    groups: dict[tuple[Trainings, int], list[BoundCell]] = {}
    for one in planned:
        if one.state == "cached" and weights_path(root, one.key).exists():
            groups.setdefault((one.cell.trainings, one.cell.draw), []).append(one.cell)
    found = (sorted(cells, key=lambda cell: cell.seed) for cells in groups.values())
    return [SeedEnsemble(tuple(cells)) for cells in found if len(cells) > 1]


def score_ensemble(ensemble: SeedEnsemble, root: Path, device: str) -> list[CaseScores]:
    """The scores of the test cases, computed once and kept beside the records.

    The label of a voxel is the class with the largest mean probability on the native grid.

    Raises:
        DataError: a file is not what it was when the sweep was planned.
        WeightsError: kept weights are damaged.
    """
    path = ensemble.path(root)
    if path.exists():
        return _CASES.validate_python(json.loads(path.read_text(encoding="utf-8"))["cases"])
    scores = list(_scores(ensemble, root, device))
    told = {
        "keys": [cell.key for cell in ensemble.cells],
        "arm": ensemble.cells[0].arm.model_dump(exclude={"seed"}),
        "seeds": [cell.seed for cell in ensemble.cells],
        "cases": _CASES.dump_python(scores, mode="json"),
    }
    write_atomically(path, json.dumps(told, indent=1) + "\n")
    return scores


def _scores(ensemble: SeedEnsemble, root: Path, device: str) -> Iterator[CaseScores]:
    first = ensemble.cells[0]
    data = load_cell_data(first.cell, first.trainings.dataset, first.trainings.preprocessing)
    networks = KeptNetworks(ensemble.cells, root, device)
    recipe = first.cell.recipe
    for done, case in enumerate(data.test, start=1):
        subject = Subject(networks, data.prepared[case.id], recipe, device, data.mirrored)
        yield score_members(Ensemble(), subject, case, data.card)
        tell(Stage("predicting", done, len(data.test)))
