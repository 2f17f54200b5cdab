"""The arms of a sweep: every baseline with each value of its axes, then their scratch twins."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from voxbench.api import Baseline, Pretrained
from voxbench.design.cell import Ref, Source
from voxbench.design.entries import BaselineEntry, Entry
from voxbench.design.preprocessing import Preprocessing
from voxbench.design.recipe import Pretraining
from voxbench.design.spec import Sweep
from voxbench.errors import SpecError, unknown
from voxbench.plugins import BASELINES, TASKS, find_baseline


@dataclass(frozen=True)
class SweepArm:
    """A baseline with a value for each of its axes: an arm of the sweep, or the twin of one.

    Attributes:
        ref: its name and fields.
        baseline: the plugin.
        label: what tables call it.
        contract: grid and intensity that its weights expect, given to its twin too.
        twin: the scratch arm of the same network; None if this is one.
        twin_label: what tables call that.
        source: the task that weights made here are trained on, or several that are united.
        pretraining: how they are trained.
    """

    ref: Ref
    baseline: Baseline
    label: str
    contract: Preprocessing | None
    twin: Ref | None = None
    twin_label: str | None = None
    source: Source | None = None
    pretraining: Pretraining | None = None


def resolve_arms(sweep: Sweep) -> list[SweepArm]:
    """Every combination of each baseline's axes, then the twins that are not among them.

    Raises:
        SpecError: a source is unknown, an axis is empty, two entries give one arm, or a schedule of
            pre-training breaks a rule.
        PluginError: a baseline is unknown, broken, or refuses a field.
    """
    arms = [_arm(sweep, entry, ref) for entry in sweep.baselines for ref in _expand(entry)]
    labels = [arm.label for arm in arms]
    if repeated := {label for label in labels if labels.count(label) > 1}:
        raise SpecError(
            f"baselines: {', '.join(sorted(repeated))} is named by two entries; give their weights "
            "files different names, or let a field tell them apart; their `pretraining` alone does "
            "not."
        )
    return [*arms, *(_twins(arms) if sweep.twins else [])]


def _twins(arms: list[SweepArm]) -> Iterator[SweepArm]:
    listed = {(arm.ref, arm.contract) for arm in arms}
    for arm in arms:
        if arm.twin and arm.twin_label and (arm.twin, arm.contract) not in listed:
            listed.add((arm.twin, arm.contract))
            yield SweepArm(arm.twin, find_baseline(arm.twin), arm.twin_label, arm.contract)


def _arm(sweep: Sweep, entry: BaselineEntry, ref: Ref) -> SweepArm:
    baseline = find_baseline(ref)
    contract = baseline.card.contract
    schedule = _schedule(sweep, entry, baseline)
    if baseline.twin is None:
        return SweepArm(ref, baseline, label(ref), contract)
    twin = BASELINES.complete(Ref.of(*baseline.twin))
    # a twin under another input contract is another arm than the plain scratch baseline
    twin_label = label(twin) + (f" as {ref.name}" if contract else "")
    source = _source(sweep, baseline)
    return SweepArm(ref, baseline, label(ref), contract, twin, twin_label, source, schedule)


def _schedule(sweep: Sweep, entry: BaselineEntry, baseline: Baseline) -> Pretraining | None:
    """The sweep's, but for what the baseline's recipe says, but for what its entry says.

    A control is made of weights as its donor is, where that is an arm of the sweep.
    """
    place = f"baselines.{entry.name}"
    if isinstance(baseline, Pretrained):
        own = sweep.pretraining.overridden(baseline.schedule, f"{place}.recipe")
        for said in (*_donors(sweep, baseline), entry):
            own = own.overridden(said.pretraining, f"baselines.{said.name}.pretraining")
        return own
    if entry.pretraining:
        raise SpecError(f"{place}.pretraining: it is not pre-trained here; leave this out.")
    return None


def _donors(sweep: Sweep, baseline: Pretrained) -> list[BaselineEntry]:
    """The entry of a control's donor, if it is an arm of the sweep."""
    if baseline.donor is None:
        return []
    donor = BASELINES.complete(Ref.of(*baseline.donor))
    named = [entry for entry in sweep.baselines if entry.name == donor.name]
    return [entry for entry in named if donor in _expand(entry)]


def _expand(entry: Entry) -> Iterator[Ref]:
    names = list(entry.fields)
    axes = [value if isinstance(value, list) else [value] for value in entry.fields.values()]
    for name, axis in zip(names, axes, strict=True):
        if not axis or len({repr(value) for value in axis}) != len(axis):
            raise SpecError(
                f"baselines.{entry.name}.{name}: {axis} is empty or names a value twice."
            )
    for values in itertools.product(*axes):
        yield BASELINES.complete(Ref.of(entry.name, dict(zip(names, values, strict=True))))


def label(ref: Ref) -> str:
    """`name[field=value,…]` with the fields that differ from the plugin's defaults."""
    defaults = BASELINES.complete(Ref(ref.name)).values
    shown = [
        f"{key}={Path(str(value)).stem if key == 'weights' else value}"
        for key, value in ref.fields
        if defaults.get(key, ...) != value
    ]
    return f"{ref.name}[{','.join(shown)}]" if shown else ref.name


def _source(sweep: Sweep, baseline: Baseline) -> Source | None:
    if not isinstance(baseline, Pretrained):
        return None
    place = f"baselines.{baseline.card.name}"
    entry = sweep.sources.get(baseline.source)
    if entry is None or not entry.union:
        return _one_source(sweep, baseline.source, place)
    refs = (_one_source(sweep, name, f"sources.{baseline.source}") for name in entry.union)
    return tuple(sorted(refs, key=lambda ref: str(ref.to_json())))


def _one_source(sweep: Sweep, name: str, place: str) -> Ref:
    if entry := sweep.sources.get(name):
        if entry.union:
            raise SpecError(f"{place}: {name!r} is a union itself; name what it is made of.")
        return TASKS.complete(entry.ref)
    known = {*sweep.sources, *TASKS.plugins()}
    if name not in known:
        raise SpecError(f"{place}: {unknown('source', name, known)}")
    return TASKS.complete(Ref(name))
