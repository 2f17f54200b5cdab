"""The report of a result folder: tables, figures, and a page that leads with the findings."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from voxbench.analyses import effects as stats
from voxbench.analyses.groups import Group, read_groups, records_in
from voxbench.analyses.races.declaration import races_in
from voxbench.analyses.races.results import with_races
from voxbench.analyses.table import Table
from voxbench.files import write_atomically
from voxbench.records import Record, Store
from voxbench.records.table import refresh_table
from voxbench.report import curves, rows, scale_curve, scaling, words
from voxbench.report.names import slug
from voxbench.report.printer import as_markdown, save_table
from voxbench.stats.metric import Metric, find_metric

SMOKE = (
    "**Smoke run.** Some records were made with a limit: they show that the machinery works, and "
    "nothing about pre-training."
)
READING = """## How to read this

The unit is the patient: cases, classes, draws and seeds are averaged within a patient before any
test. An effect is arm − scratch twin on the patients and runs that both have. Intervals resample
patients and runs. A verdict is «equivalent» if the interval lies inside the margin, else «better»
or «worse» if it excludes 0 and Holm's p is below 0.05, else «undecided». With few patients or runs
intervals are stretched as Student's are. That of a *mean* is still too narrow below about 30
patients (86 instead of 95% in simulations with 10), that of an *effect* is not; one over a handful
of tasks says little about other tasks. A class that is empty in both masks has no score: it is left
out and counted as undefined. Where a task was run under several recipes, versions of its data or
limits, the column `setting` tells them apart: rows of one setting are compared with each other
only."""


class Figure(NamedTuple):
    """A drawing of one task and setting: what it shows, and its files, the SVG first."""

    task: str
    setting: str
    title: str
    paths: list[Path]


@dataclass(frozen=True)
class Report:
    """What was found and written.

    Attributes:
        page: report.md.
        files: all files, the page first.
        summary: one sentence over all comparisons.
        effects: arm against twin, for each task and fraction.
        overall: the same over tasks.
        failed: cells without a result.
        smoke: some records were made with a limit.
        records: what the report was made of.
        groups: the same as arms.
        means: of each group, in their order.
        tables: as they were written.
        figures: curves by task.
    """

    page: Path
    files: list[Path]
    summary: str
    effects: list[stats.Effect]
    overall: list[stats.Overall]
    failed: int
    smoke: bool
    records: list[Record]
    groups: list[Group]
    means: list[stats.Mean]
    tables: list[Table]
    figures: list[Figure]

    @property
    def opening(self) -> list[str]:
        """The summary, and how many cells failed."""
        if not self.failed:
            return [self.summary]
        cells = "1 cell has" if self.failed == 1 else f"{self.failed} cells have"
        return [self.summary, f"{cells} no result; the table of failed cells gives the reasons."]

    def plain(self) -> dict[str, Any]:
        """What a program reads; paths as text."""
        return {
            "page": str(self.page),
            "files": [str(path) for path in self.files],
            "summary": self.summary,
            "effects": [asdict(effect) for effect in self.effects],
            "overall": [asdict(row) for row in self.overall],
            "failed": self.failed,
            "smoke": self.smoke,
        }


def report(
    store_dir: Path, out_dir: Path, metric: str = "dice", margin: float | None = None
) -> Report:
    """Write `report.md`, `tables/` and `figures/` from the records of a folder.

    The table of all scores, `table.parquet` beside the records, is brought up to date with it.

    Args:
        store_dir: the output folder of a run.
        out_dir: where to write; the folder itself is fine.
        metric: of effects and curves: dice, nsd or hd95_mm.
        margin: of practical equivalence, in the metric's unit; 0.01 for Dice and NSD, 1 mm for
            HD95.

    Raises:
        RecordError: there is no record, or one can't be read.
        SpecError: the metric is unknown.
    """
    chosen = find_metric(metric)
    margin = chosen.margin if margin is None else margin
    records = records_in(store_dir)
    groups = read_groups(records)
    pairs = stats.twins(groups, chosen)
    found, means = stats.effects(pairs, margin), stats.means(groups)
    found = with_races(found, races_in(store_dir), records, chosen, margin)
    overall = stats.overall(pairs)
    written = [
        rows.effect_table(found, chosen, margin),
        rows.overall_table(overall, chosen),
        *scaling.scaling_tables(groups, pairs, chosen, margin),
        rows.mean_table(means),
        rows.failed_table(groups),
    ]
    files = [path for table in written for path in save_table(table, out_dir / "tables")]
    figures = _figures(means, found, chosen, margin, out_dir / "figures")
    figures += _scale_figures(means, found, chosen, out_dir / "figures")
    made = Report(
        page=out_dir / "report.md",
        files=[out_dir / "report.md", *files, *(path for made in figures for path in made.paths)],
        summary=words.summary(found, chosen, margin),
        effects=found,
        overall=overall,
        failed=sum(len(group.failed) for group in groups),
        smoke=any(group.smoke for group in groups),
        records=records,
        groups=groups,
        means=means,
        tables=written,
        figures=figures,
    )
    refresh_table(Store(store_dir))
    write_atomically(made.page, _page(made, chosen))
    return made


def _figures(
    means: Sequence[stats.Mean],
    effects: Sequence[stats.Effect],
    metric: Metric,
    margin: float,
    folder: Path,
) -> list[Figure]:
    """One curve a task, and one for each adaptation and setting where these differ.

    Direct inference, which learns from no case, is a row of the tables and no point of a curve;
    nor are imported scores of an unknown number of labelled patients.
    """
    made = []
    means = [mean for mean in means if mean.adaptation != "direct" and mean.train_patients != 0]
    places = ((m.task, m.adaptation, m.setting) for m in means)
    shown = list(dict.fromkeys(places))
    for place in shown:
        task, adaptation, setting = place
        names = [task]
        names += [adaptation] * (adaptation != "full")
        names += [setting] * (len({other for t, a, other in shown if t == task}) > 1)
        title = " · ".join(names)
        paths = curves.draw(
            title,
            [m for m in means if (m.task, m.adaptation, m.setting) == place],
            [e for e in effects if (e.task, e.adaptation, e.setting) == place],
            metric,
            margin,
            folder / slug("-".join(["curve", *names, metric.key])),
        )
        if paths:
            heading = f"Score and effect by labelled patients: {title}"
            made.append(Figure(task, setting, heading, paths))
    return made


def _scale_figures(
    means: Sequence[stats.Mean], effects: Sequence[stats.Effect], metric: Metric, folder: Path
) -> list[Figure]:
    """One pre-training scale curve a task and fraction, where arms differ in their volumes."""
    made = []
    shown = list(dict.fromkeys((m.task, m.adaptation, m.setting, m.fraction) for m in means))
    for place in shown:
        task, adaptation, setting, fraction = place
        names = [task, *[adaptation] * (adaptation != "full"), fraction]
        names += [setting] * (len({other for t, _, other, _ in shown if t == task}) > 1)
        title = " · ".join(names)
        stem = "-".join(["scale", *names, metric.key]).replace(" ", "-").replace("%", "")
        paths = scale_curve.draw(
            title,
            [m for m in means if (m.task, m.adaptation, m.setting, m.fraction) == place],
            [e for e in effects if (e.task, e.adaptation, e.setting, e.fraction) == place],
            metric,
            folder / slug(stem),
        )
        if paths:
            heading = f"Score by amount of pre-training: {title}"
            made.append(Figure(task, setting, heading, paths))
    return made


def _page(made: Report, metric: Metric) -> str:
    return "\n".join(_lines(made, metric)) + "\n"


def _lines(made: Report, metric: Metric) -> Iterator[str]:
    yield "# What these runs show\n"
    if made.smoke:
        yield f"> {SMOKE}\n"
    yield " ".join(made.opening)
    for heading, sentences in words.chapters(made.effects, metric):
        yield f"\n## {heading}\n"
        yield from (f"- {sentence}" for sentence in sentences)
    if made.overall:
        yield "\n## Over all tasks\n"
        yield from (f"- {words.across(row, metric)}" for row in made.overall)
    if made.figures:
        yield "\n## Curves\n"
        pictures = [figure.paths[0] for figure in made.figures]
        yield from (f"![{path.stem}](figures/{path.name})" for path in pictures)
    for table in made.tables:
        if table.rows:
            yield f"\n## {table.title}\n"
            yield as_markdown(table)
    yield READING
