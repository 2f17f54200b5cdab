"""`voxbench weights`: published weights, fetched, listed, and held against the baselines."""

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voxbench.cli.options import Include, Json, Trust, include_all, trusted
from voxbench.cli.show import by_first, print_json, print_rows

if TYPE_CHECKING:
    from voxbench.api import Published
    from voxbench.model.weights import Contents
    from voxbench.published.match import WeightsMatch

weights_group = typer.Typer(
    name="weights", help="Published weights: get, list, audit.", no_args_is_help=True
)


@weights_group.command("get")
def weights_get_verb(
    name: Annotated[str, typer.Argument(help="A baseline with published weights.")],
    field: Annotated[
        list[str] | None, typer.Option("--field", help="A field of the baseline: size=base.")
    ] = None,
    include_path: Include = None,
) -> None:
    """Download a baseline's weights, resumed and checked; prints where they lie."""
    from voxbench.cli.progress import downloading
    from voxbench.published.download import download

    include_all(include_path)
    baseline = _published(name, field)
    card = baseline.card
    print(f"licence: {card.licence}\nreference: {card.reference}")
    if card.note:
        print(f"note: {card.note}")
    offer = baseline.checkpoints.get(baseline.variant)
    if offer:
        print(f"page: {offer.page}")
    if _is_sound(baseline) or (offer and offer.url is None):
        print(baseline.file())  # or it says how the file is come by
        return
    with downloading(baseline.checkpoint.file) as watch:
        path = download(baseline.checkpoint, watch)
    learnt = "" if baseline.checkpoint.checksum else " (none is published: noted at the download)"
    print(f"checksum: {baseline.checksum}{learnt}")
    print(path)


@weights_group.command("ls")
def weights_ls_verb(
    records: Annotated[
        list[Path] | None,
        typer.Option(help="Output folder whose records prove what real files loaded."),
    ] = None,
    include_path: Include = None,
    json: Json = False,
) -> None:
    """List every published file that a baseline can load; `--json` tells all of each."""
    from voxbench.errors import SpecError
    from voxbench.published.catalogue import catalogue
    from voxbench.records import Store

    include_all(include_path)
    for folder in records or []:
        if not folder.is_dir():
            raise SpecError(f"--records {folder}: no such folder.")
    found = catalogue(record for folder in records or [] for record in Store(folder).scored())
    for name, reason in found.broken.items():
        print(f"{name} is broken: {reason}", file=sys.stderr)
    if json:
        print_json([dataclasses.asdict(row) for row in found.rows])
    else:
        rows = (
            {
                **{name: getattr(row, name) for name in ("baseline", "size", "network")},
                "parameters": f"{row.parameters / 1e6:.2f} M",
                "strategy": row.strategy,
                "corpora": ", ".join(row.corpora),
                "source": row.source,
                "here": "yes" if row.here else "no",
                "proved": ", ".join(f"{share:.1%}" for share in row.proved.values()),
            }
            for row in found.rows
        )
        print_rows(by_first(rows))


@weights_group.command("audit")
def weights_audit_verb(
    file: Annotated[Path, typer.Argument(help="A weights file, from wherever.")],
    baseline: Annotated[
        str | None, typer.Option("--baseline", "-b", help="Only this one, with details.")
    ] = None,
    trust: Trust = None,
    include_path: Include = None,
    json: Json = False,
) -> None:
    """Tell what a file is and which baseline it fits; exit code 1 if it fits none."""
    from voxbench.errors import PluginError
    from voxbench.model.weights import read_weights
    from voxbench.published.catalogue import published_baselines
    from voxbench.published.match import matches

    include_all(include_path)
    own = _made_here(file)
    if baseline is not None and (own is None or own.card.name != baseline):
        _published(baseline, None)  # an unknown name, or one without a file
    contents = read_weights(file, trust=file.resolve() in trusted(trust))
    offered = [*published_baselines(), *([own] if own else [])]
    candidates = [one for one in offered if baseline in {None, one.card.name}]
    if not candidates:
        raise PluginError("no baseline with published weights is installed.")
    found = matches(file, contents, candidates)
    if json:
        told = [{**dataclasses.asdict(match), "comparison": _facts(match)} for match in found]
        print_json({"file": _about(file, contents), "baselines": told})
    else:
        for key, value in _about(file, contents).items():
            print(f"{key:12} {value}")
        _tell(found, details=baseline is not None)
    if all(match.reason for match in found):
        raise typer.Exit(1)


