"""How many ticks of a stretch pass before any tier could begin to burn: one look at all of them together.

First every tier is held against sums that can only be too favourable to an alert: the most bad events that any tick of
the stretch may see in a window, among the fewest events. What that leaves is looked at tick by tick, by floats with a
margin, and a tick at which a tier may burn is left to whoever decides exactly.
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
        sums = self._sums(stretch, budget)
        by_now = budget.counted[-1, self._streams :]
        for tiers in self._tiers:
            (bad, total), (short_bad, short_total) = sums[tiers.long], sums[tiers.short]
            stream = tiers.stream
            hot = (bad[stream] > tiers.ratio * total[stream]) & (short_bad[stream] > tiers.ratio * short_total[stream])
            hot &= (bad[stream] >= _FEWEST_BAD) & (short_bad[stream] > 0) & stretch.known[stream]
            rows = np.flatnonzero(hot)
            rows = rows[~standing[tiers.watch[rows]]]
            if not len(rows):
                continue
            watch, stream = tiers.watch[rows], tiers.stream[rows]
            fresh = np.minimum(bad[stream], by_now[stream] - cut[watch])
            rows = rows[self._evidence.possible(watch, fresh, total[stream])]
            if len(rows):
                hot_ticks = self._closely(tiers, rows, stretch, budget, covered, cut).any(axis=1)
                found = min([found, *np.flatnonzero(hot_ticks)[:1].tolist()])
        return found

    def _sums(self, stretch: Stretch, budget: Stretched) -> dict[Duration, tuple[Integers, Integers]]:
        """By length: the most bad events that any tick sees in the window, and the fewest events."""
        by_resolution: dict[Duration, list[Duration]] = {}
        for length in self._lengths:
            by_resolution.setdefault(budget.ring.level_of(length).resolution, []).append(length)
        first, last = stretch.ticks[:1], stretch.ticks[-1:]
        found: dict[Duration, tuple[Integers, Integers]] = {}
        for lengths in by_resolution.values():
            edges = [budget.edges(length, first)[0] for length in lengths]
            edges += [np.minimum(budget.edges(length, last)[1], first) for length in lengths]
            counted = budget.by(lengths[0], np.concatenate(edges))
            for place, length in enumerate(lengths):
                bad = budget.counted[-1, self._streams :] - counted[place, self._streams :]
                total = budget.counted[1, : self._streams] - counted[len(lengths) + place, : self._streams]
                found[length] = bad, total
        return found

    def _closely(
        self,
        tiers: _Tiers,
        rows: Integers,
        stretch: Stretch,
        budget: Stretched,
        covered: Stretched,
        cut: Integers,
    ) -> Flags:
        """[tick, row]: whether a tier may burn."""
        stream, watch, ratio = tiers.stream[rows], tiers.watch[rows], tiers.ratio[rows]
        columns = np.concatenate([stream, self._streams + stream])
        now = budget.counted[1:][:, columns]
        hot = np.ones((len(stretch.ticks), len(rows)), dtype=np.bool_)
        for length in (tiers.short, tiers.long):
            below, above = budget.edges(length, stretch.ticks)
            since, sure = (budget.by(length, each, columns) for each in (below, above))
            bad = now[:, len(rows) :] - since[:, len(rows) :]
            bad = np.minimum(bad, now[:, len(rows) :] - cut[watch])
            total = now[:, : len(rows)] - sure[:, : len(rows)]
            events = total + self._imputed(total, length, stretch, covered, stream)
            hot &= bad > ratio * events
        places = np.nonzero(hot)
        hot[places] = self._evidence.possible(watch[places[1]], bad[places], events[places].astype(np.int64))
        return hot

    def _imputed(
        self, total: Integers, length: Duration, stretch: Stretch, covered: Stretched, stream: Integers
    ) -> NDArray[np.float64]:
        """Good events that uncovered time would have brought, at least."""
        group = self._rings.coverage.group[stream]
        below, _ = covered.edges(length, stretch.ticks)
        most = (covered.counted[1:] - covered.by(length, below))[:, group]
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
