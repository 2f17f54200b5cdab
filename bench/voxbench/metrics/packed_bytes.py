"""Eight voxels in a 64-bit word, compared at once."""

from typing import Any

import numpy as np

from voxbench.compiled import compiled, trailing_zeros

BYTE = np.uint64(0xFF)
EIGHT_ONES = np.uint64(0x0101010101010101)
_LOW7 = np.uint64(0x7F7F7F7F7F7F7F7F)
_GATHER = np.uint64(0x0102040810204080)
_SEVEN, _EIGHT, _TOP = np.uint64(7), np.uint64(8), np.uint64(56)


@compiled
def equal_bytes(eight: Any, value: Any) -> Any:
    """Which of the eight bytes equal `value`, as eight bits."""
    rest = eight ^ (value * EIGHT_ONES)
    zero_bytes = ~(((rest & _LOW7) + _LOW7) | rest | _LOW7)  # 0x80 in each
    return ((zero_bytes >> _SEVEN) * _GATHER) >> _TOP


@compiled
def first_byte(eight: Any, chosen: Any) -> Any:
    """The first of the eight bytes that the eight bits `chosen` name."""
    return (eight >> (_EIGHT * np.uint64(trailing_zeros(chosen)))) & BYTE
