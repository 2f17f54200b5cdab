"""`voxbench data`: public data sets, listed, fetched and held against what is known of them."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voxbench.cli.options import Include, Json, include_all
from voxbench.cli.show import counting, print_json, print_rows

if TYPE_CHECKING:
    from voxbench.api import Archive, PublicTask
    from voxbench.data.audit import Audit

Name = Annotated[str, typer.Argument(help="A public data set, see `voxbench data ls`.")]
Fields = Annotated[
    list[str] | None, typer.Option("--field", help="A field of the task: root=DIR, group=ribs.")
]

data_group = typer.Typer(
    name="data", help="Public data sets: list, get, check.", no_args_is_help=True
)


@data_group.command("ls")
def data_ls_verb(include_path: Include = None, json: Json = False) -> None:
    """List the public data sets: how they are come by, cases, size, classes, modality, licence."""
    from voxbench.api import PublicTask
    from voxbench.errors import PluginError
    from voxbench.plugins import TASKS, find_task
    from voxbench.registry import failure

    include_all(include_path)
    rows = []
    for plugin, kind in TASKS.each():
        try:
            if isinstance(kind, PluginError):
                raise kind
            task = find_task(plugin.name) if issubclass(kind, PublicTask) else None
            if isinstance(task, PublicTask):
                rows.append(_row(plugin.name, task))
        except Exception as error:  # noqa: BLE001 (a stranger's plugin may raise anything)
            print(f"{plugin.name} is broken: {failure(error)}", file=sys.stderr)
    if json:
        print_json(rows)
    else:
        shown = ("task", "access", "cases", "download", "modality", "licence", "here", "where")
        print_rows(
            {**{key: row[key] for key in shown[:4]}, "classes": len(row["classes"])}
            | {key: row[key] for key in shown[4:]}
            for row in rows
        )


@data_group.command("get")
def data_get_verb(
    name: Name,
    field: Fields = None,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="You have read the licence and accept it.")
    ] = False,
    include_path: Include = None,
) -> None:
    """Download a free data set, resumed and checked, and unpack it; prints where it lies."""
    from contextlib import ExitStack

    from voxbench.cli.progress import downloading
    from voxbench.errors import SpecError
    from voxbench.progress import heard_by
    from voxbench.published.data_set import get

    include_all(include_path)
    task = _public(name, field)
    print(f"licence: {task.card.licence}\nreference: {task.card.reference}")
    for archive in task.source.archives:
        told = f"{_bytes(archive)}, {archive.checksum or 'no checksum is published'}"
        print(f"from: {archive.url} ({told})")
    if task.source.archives and not accept_licence:
        raise SpecError(f"{name}: say --accept-licence if you accept these terms.")
    with ExitStack() as bars:
        bars.enter_context(heard_by(lambda news: print(news, file=sys.stderr)))
        print(get(task, lambda archive: bars.enter_context(downloading(archive))))


@data_group.command("check")
def data_check_verb(
    name: Name,
    field: Fields = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=1, help="Cases at a time.")] = 1,
    include_path: Include = None,
    json: Json = False,
) -> None:
    """Read a copy of a data set and hold it against counts, checksums and known errors.

    Every case is read, those that are left out by default, too. Exit code 1 if cases are missing,
    an archive beside the data is not the published one, or cases are used that should not be.
    """
    from voxbench.data.audit import audit

    include_all(include_path)
    task = _public(name, field)
    total = sum(map(len, task.released().values()))
    with counting(task.card.name, total) as done:
        found = audit(task, jobs, done)
    if json:
        print_json(
            {
                "task": task.card.name,
                "counts": {
                    part: {"here": here, "released": released}
                    for part, (here, released) in found.counts.items()
                },
                "archives": found.archives,
                "findings": [one._asdict() for one in found.findings],
                "leave_out": found.leave_out,
                "sound": found.sound,
            }
        )
    else:
        _tell(task, found)
    if not found.sound:
        raise typer.Exit(1)


def _public(name: str, field: list[str] | None) -> "PublicTask":
    """A public data set by name.

    Raises:
        SpecError: it is another task.
    """
    from voxbench.api import PublicTask
    from voxbench.design.cell import Ref
    from voxbench.design.sweep_file import parse_override
    from voxbench.errors import SpecError
    from voxbench.plugins import find_task

    fields = dict(parse_override(one, "--field") for one in field or [])
    task = find_task(Ref.of(name, fields))
    if not isinstance(task, PublicTask):
        raise SpecError(
            f"{name}: no public data set, of which releases are known (see `voxbench data ls`); "
            f"`voxbench prepare {name}` reads and checks the files of any task."
        )
    return task


def _row(name: str, task: "PublicTask") -> dict[str, Any]:
    card, source = task.card, task.source
    counts = ", ".join(f"{count} {part}" for part, count in source.counts.items())
    return {
        "task": name,
        "access": "free" if source.free else "by request",
        "cases": counts or "not told",
        "download": ", ".join(map(_bytes, source.archives)) or "size unknown",
        "classes": list(card.classes),
        "modality": ", ".join(dict.fromkeys(card.modalities)),
        "licence": card.licence,
        "reference": card.reference,
        "here": "yes" if task.root.is_dir() else "no",
        "where": source.where,
        "archives": [archive._asdict() for archive in source.archives],
    }


def _bytes(archive: "Archive") -> str:
    return "size unknown" if archive.size is None else f"{archive.size:,} bytes"


def _tell(task: "PublicTask", found: "Audit") -> None:
    for part, (here, released) in found.counts.items():
        told = "" if released is None else f" of {released}"
        print(f"{part}: {here}{told} cases")
    for archive in task.source.archives:
        if archive.name in found.archives:
            told = "is" if found.archives[archive.name] else "is NOT"
            print(f"{archive.name}: by its checksum it {told} {archive.url}")
    if found.findings:
        print_rows(
            {
                "case": one.case,
                "what": one.error,
                "by": one.source,
                "in its files": {True: "seen", False: "not seen", None: ""}[one.seen],
                "is": "used" if one.used else "left out",
                "should be": "left out" if one.unfit else "used",
            }
            for one in found.findings
        )
    if found.leave_out:
        names = ", ".join(f'"{case}"' for case in found.leave_out)
        print(f"leave out besides: in the table of the task, leave_out = [{names}]")
    if not found.sound and any(r not in (None, h) for h, r in found.counts.values()):
        print(f"cases are missing or too many: {task.source.where}")
