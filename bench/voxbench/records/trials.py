"""The trials of tunings: one atomic JSON file each, `trials/<study>-<number>.json`."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict

from voxbench.design.tuning import Value
from voxbench.records.cost import Cost
from voxbench.records.folder import RecordFolder
from voxbench.records.part import NanFloat, Told
from voxbench.records.record import Arm

TrialState = Literal["complete", "pruned", "failed"]
TRIAL_STATES: tuple[TrialState, ...] = get_args(TrialState)


class TrialRecord(BaseModel):
    """One trial that is over.

    Attributes:
        study: key of what is tuned: an arm at a fraction of a task, over a space, by a sampler.
        number: of the trial, from 0.
        budget: trials that its sweep asks for.
        state: complete, pruned (stopped early), or failed (it diverged, or can't be trained so).
        smoke: run with a limit.
        sweep: name of the sweep that ran it.
        arm: the names that tables group by; draw and seed are those of all trials.
        cell: as it was trained.
        tuning: the table `[tuning]` but for the number of trials.
        values: parameter → value that was tried.
        score: mean of `scores`; of a pruned trial what was seen last, 0 of a failed one.
        scores: validation patient → mean over cases of the mean Dice of the defined classes.
        curve: place among the looks of all folds → score seen there.
        validation: sha256 over the cases that each fold trains on and is judged by.
        folds: trainings that the score is made of.
        cost: of all its trainings.
        environment: versions, that of the sampler too, commit, device.
        failure: why it failed.
    """

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null")

    schema_version: Literal[1] = 1
    study: str
    number: int
    budget: int
    state: TrialState = "complete"
    smoke: bool
    sweep: str
    arm: Arm
    cell: dict[str, Any]
    tuning: dict[str, Any]
    values: dict[str, Value]
    score: float = 0.0
    scores: dict[str, NanFloat] = {}
    curve: dict[int, float] = {}
    validation: str = ""
    folds: int = 0
    cost: Cost | None = None
    environment: dict[str, Any]
    failure: Told | None = None

    @property
    def key(self) -> str:
        """The file's name."""
        return trial_key(self.study, self.number)


def trial_key(study: str, number: int) -> str:
    """The name of a trial among all of an output folder."""
    return f"{study}-{number:04d}"


class Trials(RecordFolder[TrialRecord]):
    """The trials of one output folder that are over, study by study in the order of numbers."""

    name = "trials"
    kind = TrialRecord
    told = "trial"

    def of(self, study: str) -> list[TrialRecord]:
        """Those of a study, in the order of their numbers.

        Raises:
            RecordError: a file is damaged or of another schema.
        """
        return [*self.matching(f"{study}-*")]


def best_of(trials: Sequence[TrialRecord]) -> TrialRecord | None:
    """The complete trial with the best score, the first of equal ones; None if none is complete."""
    complete = [trial for trial in trials if trial.state == "complete"]
    return max(complete, key=lambda trial: (trial.score, -trial.number), default=None)
