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
        list[str] | None,
        typer.Option(
            "--source",
            help="A task, whose training cases are used; the baseline's own by default. Several "
            'are united; one with fields is a table: \'{ name = "nnunet-folder", root = "DIR" }\'.',
        ),
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
        typer.Option("--source-field", help="A field of a sole source: root=DIR, modality=MR."),
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
    card, sha256 = _write(
        output,
        _ref(baseline, field, "--field", volumes=volumes),
        source,
        source_field,
        _table(overrides, "--set"),
    )
    if json:
        told = {"file": str(output), "sha256": sha256, **card.model_dump(mode="json")}
        print_json(told)
    else:
        _print(output, sha256, card)


def _ref(name: str, fields: list[str] | None, option: str, **given: object) -> "Ref":
    from voxbench.design.cell import Ref

    return Ref.of(name, {**given, **_table(fields, option)})


def _sources(given: list[str], fields: list[str] | None) -> "list[Ref]":
    from voxbench.design.cell import Ref
    from voxbench.design.toml import parse_toml
    from voxbench.errors import SpecError

    if given[1:] and fields:
        raise SpecError(
            f"--source-field {fields[0]}: is of one source, and there are {len(given)}; write each "
            """with its fields as a table: --source '{ name = "nnunet-folder", root = "DIR" }'."""
        )
    found = []
    for text in given:
        if not text.lstrip().startswith("{"):
            found.append(_ref(text, fields, "--source-field"))
            continue
        table = parse_toml(f"source = {text}", "--source")["source"]
        if not isinstance(table, dict) or not isinstance(table.get("name"), str):
            raise SpecError(
                f"--source {text}: name: the task; several are united by several --source."
            )
        table |= _table(fields, "--source-field")
        found.append(Ref.of(table.pop("name"), table))
    return found


def _table(given: list[str] | None, option: str) -> dict[str, object]:
    from voxbench.design.sweep_file import parse_override

    return dict(parse_override(one, option) for one in given or [])


def _write(
    output: Path,
    baseline: "Ref",
    given: list[str] | None,
    source_field: list[str] | None,
    keys: "Mapping[str, object]",
) -> "tuple[CheckpointCard, str]":
    import torch

    from voxbench.api import Pretrained
    from voxbench.design.cell import Ref
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
    usual = str(BASELINES.complete(baseline).values["source"])
    sources = _sources(given or [usual], source_field)
    tasks = [find_task(source) for source in sources]
    names = [task.card.name for task in tasks] if tasks[1:] else [sources[0].name]
    found = find_baseline(
        Ref.of(baseline.name, {**baseline.values, "source": "+".join(sorted(names))})
    )
    assert isinstance(found, Pretrained)  # noqa: S101 (for the type checker)
    schedule = Pretraining().overridden({**found.schedule, **keys}, "--set")
    return write_checkpoint(
        output,
        plan_pretraining(found, open_source(found, *tasks), schedule),
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
