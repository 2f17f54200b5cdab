"""The page of a report, `report.md`: it leads with the findings and ends with how to read it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from voxbench.analyses.effect_sentences import effect_chapters, overall_sentence
from voxbench.reporting.printer import as_markdown, escape_markdown

if TYPE_CHECKING:
    from voxbench.reporting.report import Report

SMOKE = (
    "**Smoke run.** Some records were made with a limit: they show that the machinery works, and "
    "nothing about pre-training."
)
READING = """## How to read this

The unit is the patient: cases, classes, draws and seeds are averaged within a patient before any
test. An effect is arm − scratch twin on the patients and runs that both have. Intervals resample
patients and runs. The verdict of a row is that of one interval, which holds at once with those of
all rows: «equivalent» if it lies inside the margin, else «better» or «worse» if it excludes 0, else
«undecided». The more rows, the wider; a single question is asked by `voxbench compare` or declared
as a claim. With few patients or runs intervals are stretched as Student's are; arms on one task and
fraction lend each other what they show of the luck of seeds. That of a *mean* is still too narrow
below about 30 patients (86 instead of 95% in simulations with 10), that of an *effect* is not; over
tasks it is Student's, and there is none below three of them. Dice, NSD and HD95 are of the
structures that the reference has, the same pairs of a case and a class in both arms; where it lacks
one they are undefined and counted, and what is predicted is a false alarm.
Where a task was run under several recipes, versions of its data or limits, the column `setting`
tells them apart: rows of one setting are compared with each other only."""


def page_lines(made: "Report") -> Iterator[str]:
    """`report.md`: the findings, then the curves, then the tables."""
    yield "# What these runs show\n"
    if made.smoke:
        yield f"> {SMOKE}\n"
    yield escape_markdown(" ".join(made.opening))
    for heading, sentences in effect_chapters(made.effects, made.metric, made.recipes):
        yield f"\n## {escape_markdown(heading)}\n"
        yield from (f"- {escape_markdown(sentence)}" for sentence in sentences)
    if made.overall:
        yield "\n## Over all tasks\n"
        yield from (
            f"- {escape_markdown(overall_sentence(row, made.metric))}" for row in made.overall
        )
    if made.figures:
        yield "\n## Curves\n"
        pictures = [figure.paths[0] for figure in made.figures]
        yield from (f"![{path.stem}](figures/{path.name})" for path in pictures)
    yield from _doubt_lines(made)
    for table in made.tables:
        if table.rows:
            yield f"\n## {table.title}\n"
            yield as_markdown(table)
    yield READING


def _doubt_lines(made: "Report") -> Iterator[str]:
    """What pre-training changes of doubt, whether its kinds separate, and its figures."""
    if not made.doubt.doubts:
        return
    yield "\n## Can doubt be trusted?\n"
    yield from (f"- {escape_markdown(sentence)}" for sentence in made.doubt.sentences)
    pictures = [figure.paths[0] for figure in made.doubt_figures]
    yield from (f"\n![{path.stem}](figures/{path.name})" for path in pictures)
