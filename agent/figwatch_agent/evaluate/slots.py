"""One level of a ring in memory: a row of 32-bit words per boundary, exact beyond 32 bits as well.

A count keeps its low word in every row. The few columns whose counts ever leave 32 bits get a high word beside it from
then on; what they had counted before has a high word of zero.
"""

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Instant

Counts = NDArray[np.int64]

UNSET = -1
_WORD = 32


class Slots:
    """Cumulative counts [slot, column] at boundaries, of which every slot remembers its newest."""

    def __init__(self, slots: int, columns: int) -> None:
        self.boundaries: Counts = np.full(slots, UNSET, dtype=np.int64)
        self._low = np.zeros((slots, columns), dtype=np.uint32)
        self._wide: Counts = np.empty(0, dtype=np.int64)  # columns with high words, in the order of these
        self._high = np.zeros((slots, 0), dtype=np.int32)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return self.boundaries.nbytes + self._low.nbytes + self._wide.nbytes + self._high.nbytes

    def put(self, slot: int, boundary: Instant, values: Counts) -> None:
        """Replace what a slot holds."""
        self.boundaries[slot] = boundary
        self._widen(values)
        self._low[slot] = values  # wraps: the low word
        if len(self._wide):
            self._high[slot] = values[self._wide] >> _WORD

    def row(self, slot: int) -> Counts:
        """What all columns had counted at the boundary of a slot."""
        values: Counts = self._low[slot].astype(np.int64)
        if len(self._wide):
            values[self._wide] += self._high[slot].astype(np.int64) << _WORD
        return values

    def rows(self, slots: Counts, columns: slice) -> Counts:
        """[slot, column] of some columns."""
        values: Counts = self._low[slots, columns].astype(np.int64)
        if len(self._wide):
            places = np.full(self._low.shape[1], UNSET, dtype=np.int64)
            places[self._wide] = np.arange(len(self._wide))
            asked = places[columns]
            inside = np.flatnonzero(asked != UNSET)
            values[:, inside] += self._high[np.ix_(slots, asked[inside])].astype(np.int64) << _WORD
        return values

    def append(self, sources: Counts) -> None:
        """More columns at the end, each with the past of one that there is."""
        places = np.full(self._low.shape[1], UNSET, dtype=np.int64)
        places[self._wide] = np.arange(len(self._wide))
        copied = places[sources]
        inside = np.flatnonzero(copied != UNSET)
        self._wide = np.concatenate([self._wide, self._low.shape[1] + inside])
        self._high = np.concatenate([self._high, self._high[:, copied[inside]]], axis=1)
        self._low = np.concatenate([self._low, self._low[:, sources]], axis=1)

    def _widen(self, values: Counts) -> None:
        """Give high words to columns that need them from now on; one pass where none does."""
        if not int(np.bitwise_or.reduce(values)) >> _WORD:
            return
        new = np.setdiff1d(np.flatnonzero(values >> _WORD), self._wide)
        if len(new):
            self._wide = np.concatenate([self._wide, new])
            self._high = np.concatenate([self._high, np.zeros((len(self._high), len(new)), dtype=np.int32)], axis=1)
