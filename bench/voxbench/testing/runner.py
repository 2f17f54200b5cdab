"""Run a suite without pytest."""

from collections.abc import Iterator
from typing import Literal, NamedTuple
from unittest import SkipTest

from voxbench.errors import VoxbenchError


class Skip(SkipTest):
    """A check does not apply here; the message says why. Pytest skips too."""


class CheckResult(NamedTuple):
    """What a check found."""

    check: str
    state: Literal["passed", "failed", "skipped"]
    message: str = ""


def run_checks(suite: object) -> Iterator[CheckResult]:
    """Run every `test_…` method of a suite, in the order they are written."""
    names = [name for kind in type(suite).__mro__[::-1] for name in vars(kind)]
    for name in dict.fromkeys(name for name in names if name.startswith("test_")):
        check = name.removeprefix("test_").replace("_", " ")
        try:
            getattr(suite, name)()
        except Skip as reason:
            yield CheckResult(check, "skipped", str(reason))
        except (AssertionError, VoxbenchError) as error:
            yield CheckResult(check, "failed", str(error))
        except Exception as error:  # noqa: BLE001 (a stranger's plugin may raise anything)
            yield CheckResult(check, "failed", f"{type(error).__name__}: {error}")
        else:
            yield CheckResult(check, "passed")
