"""Claims that were declared, on the front page: what became of each."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from voxbench.analyses.claim_sentences import task_sentence
from voxbench.analyses.claims import ClaimResult, ClaimVerdict
from voxbench.reporting.people import ArmName, labelled
from voxbench.reporting.site.front.cell import GLYPHS

_AS_EFFECT: dict[ClaimVerdict, str] = {
    "holds": "better", "head start": "head start", "undecided": "undecided",
    "does not hold": "worse", "cannot be tested": "",
}  # fmt: skip
"""Verdict → the one on an effect that has its glyph and its colour."""


class Declared(NamedTuple):
    """A claim: verdict with glyph and colour, words, what was compared, what each task says."""

    verdict: ClaimVerdict
    glyph: str
    look: str
    text: str
    compared: str
    found: list[str]


def declared(results: Sequence[ClaimResult], names: Mapping[str, ArmName]) -> list[Declared]:
    """In the order of their file, with the names of their arms for people."""
    return [
        Declared(
            result.verdict,
            GLYPHS[_AS_EFFECT[result.verdict]],
            _AS_EFFECT[result.verdict].replace(" ", "-"),
            result.claim.text or str(result.claim),
            f"{names.get(result.arm, result.arm)} − {names.get(result.other, result.other)}, "
            f"{labelled(result.claim.fraction)}",
            [task_sentence(row, result.claim) for row in result.tasks],
        )
        for result in results
    ]
