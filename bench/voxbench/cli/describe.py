"""`voxbench ls … NAME`: all that one task, baseline or architecture says of itself."""

from typing import TYPE_CHECKING, Any

from voxbench.cli.show import print_json, print_rows

if TYPE_CHECKING:
    from voxbench.api import Baseline, Task
    from voxbench.running.engines import Engine


def describe_plugin(what: str, name: str, json: bool) -> None:
    """Print the card of a task or baseline, or what an engine is, and its fields.

    Raises:
        SpecError: things of this kind have no card.
        PluginError: there is no such plugin, or it is broken.
    """
    from voxbench.errors import SpecError
    from voxbench.plugins import BASELINES, TASKS
    from voxbench.running.engines.settings import ENGINES

    if what == "tasks":
        facts = _task(name, TASKS.find(name))
    elif what == "baselines":
        facts = _baseline(BASELINES.find(name))
    elif what == "engines":
        facts = _engine(ENGINES.find(name))
    else:
        raise SpecError(
            f"a name is for tasks, baselines, architectures and engines, not for {what}: "
            f"voxbench ls baselines {name}."
        )
    if json:
        print_json(facts)
        return
    fields = facts.pop("fields")
    facts.pop("axes", None)
    for size, file in facts.pop("checkpoints", {}).items():
        facts[f"file of size {size}"] = file
    print_rows({"of the card": fact, name: _words(value)} for fact, value in facts.items())
    print_rows(
        {
            "field": field["name"],
            "type": field["type"],
            "default": "required" if field["required"] else str(field["default"]),
            "what for": field["purpose"],
        }
        for field in fields
    )


def describe_architecture(name: str, size: str | None, json: bool) -> None:
    """Print the sizes of an architecture, and the tensors of one of them.

    Raises:
        PluginError: there is no such architecture, or it is broken.
        SpecError: it has no such size.
    """
    import torch

    from voxbench.api.architecture import ARCHITECTURES

    found = ARCHITECTURES.find(name)
    size = size or next(iter(found.sizes))
    with torch.device("meta"):
        network = found.build(size, 1)
        networks = {one: found.build(one, 1) for one in found.sizes}
    parameters = {one: sum(p.numel() for p in net.parameters()) for one, net in networks.items()}
    facts: dict[str, Any] = {
        "architecture": name,
        "from": ARCHITECTURES.plugins()[name].owner,
        "parameters": parameters,
        "size": size,
        "features": network.out_channels,
        "divisor": network.divisor,
        "smallest_patch": network.smallest_patch,
        "tensors": {key: list(tensor.shape) for key, tensor in network.state_dict().items()},
    }
    if json:
        print_json(facts)
        return
    tensors = facts.pop("tensors")
    facts["parameters"] = "; ".join(f"{one} {n / 1e6:.2f} M" for one, n in parameters.items())
    facts["smallest_patch"] = " x ".join(map(str, network.smallest_patch))
    print_rows({"of the network": fact, name: value} for fact, value in facts.items())
    print_rows(
        {"tensor": key, "shape": " x ".join(map(str, shape)) or "one number"}
        for key, shape in tensors.items()
    )


def _task(name: str, kind: "type[Task]") -> dict[str, Any]:
    """The card, where it is not read from a folder, and the fields."""
    from voxbench.plugins import find_task

    placed = kind.folder is not None or kind.generated
    fields = _fields(kind)
    if not placed:
        return {"card": "read from its folder", "fields": fields}
    root = next(field for field in fields if field["name"] == "root")
    root |= {"required": False, "default": kind.folder or "drawn into the cache"}
    return {**find_task(name).card.model_dump(mode="json"), "fields": fields}


def _baseline(kind: "type[Baseline]") -> dict[str, Any]:
    """The card, the fields, their defaults once more as axes, and the files by size."""
    from voxbench.api import Published

    files = kind.checkpoints if issubclass(kind, Published) else {}
    fields = _fields(kind)
    return {
        **kind.card.model_dump(mode="json"),
        "axes": {field["name"]: field["default"] for field in fields if not field["required"]},
        "checkpoints": {size: file.model_dump(mode="json") for size, file in files.items()},
        "fields": fields,
    }


def _engine(kind: "type[Engine]") -> dict[str, Any]:
    about = (kind.__doc__ or "").partition("\n")[0]
    return {"runs jobs on": about, "lacks": kind.lacks(), "fields": _fields(kind)}


def _fields(kind: type[Any]) -> list[dict[str, Any]]:
    from voxbench.fields import settable_fields

    return [field._asdict() for field in settable_fields(kind)]


def _words(value: object) -> str:
    """A fact on one line; what isn't known is left open."""
    if isinstance(value, dict):
        known = {key: _words(one) for key, one in value.items() if one is not None}
        return "; ".join(f"{key} {one}" for key, one in known.items())
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    return "" if value is None else str(value)
