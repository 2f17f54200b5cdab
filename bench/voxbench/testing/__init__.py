"""Conformance suites for plugins: subclass them in your tests, or run `voxbench check`."""

from voxbench.testing.baseline_checks import BaselineChecks
from voxbench.testing.runner import CheckResult, Skip, run_checks
from voxbench.testing.task_checks import TaskChecks

__all__ = ["BaselineChecks", "CheckResult", "Skip", "TaskChecks", "run_checks"]
