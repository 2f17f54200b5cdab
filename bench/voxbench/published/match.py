"""Which published baseline a weights file fits, the likeliest first."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from voxbench.api import Published
from voxbench.files import has_checksum
from voxbench.model.backbones import Backbone
from voxbench.model.comparison import TensorComparison, compare_tensors
from voxbench.model.weights import Contents
from voxbench.published.catalogue import is_told_by_its_file, outline


@dataclasses.dataclass(frozen=True)
class WeightsMatch:
    """A file held against one baseline in one variant.

    Attributes:
        baseline: its name.
        size: of the architecture, and what else tells its published files apart.
        comparison: what would be loaded; None where the file can't be translated at all.
        min_loaded: share of the encoder that the card asks for.
        left_out: tensors of the file that the network doesn't take, such as heads.
        reason: why it can't be used, or None if it can.
        proof: that it is this baseline's file, its card's "checksum" or a "card" in the file; ""
            where names and shapes are all that speaks for it.
        head: whether the file holds the head of the card's outputs; None where it has none.
        rank: 1 for the likeliest; equal ones can't be told apart.
    """

    baseline: str
    size: str
    comparison: TensorComparison | None
    min_loaded: float
    left_out: int
    reason: str | None
    proof: str = ""
    head: bool | None = None
    rank: int = 0

    @property
    def share(self) -> float:
        """Of the encoder."""
        return self.comparison.share if self.comparison else 0.0

    @property
    def likelihood(self) -> tuple[bool, bool, float, float, int]:
        """More is likelier: it fits, proof, share of the file used, of the network filled, head.

        A card whose head is missing is less likely than one that names none.
        """
        used = round(self.comparison.file_share, 6) if self.comparison else 0.0
        filled = round(self.comparison.total_share, 6) if self.comparison else 0.0
        head = {True: 2, None: 1, False: 0}[self.head]
        return self.reason is None, bool(self.proof), used, filled, head


def matches(path: Path, contents: Contents, baselines: Iterable[Published]) -> list[WeightsMatch]:
    """Every baseline against the file, the likeliest first, those as likely with the same rank.

    Networks and tensors are held on the meta device, so that neither the largest network nor an
    inflated copy of the file takes memory.

    Args:
        path: of the file, for the cards' checksums.
        contents: read from it.
        baselines: each in one variant.
    """
    shapes = _without_values(contents)
    found = [_match(path, contents, shapes, baseline) for baseline in baselines]
    found.sort(key=lambda match: match.likelihood, reverse=True)
    order = [match.likelihood for match in found]
    return [dataclasses.replace(match, rank=1 + order.index(match.likelihood)) for match in found]


def _match(path: Path, contents: Contents, shapes: Contents, baseline: Published) -> WeightsMatch:
    card = baseline.card
    try:
        backbone = outline(baseline)
        try:
            tensors = baseline.translate(shapes, backbone)
        except (NotImplementedError, RuntimeError):  # a translation that looks at values
            tensors = baseline.translate(contents, backbone)
    except Exception as error:  # noqa: BLE001 (another layout or a stranger's plugin may raise anything)
        why = f"can't be translated ({str(error).partition(chr(10))[0][:160] or repr(error)})"
        return WeightsMatch(card.name, baseline.variant, None, card.min_loaded, len(contents), why)
    comparison = compare_tensors(backbone, tensors, baseline.left_over(contents))
    found = WeightsMatch(
        baseline=card.name,
        size=baseline.variant,
        comparison=comparison,
        min_loaded=card.min_loaded,
        left_out=max(0, len(contents) - len(comparison.fitting)),
        reason=comparison.objection(card.min_loaded),
    )
    if found.reason:
        return found
    head = _has_head(baseline, contents, backbone) if card.outputs else None
    return dataclasses.replace(found, proof=_proof(path, baseline), head=head)


def _proof(path: Path, baseline: Published) -> str:
    if is_told_by_its_file(type(baseline)):
        return "card"
    offer = baseline.checkpoints.get(baseline.variant)
    known = offer.checksum if offer else None
    return "checksum" if known and has_checksum(path, known) else ""


def _has_head(baseline: Published, contents: Contents, backbone: Backbone) -> bool:
    try:
        baseline.head(contents, backbone)
    except Exception:  # noqa: BLE001 (what a head says of tensors that it doesn't know)
        return False
    return True


def _without_values(contents: Contents) -> Contents:
    shapes = Contents({name: tensor.to("meta") for name, tensor in contents.items()})
    shapes.beside, shapes.layout = contents.beside, contents.layout
    return shapes
