"""`voxbench ensemble`: the seeds of each cell of a sweep, averaged."""

from typing import TYPE_CHECKING, Any

from voxbench.cli.options import Include, Json, Output, Overrides, Spec, include_all
from voxbench.cli.show import print_json, print_rows

if TYPE_CHECKING:
    from pathlib import Path

    from voxbench.running.ensemble import SeedEnsemble


def ensemble_verb(
    spec: Spec,
    output: Output = None,
    set_: Overrides = None,
    include_path: Include = None,
    json: Json = False,
) -> None:
    """Average the probabilities of the seeds of each finished cell, and score what they say.

    Needs the weights that `voxbench run --keep-weights` keeps; trains nothing. The scores of every
    case are kept in the folder `ensembles` beside the records.
    """
    from pathlib import Path

    from voxbench.errors import SpecError
    from voxbench.running.builtin import find_sweep
    from voxbench.running.ensemble import seed_ensembles
    from voxbench.running.plan import plan_cells
    from voxbench.running.tuner import bind_all

    include_all(include_path)
    sweep = find_sweep(spec, set_ or [])
    root = output or Path("runs") / sweep.name
    found = seed_ensembles(plan_cells(bind_all(sweep, root)[0], root), root)
    if not found:
        raise SpecError(
            f"{root}: no two seeds of a finished cell have their weights kept; run the sweep with "
            "--keep-weights and at least 2 seeds."
        )
    rows = [_row(one, root) for one in found]
    if json:
        print_json(rows)
    else:
        print_rows(rows)


def _row(ensemble: "SeedEnsemble", root: "Path") -> dict[str, Any]:
    import torch

    from voxbench.predict.case import mean_dice
    from voxbench.records import Store
    from voxbench.running.ensemble import score_ensemble

    device = "cuda:0" if torch.cuda.is_available() else "cpu"
    records = [Store(root).read(cell.key) for cell in ensemble.cells]
    alone = [mean_dice(record.cases) for record in records if record]
    arm = ensemble.cells[0].arm
    return {
        "task": arm.task,
        "baseline": arm.baseline,
        "fraction": arm.fraction,
        "draw": arm.draw,
        "adaptation": arm.adaptation,
        "seeds": len(ensemble.cells),
        "Dice of one": round(sum(alone) / len(alone), 4),
        "Dice together": round(mean_dice(score_ensemble(ensemble, root, device)), 4),
    }
