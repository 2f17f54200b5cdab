"""What data and weights are, and whom to cite: as records tell it, else as plugins here do."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from voxbench.design.cell import Ref
from voxbench.errors import VoxbenchError
from voxbench.ledger.corpora import corpora
from voxbench.plugins import BASELINES, find_task
from voxbench.records import Facts
from voxbench.records.places import without_places
from voxbench.reporting.site.material import ArmResult, Material, plugin_of

_ARXIV = re.compile(r"arXiv[: ](\d{4}\.\d{4,5})")
_DOI = re.compile(r"\b10\.\d{4,}/[^\s;,]+")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")


class Card(NamedTuple):
    """The fields of a card; none for `reason`."""

    values: Mapping[str, Any]
    reason: str = ""


def card_of(results: Sequence[ArmResult]) -> Card:
    """The card of a task: of its records, else of its plugin, else what the ledger knows of it."""
    records = [record for result in results for record in result.records]
    told = next((r.cards["task"] for r in records if "task" in r.cards), None)
    if told:
        return Card(told)
    try:
        return Card(find_task(ref_of(records[0])).card.model_dump(mode="json"))
    except VoxbenchError as error:
        known = _corpus(records[0].arm.task)
        return Card(known) if known else Card({}, without_places(str(error)))


def ref_of(record: Facts) -> Ref:
    """The task that a record names, without any place: records may come from strangers.

    Raises:
        VoxbenchError: it names none.
    """
    name, fields = plugin_of(record, "task")
    if not name:
        raise VoxbenchError("its records do not say which task plugin it is.")
    return Ref.of(name, fields).without_locations()


def _corpus(name: str) -> dict[str, Any]:
    """What the ledger of corpora knows of a name."""
    known = corpora()
    if not known.knows(name):
        return {}
    corpus = known.find(name)
    return {"name": name, "modality": list(corpus.kind), "corpora": [corpus.name],
            "reference": corpus.source}  # fmt: skip


def told_modality(card: Card) -> str:
    """`CT`; "" where nobody says."""
    found = card.values.get("modality", "")
    return found if isinstance(found, str) else ", ".join(dict.fromkeys(found))


def sources(records: Iterable[Facts]) -> list[tuple[str, str]]:
    """Name of each source that weights were made of here → what it is, in words."""
    found: dict[str, list[Facts]] = {}
    for record in records:
        source = plugin_of(record, "baseline")[1].get("source")
        if isinstance(source, str):
            found.setdefault(source, []).append(record)
    return [(name, "; ".join(_described(name, own))) for name, own in sorted(found.items())]


def _described(name: str, records: Sequence[Facts]) -> Iterator[str]:
    card = next((r.cards["source"] for r in records if "source" in r.cards), None)
    card = card or _corpus(name)
    volumes = max((r.weights.volumes or 0 for r in records if r.weights), default=0)
    kind = told_modality(Card(card))
    if volumes:
        yield f"up to {volumes} {kind or 'unnamed'} volumes"
    elif kind:
        yield kind
    for field in ("reference", "licence"):
        if card.get(field):
            yield without_places(str(card[field]))
    if not card:
        plugin = plugin_of(records[0], "source")[0] or "several plugins"
        yield f"read by {plugin}; its records say no more"


def cited(cards: Mapping[str, Card], material: Material) -> list[tuple[str, str]]:
    """(what, whom to cite and under which licence) of tasks and of published weights."""
    return [(name, text) for name, text, _ in _works(cards, material)]


def bibtex(cards: Mapping[str, Card], material: Material) -> str:
    """The same as a file for BibTeX."""
    return "\n".join(_entry(*work) for work in _works(cards, material))


def _works(cards: Mapping[str, Card], material: Material) -> Iterator[tuple[str, str, str]]:
    for name, card in cards.items():
        reference = str(card.values.get("reference") or "")
        if reference:
            licence = str(card.values.get("licence") or "licence not told")
            yield name, f"{without_places(reference)} ({licence})", "data"
    for name in material.baselines:
        try:
            plugin = BASELINES.find(name).card
        except (VoxbenchError, AttributeError):
            continue
        own = "method" if plugin.licence == "of the source" else f"weights: {plugin.licence}"
        yield name, f"{plugin.reference} ({own})", "baseline"


def _entry(name: str, text: str, kind: str) -> str:
    """A `@misc` whose title is the whole reference: what is author and title nobody has told."""
    fields = {"title": f"{{{_latex(text)}}}", "note": _latex(f"voxbench {kind} {name}")}
    for field, pattern in (("year", _YEAR), ("doi", _DOI), ("eprint", _ARXIV)):
        found = pattern.findall(text)
        if found:
            fields[field] = found[0]
    body = "".join(f"  {field} = {{{value}}},\n" for field, value in fields.items())
    return f"@misc{{{re.sub(r'[^A-Za-z0-9._-]', '-', f'{kind}-{name}')},\n{body}}}\n"


def _latex(text: str) -> str:
    return re.sub(r"([&%$#_{}])", r"\\\1", text.replace("\\", ""))
