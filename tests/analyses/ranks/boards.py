"""Boards with chosen scores."""

import numpy as np
from voxbench.analyses.groups import Run, Scope
from voxbench.analyses.ranks.board import Board, TaskScores
from voxbench.stats.bootstrap import Sample
from voxbench.stats.metric import METRICS


def board(*tasks, metric="dice"):
    """One array (arm, patient[, run]) a task; arms are called a, b, c, …"""
    arrays = [np.asarray(task, dtype=float) for task in tasks]
    arrays = [task[:, :, None] if task.ndim == 2 else task for task in arrays]
    runs = [tuple(Run(0, seed) for seed in range(task.shape[2])) for task in arrays]
    arms = tuple("abcdefgh"[: len(arrays[0])])
    names = tuple(f"task{i}" for i in range(len(arrays)))
    return Board(
        Scope("full", "100%"), METRICS[metric], arms,
        tuple(
            TaskScores(name, Sample(task, (0,) * task.shape[2]), own)
            for name, task, own in zip(names, arrays, runs, strict=True)
        ),
        tuple(
            (name, arm, run)
            for name, task, own in zip(names, arrays, runs, strict=True)
            for arm, scores in zip(arms, task, strict=True)
            for column, run in enumerate(own)
            if np.isnan(scores[:, column]).all()
        ),
        0, 0,
    )  # fmt: skip


def noisy(*means, patients=40, noise=0.02, seed=0):
    """Arms with these means on patients of one difficulty each."""
    rng = np.random.default_rng(seed)
    difficulty = rng.normal(0, 0.1, patients)
    return np.array([mean + difficulty + rng.normal(0, noise, patients) for mean in means])
