"""Steps on the processor reuse the memory of those before."""

import resource

import torch
from voxbench.memory import keep_freed_memory


def test_what_a_step_frees_is_not_cleared_again_for_the_next():
    keep_freed_memory()
    torch.zeros(1 << 20)  # 4 MiB
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        torch.zeros(1 << 20)
    pages = 20 * (1 << 22) // resource.getpagesize()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < pages / 4
