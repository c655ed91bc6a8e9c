"""One level of a ring in memory: a row of 32-bit words per boundary, exact beyond 32 bits as well.

A count keeps its low word in every row. The few columns whose counts ever leave 32 bits get a high word beside it from
then on; what they had counted before has a high word of zero.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Duration, Instant

Counts: TypeAlias = NDArray[np.int64]
Columns: TypeAlias = slice | Counts

UNSET = -1
_WORD = 32
_ALL = slice(None)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Boundaries of a level at which no column had left 32 bits."""

    level: int
    boundaries: Counts
    words: NDArray[np.uint32]  # [boundary, column]


class Slots:
    """Cumulative counts [slot, column] at boundaries, of which every slot remembers its newest."""

    def __init__(self, slots: int, columns: int) -> None:
        self.boundaries: Counts = np.full(slots, UNSET, dtype=np.int64)
        self.wide: Counts = np.empty(0, dtype=np.int64)  # columns with high words, in the order of these
        self._low = np.zeros((slots, columns), dtype=np.uint32)
        self._high = np.zeros((slots, 0), dtype=np.int32)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return self.boundaries.nbytes + self._low.nbytes + self.wide.nbytes + self._high.nbytes

    def put(self, slot: int, boundary: Instant, values: Counts) -> None:
        """Replace what a slot holds. Columns that need a high word must have one: see ``widen``."""
        self.boundaries[slot] = boundary
        self._low[slot] = values  # wraps: the low word
        if len(self.wide):
            self._high[slot] = values[self.wide] >> _WORD

    def fill(self, slot: int, count: int, boundary: Instant, resolution: Duration, values: Counts) -> None:
        """The same for some slots in a row, round the end: boundaries ``resolution`` apart at which nothing differs."""
        while count > 0:
            here = min(count, len(self.boundaries) - slot)
            self.boundaries[slot : slot + here] = np.arange(boundary, boundary + here * resolution, resolution)
            self._low[slot : slot + here] = values.astype(np.uint32)
            if len(self.wide):
                self._high[slot : slot + here] = values[self.wide] >> _WORD
            count, boundary, slot = count - here, boundary + here * resolution, 0

    def load(self, block: Block, resolution: Duration) -> None:
        """Fill slots that hold nothing yet; where two boundaries have one slot, the newer stays."""
        order = np.argsort(block.boundaries)[::-1]
        slots, newest = np.unique(block.boundaries[order] // resolution % len(self.boundaries), return_index=True)
        self.boundaries[slots] = block.boundaries[order[newest]]
        self._low[slots] = block.words[order[newest]]

    def put_many(self, slot: int, boundaries: Counts, rows: Counts, which: Counts) -> None:
        """The same for slots in a row from ``slot`` on, round the end; ``which`` of ``rows`` each of them holds."""
        low = rows.astype(np.uint32)
        done = 0
        while done < len(boundaries):
            here = min(len(boundaries) - done, len(self.boundaries) - slot)
            chosen = which[done : done + here]
            self.boundaries[slot : slot + here] = boundaries[done : done + here]
            np.take(low, chosen, axis=0, out=self._low[slot : slot + here], mode="clip")
            if len(self.wide):
                self._high[slot : slot + here] = rows[chosen][:, self.wide] >> _WORD
            done, slot = done + here, 0

    def row(self, slot: int, columns: Columns = _ALL) -> Counts:
        """What some columns had counted at the boundary of a slot."""
        values: Counts = self._low[slot][columns].astype(np.int64)
        if len(self.wide):
            inside, high = self._highs(columns)
            values[inside] += self._high[slot, high].astype(np.int64) << _WORD
        return values

    def low(self, slot: int) -> NDArray[np.uint32]:
        """The low words of a slot, not a copy: differences of them are exact below 2**32."""
        words: NDArray[np.uint32] = self._low[slot]
        return words

    def rows(self, slots: Counts, columns: Columns) -> Counts:
        """[slot, column] of some columns."""
        chosen = self._low[slots, columns] if isinstance(columns, slice) else self._low[np.ix_(slots, columns)]
        values: Counts = chosen.astype(np.int64)
        if len(self.wide):
            inside, high = self._highs(columns)
            values[:, inside] += self._high[np.ix_(slots, high)].astype(np.int64) << _WORD
        return values

    def append(self, sources: Counts) -> None:
        """More columns at the end, each with the past of one that there is."""
        inside, high = self._highs(sources)
        self.wide = np.concatenate([self.wide, self._low.shape[1] + inside])
        self._high = np.concatenate([self._high, self._high[:, high]], axis=1)
        self._low = np.concatenate([self._low, self._low[:, sources]], axis=1)

    def widen(self, values: Counts) -> None:
        """Give high words to the columns whose values leave 32 bits."""
        beyond = (values >> _WORD) != 0
        beyond[self.wide] = False
        new = np.flatnonzero(beyond)
        if len(new):
            self.wide = np.concatenate([self.wide, new])
            self._high = np.concatenate([self._high, np.zeros((len(self._high), len(new)), dtype=np.int32)], axis=1)

    def _highs(self, columns: Columns) -> tuple[Counts, Counts]:
        """(positions among these columns, places of their high words) of those that have one."""
        places = np.full(self._low.shape[1], UNSET, dtype=np.int64)
        places[self.wide] = np.arange(len(self.wide))
        asked = places[columns]
        inside = np.flatnonzero(asked != UNSET)
        return inside, asked[inside]


def leaves_a_word(values: Counts) -> bool:
    """Whether any value needs more than 32 bits; one pass."""
    return bool(int(np.bitwise_or.reduce(values)) >> _WORD)
