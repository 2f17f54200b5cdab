"""`voxbench status`: how far a sweep is, and what failed, why."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from voxbench.cli.options import Cells, Json
from voxbench.cli.plan_jobs import worker_time
from voxbench.cli.show import print_json

if TYPE_CHECKING:
    from voxbench.records import Facts
    from voxbench.records.glance import Glance

_MOST = 10  # reasons


def status_verb(
    directory: Annotated[Path, typer.Argument(help="Folder of the records.")],
    cells: Cells = False,
    json: Json = False,
) -> None:
    """Count the records of a folder and say what failed, and why; exit code 1 if anything did.

    And what is being worked on, for which sweeps; where pilots of Slurm do, they are counted too.
    """
    from collections import Counter

    from voxbench.errors import RecordError
    from voxbench.records import Store
    from voxbench.records.active import ActiveRecords
    from voxbench.records.claims import claimed
    from voxbench.records.external import external_store
    from voxbench.records.failures import still_failed
    from voxbench.records.sweeps import names_known
    from voxbench.records.trials import Trials
    from voxbench.records.uncertainty import UncertaintyRecords

    store, external = Store(directory), list(external_store(directory).glances())
    trials = Counter(trial.state for trial in Trials(directory))
    if not (store.folder.is_dir() or trials):
        raise RecordError(f"{directory}: no records there; run a sweep with -o {directory} first.")
    found = list(store.glances())
    failed = [store.facts(one.key) for one in found if one.failure is not None]
    pilots, unknown = _pilots(directory)
    unscored = [one for one in external if one.failure is not None]
    again = {
        "predictions again": _spent(
            (one.model[0], one.seconds) for one in UncertaintyRecords(directory)
        ),
        "rounds of active learning": _spent(
            (one.strategy, one.seconds) for one in ActiveRecords(directory)
        ),
    }
    unmade = still_failed(directory)
    held, sweeps = sum(1 for _ in claimed(directory)), names_known(directory)
    if json:
        told = {
            "ok": len(found) - len(failed),
            "failed": [
                {"key": record.key, **record.arm.model_dump(), "failure": record.failure}
                for record in failed
            ],
            "smoke": sum(one.smoke for one in found),
            **({"trials": dict(trials)} if trials else {}),
            "claimed": held,
            "sweeps": sweeps,
            "pilots": pilots,
            **(_on_external(external) if external else {}),
            **{name: spent for name, spent in again.items() if spent},
            **({"failed work": [one.model_dump() for one in unmade]} if unmade else {}),
        }
        print_json(told)
    else:
        print(f"{len(found) - len(failed)} ok, {len(failed)} failed")
        if held:
            print(f"{held} claimed: worked on, or left by a process that is gone")
        if sweeps:
            print(f"sweeps known here (voxbench work {directory}): {', '.join(sweeps)}")
        if trials:
            said = ", ".join(f"{count} {state}" for state, count in trials.items())
            print(f"{sum(trials.values())} trials: {said}")
        if pilots is not None:
            said = ", ".join(f"{count} {state}" for state, count in pilots.items())
            print(f"pilots in Slurm's queue: {unknown or said or 'none'}")
        if external:
            done = len(external) - len(unscored)
            print(f"on external test sets: {done} ok, {len(unscored)} failed")
        for name, spent in again.items():
            if spent:
                print(_told(name, spent))
        if unmade:
            print(f"{len(unmade)} predictions and rounds failed; `voxbench run` tries them again")
        every = [_Failed(one.key, _named(one), one.failure) for one in failed]
        every += [_Failed(one.key, one.work, one.failure) for one in unmade]
        for line in map(_whole, every) if cells else _reasons(every):
            print(line)
        if unscored:
            last = (unscored[0].failure or "").strip().splitlines()[-1]
            print(f"on external test sets: {last} (the first is {unscored[0].key})")
    if failed or unscored or unmade:
        raise typer.Exit(1)


def _pilots(directory: Path) -> tuple[dict[str, int] | None, str]:
    """State → how many pilots; None if none was ever queued. And why it is not known, if so."""
    from voxbench.errors import EngineError
    from voxbench.running.slurm_queue import FOLDER, queued_pilots

    if not (directory / FOLDER).is_dir():
        return None, ""
    try:
        return dict(queued_pilots(directory)), ""
    except EngineError as error:
        return {}, str(error)


def _on_external(found: "Sequence[Glance]") -> dict[str, object]:
    failed = [{"key": one.key, "failure": one.failure} for one in found if one.failure is not None]
    return {"external": {"ok": len(found) - len(failed), "failed": failed}}


def _spent(done: Iterable[tuple[str, float]]) -> dict[str, dict[str, float]]:
    """Of each model or strategy: how many are done, and what they took."""
    found: dict[str, dict[str, float]] = {}
    for name, seconds in done:
        own = found.setdefault(name, {"ok": 0, "seconds": 0.0})
        own["ok"] += 1
        own["seconds"] += seconds
    return found


def _told(name: str, spent: Mapping[str, Mapping[str, float]]) -> str:
    each = ", ".join(f"{own['ok']} {kind}" for kind, own in spent.items())
    seconds = sum(own["seconds"] for own in spent.values())
    return f"{name}: {each}; {worker_time(seconds)}"


class _Failed(NamedTuple):
    """A cell, or work on finished ones."""

    key: str
    work: str
    failure: str | None


def _named(record: "Facts") -> str:
    arm = record.arm
    return f"{arm.task} · {arm.baseline} · {arm.fraction} · seed {arm.seed}"


def _whole(one: _Failed) -> str:
    return f"\n{one.key} {one.work}\n{one.failure}"


def _reasons(failed: Sequence[_Failed]) -> Iterator[str]:
    """Why work failed, the most frequent reason first, each with the key of its first."""
    keys: dict[str, list[str]] = {}
    for one in failed:
        last = (one.failure or "no reason recorded").strip().splitlines()[-1]
        keys.setdefault(last, []).append(one.key)
    for reason, own in sorted(keys.items(), key=lambda item: -len(item[1]))[:_MOST]:
        yield f"{len(own)} × {reason} (the first is {own[0]})"
    if len(keys) > _MOST:
        yield f"and {len(keys) - _MOST} other reasons"
    if failed:
        yield "--cells tells each with all that its failure says"
