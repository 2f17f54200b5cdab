"""Mirrored copies of windows at test time."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from torch import Tensor

from voxbench.predict.window import Forward


def flips(axes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Every choice of these axes, from none to all."""
    return (chosen for count in range(len(axes) + 1) for chosen in combinations(axes, count))


def flipped(forward: Forward, axes: Sequence[int]) -> Forward:
    """Scores of mirrored windows, mirrored back in place: a second batch of them costs memory.

    Args:
        forward: of windows.
        axes: of the volume, 0 to 2.
    """

    def run(windows: Tensor) -> Tensor:
        scores = forward(windows.flip([2 + axis for axis in axes]))
        for window in scores:
            window.copy_(window.flip([1 + axis for axis in axes]))
        return scores

    return run if axes else forward


def mean_over_flips(forward: Forward, axes: Sequence[int]) -> Forward:
    """Scores averaged over all mirrored copies (Isensee et al., Nature Methods 2021).

    Args:
        forward: of windows.
        axes: those along which no class becomes another, see `data.mirroring`.
    """
    each = [flipped(forward, chosen) for chosen in flips(axes)]

    def mean(windows: Tensor) -> Tensor:
        total = each[0](windows)
        for one in each[1:]:
            total = total + one(windows)
        return total / len(each)

    return mean if axes else forward
