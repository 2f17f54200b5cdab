"""The report of a result folder: tables, figures, and a page that leads with the findings."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxbench.analyses.active import round_rows, round_table
from voxbench.analyses.best_of import best_table
from voxbench.analyses.cost import frontier_table
from voxbench.analyses.curves import curve_table, learning_curves
from voxbench.analyses.effect_sentences import effect_summary
from voxbench.analyses.effect_tables import effect_table, failed_table, mean_table, overall_table
from voxbench.analyses.effects import Effect, Overall, effects, overall
from voxbench.analyses.groups import Group
from voxbench.analyses.label_efficiency import Worth, vanishing_table, worth, worth_table
from voxbench.analyses.means import Mean, means
from voxbench.analyses.pairing import twins
from voxbench.analyses.races.declaration import races_in
from voxbench.analyses.races.results import raced_effects
from voxbench.analyses.read import Members, by_arm, groups_of, read_groups, records_in
from voxbench.analyses.scale import trend_table
from voxbench.analyses.settings import setting_words
from voxbench.analyses.shifts import shift_table, shifts
from voxbench.analyses.steps import steps_table, trajectory_table
from voxbench.analyses.table import Table, as_row
from voxbench.analyses.tuned import beside, beside_table
from voxbench.analyses.tuning import Studied, studies_in, study_table
from voxbench.analyses.uncertainty.findings import Findings, find_doubt
from voxbench.analyses.uncertainty.tables import doubt_tables, full_tables
from voxbench.files import remove_leavings, write_atomically
from voxbench.records import ScoredRecord, Store
from voxbench.records.external import external_store
from voxbench.records.table import stamp_of, write_table
from voxbench.reporting.figures.aside import figures_aside
from voxbench.reporting.figures.best_of import draw_best
from voxbench.reporting.figures.doubt import DoubtFigure, draw_doubt
from voxbench.reporting.figures.draw import Figure
from voxbench.reporting.figures.style import PAGE
from voxbench.reporting.page import page_lines
from voxbench.reporting.printer import save_table
from voxbench.stats.metric import FALSE_ALARMS, Metric, find_metric
from voxbench.threads import one_blas_thread


@dataclass(frozen=True)
class Report:
    """What was found and written.

    Attributes:
        page: report.md.
        files: all files, the page first.
        metric, margin: of effects and curves.
        records: what the report was made of.
        members: the same by arm; groups: their scores.
        recipes: (task, setting) → what tells it from the task's others, "" of the only one.
        means: of each group, in their order.
        effects: arm against twin, for each task and fraction.
        worths: of arms at fractions, in labels.
        overall: effects over tasks.
        tables: as they were written.
        figures: curves by task.
        doubt: what uncertainty is worth, where a sweep asked; doubt_figures: its drawings.
    """

    page: Path
    files: list[Path]
    metric: Metric
    margin: float
    records: list[ScoredRecord]
    members: Members[ScoredRecord]
    recipes: dict[tuple[str, str], str]
    groups: list[Group]
    means: list[Mean]
    effects: list[Effect]
    worths: list[Worth]
    overall: list[Overall]
    tables: list[Table]
    figures: list[Figure]
    doubt: Findings
    doubt_figures: list[DoubtFigure]

    @property
    def summary(self) -> str:
        """One sentence over all comparisons."""
        return effect_summary(self.effects, self.metric, self.margin)

    @property
    def failed(self) -> int:
        """Cells without a result."""
        return sum(len(group.failed) for group in self.groups)

    @property
    def smoke(self) -> bool:
        """Some records were made with a limit."""
        return any(group.smoke for group in self.groups)

    @property
    def opening(self) -> list[str]:
        """The summary, the primary metric, and how many cells failed."""
        told = [
            self.summary,
            f"{self.metric.title} is the primary metric of this report: by it alone verdicts, "
            "ranks and curves are made.",
        ]
        if not self.failed:
            return told
        cells = "1 cell has" if self.failed == 1 else f"{self.failed} cells have"
        return [*told, f"{cells} no result; the table of failed cells gives the reasons."]

    def to_json(self) -> dict[str, Any]:
        """What a program reads; paths as text."""
        return {
            "page": str(self.page),
            "files": [str(path) for path in self.files],
            "summary": self.summary,
            "effects": [as_row(effect) for effect in self.effects],
            "overall": [as_row(row) for row in self.overall],
            "failed": self.failed,
            "smoke": self.smoke,
        }


@one_blas_thread()  # another process draws meanwhile
def write_report(
    store_dir: Path,
    out_dir: Path,
    metric: str = "dice",
    margin: float | None = None,
    width: float = PAGE,
) -> Report:
    """Write `report.md`, `tables/` and `figures/` from the records of a folder.

    The table of all scores, `table.parquet` beside the records, is brought up to date with it.

    Args:
        store_dir: the output folder of a run.
        out_dir: where to write; the folder itself is fine.
        metric: of effects and curves; a key of `stats.metric.ALL`.
        margin: of practical equivalence, in the metric's unit; 0.01 for Dice and NSD, 1 mm for
            HD95.
        width: of the curves, in inches.

    Raises:
        RecordError: there is no record, or one can't be read.
        SpecError: the metric is unknown.
    """
    chosen = find_metric(metric)
    margin = chosen.margin if margin is None else margin
    store = Store(store_dir)
    stamp = stamp_of(store)
    records = records_in(store_dir)
    members = by_arm(records)
    groups = groups_of(members)
    pairs = twins(groups, chosen)
    found, each = raced_effects(pairs, races_in(store_dir), records, margin), means(groups)
    recipes, folder = setting_words(members), out_dir / "figures"
    with figures_aside(each, found, chosen, margin, folder, recipes, width) as finished:
        write_table(store, stamp, records)
        curves = [own for own in learning_curves(pairs) if len(own.labels) > 1]
        over_tasks = overall(pairs)
        worths = [row for own in curves for row in worth(own)]
        studies, doubt = studies_in(store_dir), find_doubt(store_dir, records)
        rounds = round_rows(store_dir, records)
        tables = [
            effect_table(found, chosen, margin),
            *_external_tables(store_dir, groups, chosen, margin),
            *_alarm_tables(groups, chosen),
            overall_table(over_tasks, chosen),
            worth_table(worths, chosen),
            vanishing_table(curves, chosen, margin),
            curve_table(curves, chosen),
            trend_table(pairs, chosen, margin),
            steps_table(found, groups, chosen),
            trajectory_table(groups),
            frontier_table(groups, chosen),
            mean_table(each),
            failed_table(groups),
            *_tuning_tables(studies, groups, found, records, chosen),
            *doubt_tables(doubt),
            *([round_table(rounds)] if rounds else []),
        ]
        page = out_dir / "report.md"
        written = [*tables, *full_tables(doubt)]
        files = [
            page,
            *(path for table in written for path in save_table(table, out_dir / "tables")),
        ]
        figures = finished()
    figures += draw_best(studies, folder)
    drawn = draw_doubt(doubt, folder)
    files += [path for own in drawn for path in own.paths]
    files += [path for figure in figures for path in figure.paths]
    made = Report(
        page, files, chosen, margin, records, members, recipes, groups, each, found, worths,
        over_tasks, tables, figures, doubt, drawn,
    )  # fmt: skip
    remove_leavings(out_dir)
    write_atomically(page, "\n".join(page_lines(made)) + "\n")
    return made


def _external_tables(
    folder: Path, groups: Sequence[Group], metric: Metric, margin: float
) -> list[Table]:
    """In-distribution, external and shift of the arms, and what could not be scored."""
    records = list(external_store(folder).scored())
    external = read_groups(records)
    training_of = {one.key: one.external.training for one in records if one.external}
    found = shifts(groups, external, training_of, metric, margin)
    failed = failed_table(external)._replace(
        name="failed-external",
        title="Failed on external test sets",
        caption="Trained networks without a score there.",
    )
    return [*([shift_table(found, metric)] if found else []), *([failed] if failed.rows else [])]


def _tuning_tables(
    studies: Sequence[Studied],
    groups: Sequence[Group],
    found: Sequence[Effect],
    records: Sequence[ScoredRecord],
    metric: Metric,
) -> list[Table]:
    """Default and tuned side by side, what was chosen, and what fewer trials would have said."""
    if not studies:
        return []
    rows = beside(groups, found, {record.key: record for record in records}, metric)
    return [beside_table(rows, metric), study_table(studies), best_table(studies)]


def _alarm_tables(groups: Sequence[Group], primary: Metric) -> list[Table]:
    """Effects on false alarms where a structure is absent, beside those on the primary metric."""
    tables = []
    for metric in FALSE_ALARMS.values():
        found = effects(twins(groups, metric), metric.margin)
        if metric != primary and any(effect.patients for effect in found):
            table = effect_table(found, metric, metric.margin)
            caption = f"{table.caption} Beside the primary metric, as a family of its own."
            tables.append(table._replace(title=metric.title, caption=caption))
    return tables
