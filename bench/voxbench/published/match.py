"""Which published baseline a weights file fits, by names and shapes alone."""

import dataclasses
from collections.abc import Iterable

from voxbench.api import Published
from voxbench.model.comparison import TensorComparison, compare_tensors
from voxbench.model.weights import Contents
from voxbench.published.catalogue import outline


@dataclasses.dataclass(frozen=True)
class WeightsMatch:
    """A file held against one baseline of one size.

    Attributes:
        baseline: its name.
        size: of the architecture.
        comparison: what would be loaded; None where the file can't be translated at all.
        min_loaded: share of the encoder that the card asks for.
        left_out: tensors of the file that the baseline doesn't ask for, such as heads.
        reason: why it can't be used, or None if it can.
    """

    baseline: str
    size: str
    comparison: TensorComparison | None
    min_loaded: float
    left_out: int
    reason: str | None

    @property
    def share(self) -> float:
        """Of the encoder."""
        return self.comparison.share if self.comparison else 0.0


def matches(contents: Contents, baselines: Iterable[Published]) -> list[WeightsMatch]:
    """Every baseline against the file, the best first.

    Networks and tensors are held on the meta device, so that neither the largest network nor an
    inflated copy of the file takes memory.
    """
    shapes = _without_values(contents)
    found = [_match(contents, shapes, baseline) for baseline in baselines]
    return sorted(found, key=lambda match: (match.reason is not None, -match.share))


def _match(contents: Contents, shapes: Contents, baseline: Published) -> WeightsMatch:
    card = baseline.card
    try:
        backbone = outline(baseline)
        try:
            tensors = baseline.translate(shapes, backbone)
        except (NotImplementedError, RuntimeError):  # a translation that looks at values
            tensors = baseline.translate(contents, backbone)
    except Exception as error:  # noqa: BLE001 (another layout or a stranger's plugin may raise anything)
        why = f"can't be translated ({str(error).partition(chr(10))[0][:160] or repr(error)})"
        return WeightsMatch(card.name, baseline.size, None, card.min_loaded, len(contents), why)
    comparison = compare_tensors(backbone, tensors, card.left_over)
    left_out = max(0, len(contents) - len(tensors))
    reason = comparison.objection(card.min_loaded)
    return WeightsMatch(card.name, baseline.size, comparison, card.min_loaded, left_out, reason)


def _without_values(contents: Contents) -> Contents:
    shapes = Contents({name: tensor.to("meta") for name, tensor in contents.items()})
    shapes.beside, shapes.layout = contents.beside, contents.layout
    return shapes
