"""Many decimal numbers in a text at once: digits are weighed column by column, with the same result as float()."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]
Floats = NDArray[np.float64]

_MOST_DIGITS: Final = 15
"""So many make an integer that a double holds, and one division by a power of ten then rounds as float() does."""
_ZERO, _POINT = ord("0"), ord(".")


class NoNumber(ValueError):
    """One of them is none."""

    def __init__(self, index: int) -> None:
        super().__init__(f"number {index} is none")
        self.index = index


def numbers_at(text: bytes, starts: Places, ends: Places) -> Floats:
    """The numbers that stand from ``starts`` to before ``ends``. Raises NoNumber for the first that is none.

    1_000, which Python reads as a thousand, is none.
    """
    characters = np.frombuffer(text, dtype=np.uint8)
    numbers: Floats = np.empty(len(starts), dtype=np.float64)
    odd = np.ones(len(starts), dtype=np.bool_)
    lengths = ends - starts
    for length in np.flatnonzero(np.bincount(lengths)).tolist() if len(lengths) else ():
        if 0 < length <= _MOST_DIGITS + 1:
            rows = np.flatnonzero(lengths == length)
            found, good = _weighed(characters[starts[rows, None] + np.arange(length)])
            numbers[rows] = found
            odd[rows] = ~good
    for index in np.flatnonzero(odd).tolist():
        numbers[index] = _number(text[starts[index] : ends[index]], index)
    return numbers


def numbers_of(texts: list[bytes]) -> Floats:
    """The numbers of a list of texts. Raises NoNumber."""
    ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
    return numbers_at(b"".join(texts), np.concatenate([[0], ends[:-1]]).astype(np.int64), ends)


def _weighed(characters: NDArray[np.uint8]) -> tuple[Floats, NDArray[np.bool_]]:
    """(numbers, which are right) of texts of one length: digits, and a point where the first of them has it."""
    length = characters.shape[1]
    digits = characters - np.uint8(_ZERO)  # what is no digit wraps around to above 9
    point = np.flatnonzero(characters[0] == _POINT)
    if not len(point):
        if length > _MOST_DIGITS:
            return np.zeros(len(digits)), np.zeros(len(digits), dtype=np.bool_)
        return digits.astype(np.float64) @ _weights(length), np.logical_and.reduce(digits <= 9, axis=1)
    place = int(point[0])
    good = characters[:, place] == _POINT
    digits = np.delete(digits, place, axis=1)
    good &= np.logical_and.reduce(digits <= 9, axis=1) & (length > 1)
    return (digits.astype(np.float64) @ _weights(length - 1)) / 10.0 ** (length - 1 - place), good


def _weights(length: int) -> Floats:
    return np.array([10.0**power for power in range(length - 1, -1, -1)], dtype=np.float64)


def _number(text: bytes, index: int) -> float:
    try:
        if b"_" not in text and text == text.strip():
            return float(text)
    except ValueError:
        pass
    raise NoNumber(index)
