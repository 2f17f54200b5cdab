"""Statistics at full size, and against scipy in the same run: seconds, ratios, memory.

    python tests/benchmarks/stats_speed.py [--quick]

`--quick` runs scipy on a twentieth of the pairs and scales its time up. Exit code 1 if a limit is
broken: 5 s and 2 GB for all pairs and ranks of 20 arms × 10 tasks × 200 patients × 5 seeds with
10,000 resamples; 200 times scipy.stats.bootstrap and 1,000 times scipy.stats.permutation_test on
20 arms × 2,000 patients, all 190 pairs; scipy as it is called by default. Times are wall clock;
the kernels are compiled before.
"""

import resource
import sys
import time
from collections.abc import Callable

import numpy as np
from scipy import stats
from voxbench.analyses.groups import Run, Scope
from voxbench.analyses.ranks.board import Board, TaskScores
from voxbench.analyses.ranks.league import league
from voxbench.stats.bootstrap import Sample, estimate
from voxbench.stats.counts import patient_counts
from voxbench.stats.inference import infer
from voxbench.stats.interval import Interval
from voxbench.stats.metric import METRICS
from voxbench.stats.permutation import pair_contrasts, sign_flip
from voxbench.stats.student import spread

RESAMPLES = 10_000
ARMS, TASKS, PATIENTS, SEEDS = 20, 10, 200, 5


def main() -> int:
    quick = "--quick" in sys.argv
    patient_counts(2, 1, 0, 2)  # compile
    seconds, cpu = timed(lambda: league(full_board(), 0.01))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(
        f"20 × 10 × 200 × 5, all pairs and ranks: {seconds:.2f} s (CPU {cpu:.2f}), {memory:.2f} GB"
    )
    values = np.random.default_rng(0).beta(8, 2, (2000, ARMS))
    share = 1 / 20 if quick else 1.0
    ratios = [bootstrap_ratio(values, share), permutation_ratio(values, share)]
    kept = seconds < 5 and memory < 2 and ratios[0] >= 200 and ratios[1] >= 1000
    print("all limits kept" if kept else "a limit is broken")
    return 0 if kept else 1


def full_board() -> Board:
    rng = np.random.default_rng(0)
    runs = tuple(Run(0, seed) for seed in range(SEEDS))
    arms = tuple(f"arm{i}" for i in range(ARMS))
    scores = tuple(
        TaskScores(f"task{i}", Sample(rng.beta(8, 2, (ARMS, PATIENTS, SEEDS)), (0,) * SEEDS), runs)
        for i in range(TASKS)
    )
    return Board(Scope("full", "100%"), METRICS["dice"], arms, scores, (), 0, 0)


def bootstrap_ratio(values: np.ndarray, share: float) -> float:
    """All pairs' intervals, scipy's percentiles pair by pair."""
    contrasts, pairs = pair_contrasts(ARMS)

    def ours() -> list[Interval]:
        patient_counts.cache_clear()
        sample = Sample(values.T[:, :, None], (0,))
        found = estimate([sample], RESAMPLES)
        known = spread((values @ contrasts).T[:, :, None], (0,))
        return infer(found.drawn[0] @ contrasts, found.points[0] @ contrasts, known).intervals()

    def theirs() -> list[float]:
        return [
            stats.bootstrap(
                (values[:, i] - values[:, j],), np.mean, n_resamples=RESAMPLES,
                method="percentile", rng=np.random.default_rng(1),
            ).confidence_interval.low
            for i, j in pairs[: round(share * len(pairs))]
        ]  # fmt: skip

    first = ours()[0]
    told = theirs()[:1] if share < 1 else None
    ratio = compare("bootstrap", ours, theirs, share)
    if told:
        print(f"  the first lower bound: {first.low:.5f} and scipy's {told[0]:.5f}")
    return ratio


def permutation_ratio(values: np.ndarray, share: float) -> float:
    """All pairs' sign-flip tests, scipy pair by pair."""
    contrasts, pairs = pair_contrasts(ARMS)

    def theirs() -> list[float]:
        return [
            stats.permutation_test(
                (values[:, i] - values[:, j],), np.mean, permutation_type="samples",
                vectorized=True, n_resamples=RESAMPLES, rng=np.random.default_rng(1),
            ).pvalue
            for i, j in pairs[: round(share * len(pairs))]
        ]  # fmt: skip

    return compare("sign-flip", lambda: sign_flip(values, contrasts, RESAMPLES), theirs, share)


def compare(
    name: str, ours: Callable[[], object], theirs: Callable[[], object], share: float
) -> float:
    """Best of three of ours against one of theirs, by wall clock; CPU time is shown beside it."""
    mine = min(timed(ours) for _ in range(3))
    other = timed(theirs)
    ratio = other[0] / share / mine[0]
    print(
        f"{name}, 190 pairs of 20 × 2,000: {mine[0]:.3f} s (CPU {mine[1]:.3f}), scipy "
        f"{other[0] / share:.1f} s (CPU {other[1] / share:.1f}): {ratio:.0f} times"
    )
    return ratio


def timed(call: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    sys.exit(main())
