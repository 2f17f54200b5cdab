"""Measures and one score a case: members one by one against all members in memory, in one run.

    python tests/benchmarks/uncertainty.py [SIDE] [MEMBERS] [CLASSES]

The other way keeps all members, goes class by class and leaves out the NaN of 0 · log 0, and sums
patches by convolution, as ValUES does. Either runs in a process of its own; memory is what it peaks
at above its imports, the member at hand included; seconds are the processor's, since machines are
shared. AURC is timed on a million cases.
"""

import multiprocessing
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal
from voxbench.uncertainty.aggregation import image_sum, patch_maximum
from voxbench.uncertainty.failure import detect_failures
from voxbench.uncertainty.measures import Members

PAGE = resource.getpagesize()


def softmax(side: int, members: int, classes: int) -> Iterator[NDArray[np.float32]]:
    """Members of random probabilities, most of them near 0 or 1, each made when it is asked for."""
    for member in range(members):
        rng = np.random.default_rng(member)
        made = rng.standard_exponential((classes, side, side, side), np.float32)
        for _ in range(2):
            made *= made
        made /= made.sum(axis=0)
        yield made
        del made


def streamed(sizes: tuple[int, int, int]) -> tuple[list[float], float]:
    side, _, classes = sizes
    warm = Members(2, (2,))
    warm.add(np.full((2, 2), 0.5, np.float32))
    warm.measures()  # its loops are compiled once a machine
    members, seconds = Members(classes, (side,) * 3), 0.0
    for member in softmax(*sizes):
        start = time.process_time()
        members.add(member)
        seconds += time.process_time() - start
        del member
    start = time.process_time()
    scores = [
        score for u in members.measures()[:3] for score in (image_sum(u), patch_maximum(u).sum)
    ]
    return scores, seconds + time.process_time() - start


def entropy(p: NDArray[np.float32]) -> NDArray[np.float32]:
    found = np.zeros(p.shape[1:], np.float32)
    for own in p:
        with np.errstate(all="ignore"):
            term = own * np.log(own)
        known = ~np.isnan(term)
        found[known] -= term[known]
    return found


def in_memory(sizes: tuple[int, int, int]) -> tuple[list[float], float]:
    stack = np.empty((sizes[1], sizes[2], *(sizes[0],) * 3), np.float32)
    for place, member in zip(stack, softmax(*sizes), strict=True):
        place[...] = member
    start = time.process_time()
    predictive = entropy(stack.mean(axis=0))
    expected = np.stack([entropy(member) for member in stack]).mean(axis=0)
    scores = []
    for u in (predictive, expected, predictive - expected):
        patches = signal.convolve(u, np.ones((10,) * 3, np.float32), mode="valid")
        scores += [float(u.sum(dtype=np.float64)), float(patches.max())]
    return scores, time.process_time() - start


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def measured(way: Callable[..., tuple[list[float], float]], sizes, out) -> None:
    before, peak, done = resident(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.002):
            peak[0] = max(peak[0], resident())

    watching = threading.Thread(target=watch)
    watching.start()
    scores, seconds = way(sizes)
    done.set()
    watching.join()
    out.put((scores, seconds, peak[0] - before))


def main() -> None:
    asked = [int(word) for word in sys.argv[1:]]
    side, members, classes = (*asked, *(128, 10, 25)[len(asked) :])
    context, found = multiprocessing.get_context("spawn"), []
    for way in (streamed, in_memory):
        out = context.Queue()
        process = context.Process(target=measured, args=(way, (side, members, classes), out))
        process.start()
        found.append(out.get())
        process.join()
        print(f"{way.__name__}: {found[-1][1]:.2f} s, {found[-1][2] / 1e9:.2f} GB", flush=True)
    (ours, fast, small), (theirs, slow, large) = found
    worst = max(abs(a - b) / abs(b) for a, b in zip(ours, theirs, strict=True))
    print(
        f"{members} members, {classes} classes, {side}³: {slow / fast:.1f} times faster, "
        f"{large / small:.1f} times less memory; scores differ by {worst:.1e} at most"
    )
    rng = np.random.default_rng(0)
    risk, confidence = rng.random(10**6), rng.integers(0, 10**5, 10**6)
    start = time.process_time()
    detect_failures(risk, confidence)
    print(f"AURC, E-AURC and AUGRC of a million cases: {time.process_time() - start:.2f} s")


if __name__ == "__main__":
    main()
