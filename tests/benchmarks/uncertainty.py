"""Measures and one score a case: blocks of members as they come against all members in memory.

    python tests/benchmarks/uncertainty.py [SIDE] [MEMBERS] [CLASSES] [WAY ...]

`values` does what ValUES does (IML-DKFZ/values at 83c9588, `calculate_uncertainty` and
`aggregate_uncertainties`) with numpy and scipy: all members are kept in 64 bits, it goes class by
class and leaves out the NaN of 0 · log 0, and sums patches by convolution; what it writes to files
and reads again is left out. `single` is the same in 32 bits. Each runs in a process of its own;
memory is what it peaks at above its imports, the block at hand included; seconds are the
processor's, since machines are shared. AURC is timed on a million cases.
"""

import multiprocessing
import resource
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal
from voxbench.uncertainty.aggregation import image_sum, patch_maximum, threshold_mean
from voxbench.uncertainty.failure import detect_failures
from voxbench.uncertainty.measures import Members

PAGE = resource.getpagesize()
AT_ONCE = 2**21  # probabilities of a block, as in voxbench.predict.native
THRESHOLD = 0.3
Block = NDArray[np.float32]


def blocks(side: int, members: int, classes: int) -> Iterator[tuple[int, slice, Block]]:
    """Member, planes and probabilities, most of them near 0 or 1, made when they are asked for.

    As many planes at a time as prediction interpolates.
    """
    planes = max(1, AT_ONCE // (classes * side**2))
    for member in range(members):
        rng = np.random.default_rng(member)
        for first in range(0, side, planes):
            box = slice(first, min(first + planes, side))
            made = rng.standard_exponential((classes, box.stop - first, side, side), np.float32)
            for _ in range(2):
                made *= made
            made /= made.sum(axis=0)
            yield member, box, made
            del made


def streamed(side: int, members: int, classes: int) -> tuple[list[float], float]:
    warm = Members(2, (2,))
    warm.add(np.full((2, 2), 0.5, np.float32))
    patch_maximum(warm.measures()[0])  # its loops are compiled once a machine
    kept, seconds, whole = Members(classes, (side,) * 3), 0.0, slice(0, side)
    for _, box, made in blocks(side, members, classes):
        start = time.thread_time()
        kept.add_part(made, (box, whole, whole))
        seconds += time.thread_time() - start
        del made
    start = time.thread_time()
    scores = [
        score
        for u in kept.measures()[:3]
        for score in (image_sum(u), patch_maximum(u).sum, threshold_mean(u, THRESHOLD))
    ]
    return scores, seconds + time.thread_time() - start


def entropy(p: NDArray[Any]) -> NDArray[np.float32]:
    found = np.zeros(p.shape[1:], np.float32)
    for own in p:
        with np.errstate(all="ignore"):
            term = own * np.log(own)
        known = ~np.isnan(term)
        found[known] -= term[known]
    return found


def in_memory(kind: type[np.floating], sizes: tuple[int, int, int]) -> tuple[list[float], float]:
    side, members, classes = sizes
    stack = np.zeros((members, classes, side, side, side), kind)
    for member, box, made in blocks(*sizes):
        stack[member, :, box] = made
    start = time.thread_time()
    predictive = entropy(stack.mean(axis=0))
    expected = np.stack([entropy(member) for member in stack]).mean(axis=0)
    scores = []
    for u in (predictive, expected, predictive - expected):
        patches = signal.convolve(u, np.ones((10,) * 3, kind), mode="valid")
        np.where(np.isclose(patches, patches.max()))  # where it is
        above = u[u >= THRESHOLD].sum() / (u >= THRESHOLD).sum()
        scores += [float(u.sum()), float(patches.max()), float(above)]
    return scores, time.thread_time() - start


def single(*sizes: int) -> tuple[list[float], float]:
    return in_memory(np.float32, sizes)


def values(*sizes: int) -> tuple[list[float], float]:
    return in_memory(np.float64, sizes)


WAYS = {way.__name__: way for way in (streamed, single, values)}


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def measured(way: str, sizes: tuple[int, int, int], out: multiprocessing.Queue) -> None:
    before, peak, done = resident(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.002):
            peak[0] = max(peak[0], resident())

    watching = threading.Thread(target=watch)
    watching.start()
    scores, seconds = WAYS[way](*sizes)
    done.set()
    watching.join()
    out.put((scores, seconds, peak[0] - before))


def main() -> None:
    asked = [int(word) for word in sys.argv[1:4]]
    side, members, classes = (*asked, *(128, 10, 25)[len(asked) :])
    print(f"{members} members, {classes} classes, {side}³:")
    context, found = multiprocessing.get_context("spawn"), {}
    for way in sys.argv[4:] or WAYS:
        out = context.Queue()
        process = context.Process(target=measured, args=(way, (side, members, classes), out))
        process.start()
        scores, seconds, memory = found[way] = out.get()
        process.join()
        print(f"{way}: {seconds:.2f} s, {memory / 1e9:.2f} GB", flush=True)
        ours, fast, small = found["streamed"]
        worst = max(abs(a - b) / abs(b) for a, b in zip(ours, scores, strict=True))
        if way != "streamed":
            print(
                f"  {seconds / fast:.1f} times the time and {memory / small:.1f} times the memory; "
                f"scores differ by {worst:.1e} at most"
            )
    rng = np.random.default_rng(0)
    risk, confidence = rng.random(10**6), rng.integers(0, 10**5, 10**6)
    start = time.thread_time()
    detect_failures(risk, confidence)
    print(f"AURC, E-AURC and AUGRC of a million cases: {time.thread_time() - start:.2f} s")


if __name__ == "__main__":
    main()
