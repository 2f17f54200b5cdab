"""Conformance suites for plugins: subclass them in your tests, or run `voxbench check`."""

from bench.testing.baseline_checks import BaselineChecks
from bench.testing.runner import Result, Skip, run_checks
from bench.testing.task_checks import TaskChecks

__all__ = ["BaselineChecks", "Result", "Skip", "TaskChecks", "run_checks"]
