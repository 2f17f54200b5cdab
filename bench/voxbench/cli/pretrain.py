"""`voxbench pretrain`: make weights that can be handed on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxbench.cli.options import Include, Json, include_all
from voxbench.cli.show import print_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from voxbench.design.cell import Ref
    from voxbench.pretrain.card import CheckpointCard


def pretrain_verb(
    baseline: Annotated[str, typer.Argument(help="A baseline that is pre-trained here.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file of the weights, .safetensors.")
    ],
    source: Annotated[
        str | None,
        typer.Option("--source", help="A task, whose training cases are used; the usual one."),
    ] = None,
    volumes: Annotated[
        int | None, typer.Option("--volumes", min=1, help="How many of them; all by default.")
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option("--field", help="A field of the baseline: architecture=segresnet."),
    ] = None,
    source_field: Annotated[
        list[str] | None,
        typer.Option("--source-field", help="A field of the source: root=DIR, modality=MR."),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", help="A key of the schedule: steps=500, 'patch=[32,32,32]'."),
    ] = None,
    include_path: Include = None,
    json: Json = False,
) -> None:
    """Pre-train a baseline and write its weights with a card of what they are."""
    include_all(include_path)
    fields = {"volumes": volumes, **({"source": source} if source else {})}
    card, sha256 = _write(
        output,
        _ref(baseline, field, "--field", **fields),
        source_field,
        _keys(overrides),
    )
    if json:
        told = {"file": str(output), "sha256": sha256, **card.model_dump(mode="json")}
        print_json(told)
    else:
        _print(output, sha256, card)


def _ref(name: str, fields: list[str] | None, option: str, **given: str | int | None) -> "Ref":
    from voxbench.design.cell import Ref
    from voxbench.design.spec import parse_override

    return Ref.of(name, {**given, **dict(parse_override(one, option) for one in fields or [])})


def _keys(overrides: list[str] | None) -> dict[str, object]:
    from voxbench.design.spec import parse_override

    return dict(parse_override(one) for one in overrides or [])


def _write(
    output: Path, baseline: "Ref", source_field: list[str] | None, keys: "Mapping[str, object]"
) -> "tuple[CheckpointCard, str]":
    import torch

    from voxbench.api import Pretrained
    from voxbench.design.recipe import Pretraining
    from voxbench.errors import SpecError
    from voxbench.plugins import BASELINES, find_baseline, find_task
    from voxbench.pretrain.checkpoint import write_checkpoint
    from voxbench.pretrain.plan import open_source, plan_pretraining

    if not issubclass(BASELINES.find(baseline.name), Pretrained):
        raise SpecError(
            f"pretrain: {baseline.name!r} is not pre-trained here; see `voxbench ls baselines` for "
            "those that have the axes source and volumes."
        )
    found = find_baseline(baseline)
    assert isinstance(found, Pretrained)  # noqa: S101 (for the type checker)
    schedule = Pretraining().overridden({**found.schedule, **keys}, "--set")
    source = find_task(_ref(found.source, source_field, "--source-field"))
    return write_checkpoint(
        output,
        plan_pretraining(found, open_source(found, source), schedule),
        device="cuda:0" if torch.cuda.is_available() else "cpu",
        threads=torch.get_num_threads(),
    )


def _print(output: Path, sha256: str, card: "CheckpointCard") -> None:
    used = f"{card.volumes} volumes" + (f", {card.masks} masks" if card.masks else "")
    hours, kind = (card.gpu_hours, "GPU") if card.gpu_hours else (card.cpu_hours, "CPU")
    print(
        f"{output}: {card.architecture}-{card.size} by {card.name} on {card.source} ({used}, "
        f"{hours:.2g} {kind}-hours), sha256 {sha256[:12]}…; licence of the source: {card.licence}."
    )
    if card.terms:
        told = "; ".join(f"{name} {value:.3g}" for name, value in card.terms.items())
        print(f"in the last steps: {told}.")
