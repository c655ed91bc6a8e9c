"""Rings from what a store kept of them, many rows at once."""

from collections.abc import Callable
from itertools import compress, zip_longest
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.engine.forms import Columns, CoverageState, RingState
from figwatch_agent.engine.measuring import COVERED
from figwatch_agent.engine.packing import unpack_alike, unpack_row
from figwatch_agent.engine.saving import Parts
from figwatch_agent.engine.sections import ABSENT, moved, places, section
from figwatch_agent.evaluate.ring import Ring, Row, at_home
from figwatch_agent.evaluate.slots import Block
from figwatch_agent.model.outcome import RingRow

Word = TypeVar("Word", np.int64, np.uint32)
Integers = NDArray[np.int64]

_STANDING = ("boundary", "slot")
Source = Callable[[str], Integers | None]
"""By a section of saved keys: where each column's counts stand among them, ABSENT for nowhere; None: all at home."""


def recall_rings(parts: Parts, rows: tuple[RingRow, ...]) -> None:
    """All rings, and covered time."""
    by_ring: dict[str, list[RingRow]] = {}
    for row in rows:
        by_ring.setdefault(row.ring, []).append(row)
    _recall_coverage(parts, by_ring.get(COVERED, []))
    for name in parts.rings.rings:
        _recall_ring(parts, name, by_ring.get(name, []))


def _recall_ring(parts: Parts, name: str, rows: list[RingRow]) -> None:
    state = section(parts, f"ring/{name}", RingState)
    if state is None:
        return
    ring, columns = parts.rings.rings[name], parts.columns(name)
    width, known = len(columns[1]), dict[str, Integers | None]()

    def source(saved: str) -> Integers | None:
        if saved == columns[0]:
            return None
        if saved not in known:
            at, nowhere = places(parts, saved, columns), np.full(width, ABSENT, dtype=np.int64)
            known[saved] = moved(np.arange(int(at[0].max(initial=0)) + 1), at, nowhere)
        return known[saved]

    at = places(parts, state.columns, columns)
    born = np.full(width, (state.at or 0) + 1, dtype=np.int64)  # a column that the last tick did not know is new
    parts.born[name] = born = moved(state.born, at, born)
    nothing = np.zeros(width, dtype=np.int64)
    home = _Home(ring, state)
    if home.strange:
        parts.strange.append(name)
    single, blocks = _rows(rows, home, source, born)
    current, origin = moved(state.current, at, nothing), moved(state.origin, at, nothing)
    # A ring that had no column at first wrote nothing until it had one.
    began = None if state.first_tick is None else max(state.first_tick, int(born.min(initial=0)))
    ring.restore(state.at, current, origin, single, blocks, began)
    parts.rings.first_tick = state.first_tick


def _recall_coverage(parts: Parts, rows: list[RingRow]) -> None:
    state, ring = section(parts, "coverage", CoverageState), section(parts, f"ring/{COVERED}", RingState)
    if state is None or ring is None:
        return
    coverage = parts.rings.coverage
    at = places(parts, state.streams, parts.everybody("stream"))
    group = moved(state.group, at, np.full(len(coverage.group), -1, dtype=np.int64))
    coverage.restore(group, state.ids, dict(state.parents), state.next_id)
    known: dict[str, Integers] = {}

    def source(saved: str) -> Integers:
        """Of every column, or of the nearest one that it was split from."""
        if saved not in known:
            columns = section(parts, saved, Columns)
            there = {int(key): place for place, key in enumerate(columns.keys)} if columns is not None else {}
            near = [
                next((there[each] for each in coverage.ancestry(column) if each in there), ABSENT)
                for column in range(len(coverage.ids))
            ]
            known[saved] = np.array(near, dtype=np.int64)
        return known[saved]

    home = _Home(coverage.ring, ring)
    if home.strange:
        parts.strange.append(COVERED)
    single, blocks = _rows(rows, home, source, np.zeros(len(coverage.ids), dtype=np.int64))
    current, origin = (_placed(values, source(ring.columns)) for values in (ring.current, ring.origin))
    coverage.ring.restore(ring.at, current, origin, single, blocks, ring.first_tick)


class _Home:
    """Tells the rows that the ring of a saved state kept from those that earlier layouts left behind.

    These say nothing any more: events that were told late are not in them.
    """

    def __init__(self, ring: Ring, state: RingState) -> None:
        own = [(level.resolution, level.slots) for level in ring.layout]
        self._saved = list(zip_longest(state.resolutions, state.slots))  # without slots in an earlier version's state
        self._alike = state.resolutions == tuple(resolution for resolution, _ in own)
        self.strange = self._saved != own

    def of(self, level: int, rows: list[RingRow]) -> tuple[list[RingRow], list[RingRow]]:
        """What counts of the rows of one level: (those of a level that this ring has, those of another)."""
        if level >= len(self._saved):
            return [], []
        boundaries, slots = (np.array([getattr(row, name) for row in rows], dtype=np.int64) for name in _STANDING)
        resolution, count = self._saved[level]
        home = at_home(resolution, count, boundaries, slots)
        kept = rows if home.all() else list(compress(rows, home.tolist()))
        return (kept, []) if self._alike else ([], kept)


def _rows(rows: list[RingRow], home: _Home, source: Source, born: Integers) -> tuple[list[Row], tuple[Block, ...]]:
    """Rows with a count beyond 32 bits, and what another layout left, one by one; all others in blocks.

    Nothing is taken of a column from before its birth.
    """
    by_level: dict[int, list[RingRow]] = {}
    for row in rows:
        by_level.setdefault(row.level, []).append(row)
    single: list[Row] = []
    left: list[RingRow] = []
    blocks: list[Block] = []
    late = np.flatnonzero(born)
    for level, found in by_level.items():
        many, others_left = home.of(level, found)
        left += others_left
        if not many:
            continue
        groups, others = unpack_alike([row.data for row in many], many[0].ring)
        for columns, alike, words in groups:
            boundaries = np.array([many[place].boundary for place in alike], dtype=np.int64)
            words = _placed(words, source(columns))
            if len(late):
                words = words.copy()
                words[:, late] *= boundaries[:, None] >= born[late]
            blocks.append(Block(level, boundaries, words))
        single += [_row(many[place], source, born) for place in others]
    return [*single, *(_row(row, source, born) for row in left)], tuple(blocks)


def _row(row: RingRow, source: Source, born: Integers) -> Row:
    packed = unpack_row(row.data, row.ring)
    values = _placed(packed.values(), source(packed.columns))
    return Row(row.level, row.slot, row.boundary, np.where(born <= row.boundary, values, 0))


def _placed(values: NDArray[Word], source: Integers | None) -> NDArray[Word]:
    """Counts of columns where they stand now; zero for those that were nowhere."""
    if source is None:
        return values
    nowhere = np.zeros((*values.shape[:-1], 1), dtype=values.dtype)
    found: NDArray[Word] = np.concatenate([values, nowhere], axis=-1)[..., source]
    return found
