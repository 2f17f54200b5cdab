"""Steps on the processor reuse the memory of those before, and cycles are looked for again."""

import gc
import resource

import pytest
import torch
from voxbench.memory import keep_freed_memory, no_collector


def test_what_a_step_frees_is_not_cleared_again_for_the_next():
    keep_freed_memory()
    for _ in range(20):  # what is free already is cleared once
        torch.zeros(1 << 20)  # 4 MiB
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        torch.zeros(1 << 20)
    pages = 20 * (1 << 22) // resource.getpagesize()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < pages / 4


@pytest.mark.parametrize("was_on", [True, False])
def test_cycles_are_looked_for_again_as_before_also_after_an_error(was_on):
    def fail() -> None:
        with no_collector():
            assert not gc.isenabled()
            raise ValueError("no")

    before = gc.isenabled()
    (gc.enable if was_on else gc.disable)()
    try:
        with pytest.raises(ValueError, match="no"):
            fail()
        assert gc.isenabled() == was_on
    finally:
        (gc.enable if before else gc.disable)()
