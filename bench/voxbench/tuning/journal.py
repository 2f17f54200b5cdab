"""What a study has asked to try and heard back: Optuna's journal, one file a study.

Records of trials are the truth, the journal follows them: a trial that was told in a record and not
in the journal, as after a kill between the two, is told when the next one asks. A journal that is
lost or torn is made again. So a trial counts once, whoever was killed when.
"""

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from voxbench.design.seeds import stream
from voxbench.design.tuning import Range, Tuning, Value, is_whole
from voxbench.records.trials import TrialRecord

_NAME = "trials"  # the same in every journal: hyperband's pace depends on it
_STARTUP = 5  # trials before the median stops any


class Journal:
    """The journal of a study; many processes on many machines may share it.

    Its lock is a file that is created exclusively, which NFS does since version 3, and is taken
    over 30 s after its holder died.

    Args:
        path: of the file.
        tuning: sampler, pruner and space.
        looks: that a trial takes at its validation cases, for hyperband.
    """

    def __init__(self, path: Path, tuning: Tuning, looks: int) -> None:
        self.path = path
        self.tuning = tuning
        self.looks = looks

    def ask(self, number: int, known: Sequence[TrialRecord]) -> "Trial":
        """The trial of a number: what it was given before, or what the sampler says now.

        What the sampler says depends on its seed, the number and the trials that are over, and on
        nothing else; tpe takes those that still run for bad ones, so as not to try the same twice.

        Args:
            number: of the trial.
            known: the records of the study.
        """
        from optuna.storages.journal import JournalFileOpenLock

        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = JournalFileOpenLock(str(self.path.with_suffix(".ask")))
        with _quiet():
            lock.acquire()
            try:
                return self._ask(number, known)
            finally:
                lock.release()

    def _ask(self, number: int, known: Sequence[TrialRecord]) -> "Trial":
        try:
            study = self._study()
        except ValueError:  # torn in the middle
            self.path.unlink()
            study = self._study()
        told = {trial.number: trial for trial in known}
        for trial in study.get_trials(deepcopy=False):
            if trial.number in told and not trial.state.is_finished():
                self._tell(study, told[trial.number])
        for place in range(len(study.get_trials(deepcopy=False)), number + 1):
            if place in told:
                study.add_trial(self._over(told[place]))
            else:
                study.add_trial(self._next(study, place))
        return Trial(self._study(), number)

    def _next(self, study: Any, number: int) -> Any:
        """A trial that begins, made aside: it enters the journal with all its values or not."""
        from optuna.trial import TrialState, create_trial

        spread = self._distributions()
        if self.tuning.sampler == "grid":
            values = self.tuning.grid()[number]
        else:
            values = self._aside(study, number).ask(spread).params
        return create_trial(state=TrialState.RUNNING, params=values, distributions=spread)

    def _aside(self, study: Any, number: int) -> Any:
        """A copy of the study in memory, with the sampler for the trial of a number."""
        import optuna

        copy = optuna.create_study(
            study_name=_NAME,
            direction="maximize",
            sampler=self._sampler(stream("tuning", seed=self.tuning.seed, trial=number) % 2**32),
            pruner=self._pruner(),
        )
        copy.add_trials(study.get_trials(deepcopy=False))
        return copy

    def tell(self, record: TrialRecord) -> None:
        """Say how a trial ended, after its record is stored."""
        with _quiet():
            study = self._study()
            if record.number < len(study.get_trials(deepcopy=False)):
                self._tell(study, record)

    def _tell(self, study: Any, record: TrialRecord) -> None:
        from optuna.trial import TrialState

        pruned = record.state == "pruned"
        state = TrialState.PRUNED if pruned else TrialState.COMPLETE
        value = None if pruned else record.score  # Optuna takes what it has seen last
        study.tell(record.number, value, state=state, skip_if_finished=True)

    def _study(self) -> Any:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

        path = str(self.path)
        return optuna.create_study(
            storage=JournalStorage(JournalFileBackend(path, JournalFileOpenLock(path))),
            study_name=_NAME,
            direction="maximize",
            load_if_exists=True,
            pruner=self._pruner(),
        )

    def _sampler(self, seed: int) -> Any:
        from optuna.samplers import RandomSampler, TPESampler

        return TPESampler(seed=seed) if self.tuning.sampler == "tpe" else RandomSampler(seed=seed)

    def _pruner(self) -> Any:
        from optuna.pruners import HyperbandPruner, MedianPruner, NopPruner

        if self.tuning.pruner == "median":
            return MedianPruner(n_startup_trials=_STARTUP)
        if self.tuning.pruner == "hyperband":
            return HyperbandPruner(min_resource=1, max_resource=max(2, self.looks))
        return NopPruner()

    def _distributions(self) -> dict[str, Any]:
        from optuna.distributions import (
            CategoricalDistribution,
            FloatDistribution,
            IntDistribution,
        )

        found: dict[str, Any] = {}
        for name, own in self.tuning.space.items():
            if not isinstance(own, Range):
                found[name] = CategoricalDistribution(own)
            elif is_whole(name):
                found[name] = IntDistribution(int(own.low), int(own.high), log=own.log)
            else:
                found[name] = FloatDistribution(own.low, own.high, log=own.log)
        return found

    def _over(self, record: TrialRecord) -> Any:
        """A trial that is over, for a journal that does not know of it."""
        from optuna.trial import TrialState, create_trial

        pruned = record.state == "pruned"
        return create_trial(
            state=TrialState.PRUNED if pruned else TrialState.COMPLETE,
            value=record.score,
            params=dict(record.values),
            distributions=self._distributions(),
            intermediate_values=dict(record.curve),
        )


class Trial:
    """A trial under way, as its journal knows it.

    Attributes:
        values: parameter → value to try.
        curve: place among all looks, from 1 → score that was seen there.
    """

    def __init__(self, study: Any, number: int) -> None:
        from optuna.trial import Trial as OptunaTrial

        frozen = study.get_trials(deepcopy=False)[number]
        self.values: dict[str, Value] = dict(frozen.params)
        self.curve: dict[int, float] = dict(frozen.intermediate_values)
        self._trial = OptunaTrial(study, frozen._trial_id)

    def hopeless(self, place: int, score: float) -> bool:
        """Note what is seen of the trial at a look, and ask the pruner whether to stop it."""
        with _quiet():
            if place not in self.curve:
                self._trial.report(score, place)
                self.curve[place] = score
            return bool(self._trial.should_prune())

    def keep(self, fold: int, facts: Mapping[str, Any]) -> None:
        """Note how a fold ended, so that it is not trained again."""
        with _quiet():
            self._trial.set_user_attr(f"fold {fold}", dict(facts))

    def kept(self, fold: int) -> Mapping[str, Any] | None:
        """How a fold ended; None if it has not."""
        found: Mapping[str, Any] | None = self._trial.user_attrs.get(f"fold {fold}")
        return found


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna's lines about every trial out of the output."""
    logger = logging.getLogger("optuna")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="optuna")
            yield
    finally:
        logger.setLevel(level)