def _made_here(file: Path) -> "Published | None":
    """The baseline of a file that `voxbench pretrain` wrote; None for any other."""
    from voxbench.api import Published
    from voxbench.design.cell import Ref
    from voxbench.errors import VoxbenchError
    from voxbench.plugins import find_baseline

    try:
        found = find_baseline(Ref.of("checkpoint-file", {"weights": str(file.resolve())}))
    except VoxbenchError:
        return None
    return found if isinstance(found, Published) else None


def _published(name: str, fields: list[str] | None) -> "Published":
    from voxbench.api import Published
    from voxbench.design.cell import Ref
    from voxbench.design.sweep_file import parse_override
    from voxbench.errors import SpecError
    from voxbench.plugins import find_baseline

    values = dict(parse_override(field, "--field") for field in fields or [])
    found = find_baseline(Ref.of(name, values))
    if not isinstance(found, Published):
        raise SpecError(f"{name}: its weights are no published file; see `voxbench weights ls`.")
    return found


def _is_sound(baseline: "Published") -> bool:
    """Whether the file is here, and the one that is meant."""
    from voxbench.files import has_checksum
    from voxbench.published.catalogue import is_here

    if not is_here(baseline):
        return False
    return baseline.checksum is None or has_checksum(baseline.file(), baseline.checksum)


def _about(file: Path, contents: "Contents") -> dict[str, Any]:
    """What a file is."""
    layout = contents.layout
    values = sum(tensor.numel() for tensor in contents.values())
    plain = {key: value for key, value in contents.beside.items() if not isinstance(value, dict)}
    return {
        "file": str(file),
        "format": layout.format,
        "wrapper": ".".join(layout.wrappers) or "none",
        "prefixes": ", ".join(layout.prefixes) or "none",
        "tensors": f"{len(contents)} with {values:,} values",
        "beside": ", ".join(f"{key}={str(value)[:40]}" for key, value in plain.items()) or "none",
        "stood in": ", ".join(layout.stood_in) or "none",
        "passed over": ", ".join(layout.passed_over) or "none",
    }


def _facts(match: "WeightsMatch") -> dict[str, Any] | None:
    return match.comparison and match.comparison._asdict()


def _tell(found: "list[WeightsMatch]", details: bool) -> None:
    """The matches as a table, those that share nothing counted; with details, the names too."""
    near = [match for match in found if match.share > 0] or found[:1]
    print_rows(
        {
            "rank": match.rank,
            "baseline": match.baseline,
            "size": match.size,
            "fits": "no" if match.reason else "yes",
            "proof": match.proof,
            "head": {True: "yes", False: "missing", None: ""}[match.head],
            "of file": f"{match.comparison.file_share:.1%}" if match.comparison else "",
            "encoder": f"{match.share:.1%}",
            "all": f"{match.comparison.total_share:.1%}" if match.comparison else "",
            "must": f"{match.min_loaded:.1%}",
            "missing": len(match.comparison.missing) if match.comparison else "",
            "other shape": len(match.comparison.misshapen) if match.comparison else "",
            "no place": len(match.comparison.strange) if match.comparison else "",
            "left out": match.left_out,
        }
        for match in near
    )
    if len(near) < len(found):
        print(f"{len(found) - len(near)} others share nothing with it")
    first = [match for match in found if match.rank == 1 and not match.reason]
    if len(first) > 1:
        tied = ", ".join(f"{match.baseline} {match.size}" for match in first)
        print(f"a tie: {tied}; neither names and shapes nor a checksum tell them apart")
    for match in near if details else []:
        print(f"\n{match.baseline} {match.size}: {match.reason or 'fits'}")
        for what in ("missing", "misshapen", "strange"):
            names = getattr(match.comparison, what, [])
            if names:
                print(f"  {what}: " + "\n    ".join(["", *names]).lstrip("\n"))
