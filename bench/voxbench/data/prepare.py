"""From files to prepared cases: read, checked, cropped, normalised, resampled, cached once."""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from voxbench.api import Case, TaskCard
from voxbench.data import cache
from voxbench.data.cache import Prepared, PreparedCase
from voxbench.data.content_hash import case_hashes
from voxbench.data.geometry import choose_grid, crop_to_grid, image_to_grid, label_to_grid
from voxbench.data.image import read_extent, read_spacing, recall_grids
from voxbench.data.intensity import normalise
from voxbench.data.outside import value_outside
from voxbench.data.volumes import CaseReader, CaseVolumes, Problem
from voxbench.design.preprocessing import Preprocessing
from voxbench.errors import DataError
from voxbench.progress import Stage, tell
from voxbench.threads import threads


class PrepareOutcome(NamedTuple):
    """One case: prepared, or None with at least one fatal problem."""

    case: PreparedCase | None
    problems: list[Problem]


def prepare_cases(
    card: TaskCard, cases: Sequence[Case], preprocessing: Preprocessing
) -> dict[str, PreparedCase]:
    """Prepare the cases that are not in the cache yet.

    Args:
        card: of the task whose cases they are.
        cases: what to prepare.
        preprocessing: grid and intensity.

    Returns:
        Case id → prepared case, in the given order.

    Raises:
        DataError: at least one case can't be used; lists every fatal problem of all of them.
    """
    outcomes = list(prepare_each(card, cases, preprocessing))
    fatal = [problem for outcome in outcomes for problem in outcome.problems if problem.fatal]
    if fatal:
        raise DataError(f"task {card.name!r}: {_table(fatal)}")
    return {outcome.case.id: outcome.case for outcome in outcomes if outcome.case}


def inspect_cases(
    card: TaskCard, cases: Sequence[Case], preprocessing: Preprocessing
) -> list[Problem]:
    """Every problem and note of every case; what is sound is in the cache afterwards."""
    outcomes = prepare_each(card, cases, preprocessing)
    return [problem for outcome in outcomes for problem in outcome.problems]


def prepare_each(
    card: TaskCard, cases: Sequence[Case], preprocessing: Preprocessing, jobs: int = 1
) -> Iterator[PrepareOutcome]:
    """Prepare case after case, in the given order, without stopping at a broken one.

    `jobs` cases are in work at a time, each in memory as a whole. A case whose copy in the cache is
    damaged is prepared again, and that is told.
    """
    contents = case_hashes(cases, jobs)
    folders = [
        cache.prepared_folder()
        / cache.case_key(content, card, preprocessing, labelled=case.label is not None)
        for case, content in zip(cases, contents, strict=True)
    ]
    stored = {folder for folder in folders if folder.is_dir()}
    damaged = cache.damaged(stored)
    cache.remove_unfinished()
    for folder, file in damaged.items():
        tell(f"the prepared case {folder / file} is damaged and is made again")
    sound = stored - damaged.keys()
    with threads(jobs) as pool:  # reading and resampling release the interpreter lock
        waiting: deque[Future[PrepareOutcome]] = deque()
        work = (
            pool.submit(_stored, case, folder)
            if folder in sound
            else pool.submit(_prepare, case, content, folder, card, preprocessing)
            for case, content, folder in zip(cases, contents, folders, strict=True)
        )
        waiting.extend(islice(work, 2 * jobs))
        for done in range(1, len(cases) + 1):
            yield waiting.popleft().result()
            tell(Stage("preparing", done, len(cases)))
            waiting.extend(islice(work, 1))


def size_before_cropping(cases: Sequence[Case], preprocessing: Preprocessing) -> int:
    """Bytes that the arrays of prepared cases take at most, by the headers of their first images.

    What can't be read is not counted; it is told when it is prepared.
    """
    found = 0
    recall_grids(case.images[0] for case in cases)
    for case in cases:
        with suppress(DataError):
            native = read_spacing(case.images[0], preprocessing.axes)
            extent = read_extent(case.images[0], preprocessing.axes)
            sides = zip(extent, preprocessing.spacing_mm or native, strict=True)
            maps = (case.label is not None) + sum(one is not None for one in case.raters.values())
            found += math.prod(math.ceil(a / b) for a, b in sides) * (4 * len(case.images) + maps)
    return found


def _stored(case: Case, folder: Path) -> PrepareOutcome:
    found = PreparedCase(case.id, case.patient, folder)
    return PrepareOutcome(found, found.notes)


def _prepare(
    case: Case, content: str, folder: Path, card: TaskCard, preprocessing: Preprocessing
) -> PrepareOutcome:
    reader = CaseReader(case, card)
    volumes = reader.read()
    if case_hashes([case]) != [content]:
        file = case.images[0].name
        changed = Problem(case.id, file, "changed file", "replaced while it was read; try again")
        return PrepareOutcome(None, [changed])
    if volumes is None:
        return PrepareOutcome(None, reader.problems)
    prepared = onto_grid(volumes, preprocessing)
    reader.problems += _constant(case, card, prepared)
    labelled = frozenset[str]() if case.label is None else case.labelled
    cache.store_case(folder, prepared, list(card.parts), labelled, reader.problems)
    return PrepareOutcome(PreparedCase(case.id, case.patient, folder), reader.problems)


def _constant(case: Case, card: TaskCard, prepared: Prepared) -> list[Problem]:
    """The channels that a network would see as one value: a window beside all that is there."""
    return [
        Problem(
            case.id,
            case.images[min(index, len(case.images) - 1)].name,
            "constant channel",
            f"{name} is {channel.flat[0]:g} everywhere once its intensities are prepared",
        )
        for index, (name, channel) in enumerate(zip(card.channels, prepared.image, strict=True))
        if channel.min() == channel.max()
    ]


def onto_grid(volumes: CaseVolumes, preprocessing: Preprocessing) -> Prepared:
    """Orient, crop, normalise and resample a case.

    Intensities are normalised on the cropped native voxels, before they are interpolated.
    """
    grid = choose_grid(volumes.image, volumes.affine, preprocessing)
    image = np.empty((len(volumes.image), *grid.shape), np.float32)
    rules = preprocessing.rules(len(image))
    for channel, native, rule in zip(image, volumes.image, rules, strict=True):
        channel[...] = image_to_grid(normalise(crop_to_grid(native, grid), rule), grid)
    label = None
    if volumes.label is not None:
        label = label_to_grid(np.ascontiguousarray(crop_to_grid(volumes.label, grid)), grid)
    raters = {
        name: label_to_grid(np.ascontiguousarray(crop_to_grid(drawn, grid)), grid)
        for name, drawn in volumes.raters.items()
    }
    outside = [value_outside(*pair) for pair in zip(image, rules, strict=True)]
    return Prepared(image, label, grid, outside, raters)


def _table(problems: Iterable[Problem]) -> str:
    rows = [tuple(problem) for problem in problems]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    ]
    count = len({row[0] for row in rows})
    return "\n  ".join([f"{count} case{'s' if count > 1 else ''} can't be used:", *lines])
