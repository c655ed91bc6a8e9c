"""How many ticks of a stretch pass before any tier could begin to burn: one look at all of them together.

First every tier is held, block by block of its ticks, against sums that can only be too favourable to an alert: the
most bad events that any tick of the block may see in a window, among the fewest events. What that leaves is looked at
tick by tick, by floats with a margin, and a tick at which a tier may burn is left to whoever decides exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Duration
from figwatch_agent.engine.catalog import Catalog, Watch
from figwatch_agent.engine.measuring import Rings
from figwatch_agent.engine.stretch import Stretch
from figwatch_agent.engine.stretched import Stretched
from figwatch_agent.evaluate.tables import Evidence

Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

BLOCK = 32
"""Ticks whose windows are bounded together."""

_MARGIN = 1 - 1e-9
_FEWEST_BAD = 2


@dataclass(frozen=True, slots=True, eq=False)
class _Tiers:
    """Watches of the same two windows, at most one of a stream."""

    long: Duration
    short: Duration
    watch: Integers
    stream: Integers
    ratio: NDArray[np.float64]


class Quiet:
    """Knows the tiers of all streams by their windows."""

    def __init__(self, catalog: Catalog, rings: Rings, evidence: Evidence) -> None:
        self._rings = rings
        self._evidence = evidence
        self._streams = len(catalog.streams)
        self._tiers = _by_windows([watch for watch in catalog.watches if watch.early is None])
        self._lengths = sorted({length for each in self._tiers for length in (each.long, each.short)})

    def ticks(self, stretch: Stretch, budget: Stretched, covered: Stretched, cut: Integers, standing: Flags) -> int:
        """So many ticks, from the first on, at which no tier can fire that does not stand already."""
        found = len(stretch.ticks)
        if not self._tiers:
            return found
        firsts = np.arange(0, found, BLOCK, dtype=np.int64)
        ends = np.append(firsts[1:], found)
        sums = self._sums(stretch, budget, firsts, ends - 1)
        by_then = budget.counted[ends][:, self._streams :]
        for tiers in self._tiers:
            (bad, total), (short_bad, short_total), stream = sums[tiers.long], sums[tiers.short], tiers.stream
            hot = bad[:, stream] > tiers.ratio * total[:, stream]
            hot &= short_bad[:, stream] > tiers.ratio * short_total[:, stream]
            hot &= stretch.known[stream] & ~standing[tiers.watch]
            blocks, rows = np.nonzero(hot)
            watch, stream = tiers.watch[rows], stream[rows]
            fresh = np.minimum(bad[blocks, stream], by_then[blocks, stream] - cut[watch])
            likely = (bad[blocks, stream] >= _FEWEST_BAD) & (short_bad[blocks, stream] > 0)
            likely[likely] = self._evidence.possible(
                watch[likely], fresh[likely], total[blocks[likely], stream[likely]]
            )
            for block in np.unique(blocks[likely]).tolist():
                first, end = int(firsts[block]), int(ends[block])
                if first >= found:
                    break
                near = rows[likely & (blocks == block)]
                hot_ticks = self._closely(tiers, near, stretch, (first, end), budget, covered, cut).any(axis=1)
                if hot_ticks.any():
                    found = min(found, first + int(np.argmax(hot_ticks)))
        return found

    def _sums(
        self, stretch: Stretch, budget: Stretched, firsts: Integers, lasts: Integers
    ) -> dict[Duration, tuple[Integers, Integers]]:
        """By length and [block, stream]: the most bad events that any tick sees in the window, and the fewest."""
        by_resolution: dict[Duration, list[Duration]] = {}
        for length in self._lengths:
            by_resolution.setdefault(budget.ring.level_of(length).resolution, []).append(length)
        first, last = stretch.ticks[firsts], stretch.ticks[lasts]
        bad_then, total_then = budget.counted[lasts + 1, self._streams :], budget.counted[firsts + 1, : self._streams]
        found: dict[Duration, tuple[Integers, Integers]] = {}
        for lengths in by_resolution.values():
            edges = [budget.edges(length, first)[0] for length in lengths]
            edges += [np.minimum(budget.edges(length, last)[1], first) for length in lengths]
            counted = budget.by(lengths[0], np.concatenate(edges)).reshape(2, len(lengths), len(first), -1)
            for place, length in enumerate(lengths):
                bad = bad_then - counted[0, place, :, self._streams :]
                total = total_then - counted[1, place, :, : self._streams]
                found[length] = bad, total
        return found

    def _closely(
        self,
        tiers: _Tiers,
        rows: Integers,
        stretch: Stretch,
        block: tuple[int, int],
        budget: Stretched,
        covered: Stretched,
        cut: Integers,
    ) -> Flags:
        """[tick, row]: whether a tier may burn at the ticks of a block."""
        stream, watch, ratio = tiers.stream[rows], tiers.watch[rows], tiers.ratio[rows]
        columns = np.concatenate([stream, self._streams + stream])
        ticks, then = stretch.ticks[slice(*block)], slice(block[0] + 1, block[1] + 1)
        now = budget.counted[then, columns]
        hot = np.ones((len(ticks), len(rows)), dtype=np.bool_)
        for length in (tiers.short, tiers.long):
            below, above = budget.edges(length, ticks)
            since, sure = (budget.by(length, each, columns) for each in (below, above))
            bad = now[:, len(rows) :] - since[:, len(rows) :]
            bad = np.minimum(bad, now[:, len(rows) :] - cut[watch])
            total = now[:, : len(rows)] - sure[:, : len(rows)]
            most = self._most_covered(length, ticks, then, covered, stream)
            events = total + _imputed(total, length, most)
            hot &= bad > ratio * events
        places = np.nonzero(hot)
        hot[places] = self._evidence.possible(watch[places[1]], bad[places], events[places].astype(np.int64))
        return hot

    def _most_covered(
        self, length: Duration, ticks: Integers, then: slice, covered: Stretched, stream: Integers
    ) -> Integers:
        """[tick, row]: covered time in the window, at most."""
        below, _ = covered.edges(length, ticks)
        most: Integers = (covered.counted[then] - covered.by(length, below))[:, self._rings.coverage.group[stream]]
        return most


def _imputed(total: Integers, length: Duration, most: Integers) -> NDArray[np.float64]:
    """Good events that uncovered time would have brought, at least."""
    missing = np.maximum(length - most, 0)
    imputed: NDArray[np.float64] = total * (missing / np.maximum(most, 1)) * _MARGIN - 1
    return np.maximum(imputed, 0)


def _by_windows(watches: Sequence[Watch]) -> list[_Tiers]:
    rows: list[tuple[tuple[Duration, Duration], dict[int, Watch]]] = []
    for watch in watches:
        windows, stream = (watch.long, watch.short), watch.stream.index
        place = next((each for key, each in rows if key == windows and stream not in each), None)
        if place is None:
            place = {}
            rows.append((windows, place))
        place[stream] = watch
    return [
        _Tiers(
            long,
            short,
            np.array([watch.index for watch in place.values()], dtype=np.int64),
            np.array(list(place), dtype=np.int64),
            np.array([float(watch.ratio) for watch in place.values()]) * _MARGIN,
        )
        for (long, short), place in rows
    ]
