"""The page of corpora: what each holds, and who says so."""

from voxbench.ledger.corpora import Corpora, Corpus

_HEAD = """# Corpora

What the contamination ledger knows, from the files that packages register under
`voxbench.corpora`; made by `voxbench ls corpora --markdown`. «Holds» names corpora that volumes
were taken from, «may hold» those of which that is not proven. † marks a source that was not
looked up when the entry was written: common knowledge, to be checked.

| corpus | kind | holds | may hold | all origins known | source |
|---|---|---|---|---|---|
"""


def page(corpora: Corpora) -> str:
    """Markdown of all corpora, by name."""
    return _HEAD + "".join(_row(corpus) for corpus in corpora.all)


def _row(corpus: Corpus) -> str:
    cells = (
        corpus.name,
        ", ".join(corpus.kind),
        ", ".join(corpus.parents),
        ", ".join(corpus.perhaps),
        "yes" if corpus.complete else "no",
        corpus.source + ("" if corpus.checked else " †"),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
