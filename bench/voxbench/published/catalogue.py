"""The published weights that voxbench knows: one row a baseline and variant, from the cards."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from voxbench.api import Baseline, Published
from voxbench.design.cell import Ref
from voxbench.errors import PluginError, VoxbenchError, WeightsError
from voxbench.plugins import BASELINES, find_architecture
from voxbench.records import Facts
from voxbench.registry import failure

if TYPE_CHECKING:
    from voxbench.model.backbones import Backbone


@dataclasses.dataclass(frozen=True)
class CatalogueRow:
    """One file that can be loaded.

    Attributes:
        baseline: its name.
        size: of the architecture, and what else tells its published files apart.
        network: architecture and size.
        parameters: of encoder and decoder.
        strategy: of pre-training.
        corpora: that the weights have seen.
        volumes: how many, where known.
        licence: of the weights.
        source: downloadable, package, by hand, or your own file.
        page: where it is offered.
        here: the file is on this machine.
        min_loaded: share of the encoder that must load.
        proved: the shares that real files loaded, by sha256, as records say.
    """

    baseline: str
    size: str
    network: str
    parameters: int
    strategy: str
    corpora: tuple[str, ...]
    volumes: int | None
    licence: str
    source: str
    page: str | None
    here: bool
    min_loaded: float
    proved: Mapping[str, float]


class Catalogue(NamedTuple):
    """The published files, and why those of a broken plugin are not among them, by its name."""

    rows: list[CatalogueRow]
    broken: dict[str, str]


def published_baselines() -> Iterator[Published]:
    """Every published baseline in every variant; those of broken plugins are left out."""
    for plugin, kind in BASELINES.each():
        if not isinstance(kind, PluginError):
            with suppress(PluginError):
                yield from _in_every_variant(plugin.name, kind)


def _in_every_variant(name: str, kind: type[Baseline]) -> Iterator[Published]:
    """What is offered, else every size of the network; none of what isn't published."""
    if not issubclass(kind, Published) or is_told_by_its_file(kind):
        return
    default = BASELINES.make(Ref(name))
    offered = [dict(zip(kind.files_by, key.split(), strict=True)) for key in kind.checkpoints]
    sizes = [{"size": size} for size in find_architecture(default.architecture).sizes]
    for fields in offered or sizes:
        found = BASELINES.make(Ref.of(name, fields))
        assert isinstance(found, Published)  # noqa: S101 (its class is)
        yield found


def is_told_by_its_file(kind: type[Published]) -> bool:
    """Whether a baseline has no network of its own, but that on its file's card."""
    return not next(f for f in dataclasses.fields(kind) if f.name == "size").init


def outline(baseline: Published) -> "Backbone":
    """The baseline's network without memory for its parameters."""
    import torch

    with torch.device("meta"):
        return baseline.backbone(baseline.card.channels or 1)


def catalogue(records: Iterable[Facts] = ()) -> Catalogue:
    """All of them, with what the given records prove."""
    found, proofs = Catalogue([], {}), _proofs(records)
    for plugin, kind in BASELINES.each():
        try:
            if isinstance(kind, PluginError):
                raise kind
            found.rows.extend(_row(one, proofs) for one in _in_every_variant(plugin.name, kind))
        except Exception as error:  # noqa: BLE001 (a stranger's plugin may raise anything)
            found.broken[plugin.name] = failure(error)
    return found


def _row(
    baseline: Published, proofs: Mapping[tuple[str, str], Mapping[str, float]]
) -> CatalogueRow:
    card = baseline.card
    offer = baseline.checkpoints.get(baseline.variant)
    packaged = type(baseline).file is not Published.file
    reachable = "downloadable" if offer and offer.url else "by hand" if offer else "your file"
    return CatalogueRow(
        baseline=card.name,
        size=baseline.variant,
        network=baseline.architecture,
        parameters=sum(p.numel() for p in outline(baseline).parameters()),
        strategy=card.strategy,
        corpora=card.pretraining_data,
        volumes=card.volumes,
        licence=card.licence,
        source="package" if packaged else reachable,
        page=offer.page if offer else None,
        here=is_here(baseline),
        min_loaded=card.min_loaded,
        proved=proofs.get((card.name, baseline.variant), {}),
    )


def is_here(baseline: Published) -> bool:
    """Whether the file lies on this machine."""
    try:
        return baseline.file().is_file()
    except WeightsError:
        return False


def _proofs(records: Iterable[Facts]) -> dict[tuple[str, str], dict[str, float]]:
    """(baseline, variant) → sha256 of a real file → share of the encoder that it loaded."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for record in records:
        if record.weights is None or record.status != "ok":
            continue
        with suppress(VoxbenchError):  # its plugin is no longer here, or has other fields
            baseline = BASELINES.make(Ref.from_json(record.cell["baseline"]))
            if isinstance(baseline, Published):
                shares = found.setdefault((baseline.card.name, baseline.variant), {})
                shares[record.weights.sha256] = record.weights.audit.loaded_share
    return found
