"""Ticks of a history at which nothing happens, lived through many at a time.

A stretch of ticks is quiet where no tier and no early lane could fire, no alert could end, and nothing else is going on
that looks at single ticks: no rollback is weighed by counts, nothing is set aside, every stream that was ever measured
goes on being so. Then all that a tick does is to count, and to put the end of an open incident's impact off; many are
counted at once.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Instant
from figwatch_agent.engine.catalog import Catalog
from figwatch_agent.engine.counting import Counter
from figwatch_agent.engine.desk import Desk
from figwatch_agent.engine.excluding import Excluding
from figwatch_agent.engine.guarding import Guard
from figwatch_agent.engine.impact import put_off
from figwatch_agent.engine.lagging import Lag
from figwatch_agent.engine.ledger import INTERVAL
from figwatch_agent.engine.measuring import Rings
from figwatch_agent.engine.past import PastCounts
from figwatch_agent.engine.quiet import Quiet
from figwatch_agent.engine.rising import MOST_EVENTS, Rising
from figwatch_agent.engine.signals import Signals
from figwatch_agent.engine.stretch import PastReader, Stretch
from figwatch_agent.engine.stretched import Bulk, Stretched
from figwatch_agent.engine.tab import Tab
from figwatch_agent.engine.unknown import Unknown
from figwatch_agent.engine.uptimes import Uptimes
from figwatch_agent.engine.watching import Watches
from figwatch_agent.model.batch import SAMPLE, Reading
from figwatch_agent.model.incident import Incident

Counts = NDArray[np.int64]

LONGEST = 128
SHORTEST = 16
"""Ticks of a stretch. Longer ones cost less each, but more of what was looked at for nothing where one ends early."""


class Skipping:
    """Skips what is quiet in one history after the other."""

    def __init__(
        self,
        catalog: Catalog,
        rings: Rings,
        watches: Watches,
        counter: Counter,
        desk: Desk,
        signals: Signals,
        excluding: Excluding,
        unknown: Unknown,
        uptimes: Uptimes,
        tab: Tab,
        guard: Guard,
    ) -> None:
        self._catalog = catalog
        self._rings = rings
        self._watches = watches
        self._counter = counter
        self._desk = desk
        self._signals = signals
        self._excluding = excluding
        self._unknown = unknown
        self._uptimes = uptimes
        self._tab = tab
        self._guard = guard
        self._quiet = Quiet(catalog, rings, watches.evidence)
        self._probed = np.array([stream.probed for stream in catalog.streams], dtype=np.bool_)
        self._reader: PastReader | None = None
        self._bulk: Bulk | None = None
        self._sound = False
        self._length = LONGEST

    def lag(self, counts: PastCounts, place: int, at: Instant | None) -> Lag | None:
        """The runs of bad ticks, lagging behind a history from one of its ticks on; None where that cannot be."""
        if self._reader is None or self._reader.counts is not counts:
            self._read(counts)
        reader = self._reader
        follows = place > 0 and at == int(counts.ticks[place - 1])
        if reader is None or not self._sound or not follows or self._excluding.known or self._rings.aside.pieces:
            return None
        if any(meter.held is not None for meter in self._uptimes.meters.values()):
            return None
        return self._watches.lag(reader, place)

    def skip(
        self, lag: Lag, place: int, end: int, at: Instant, readings: Callable[[Instant], tuple[Reading, ...]]
    ) -> tuple[int, dict[int, list[Incident]]]:
        """Live through the ticks from ``place`` on at which surely nothing is decided.

        Says how many those are, and by tick the incidents whose impact did not end before it.
        """
        bulk = self._bulk
        stretch = None if bulk is None or self._busy() else self._stretch(lag.reader, bulk, place, end, at)
        if bulk is None or stretch is None or not self._guard.settled(stretch.known):
            return 0, {}
        told = readings(int(stretch.ticks[-1]))
        if any(reading.name.startswith(SAMPLE) for reading in told):
            return 0, {}
        asked = len(stretch.ticks)
        stands = self._watches.stand(lag, stretch)
        known = stretch.known[[self._catalog.watches[watch].stream.index for watch in stands]].tolist()
        ticks = (each.ticks for each, ends in zip(stands.values(), known, strict=True) if ends)
        stretch = stretch.part(0, min([len(stretch.ticks), *ticks]))
        number = self._quietly(lag, bulk, stretch, place) if len(stretch.ticks) else 0
        self._length = min(2 * self._length, LONGEST) if number == asked else max(min(asked, 2 * number), SHORTEST)
        if not number:
            return 0, {}
        for reading in readings(int(stretch.ticks[number - 1])):
            self._desk.readings[reading.name] = reading
        self._guard.look_on(number)
        return number, put_off(self._desk, self._watches.firing, stands, number)

    def _quietly(self, lag: Lag, bulk: Bulk, stretch: Stretch, place: int) -> int:
        """Count the ticks of a stretch at which no alert fires; says how many."""
        rings = self._rings
        budget = Stretched(rings.rings["budget"], stretch.ticks, (stretch.total, stretch.bad))
        covered = Stretched(rings.coverage.ring, stretch.ticks, (stretch.covered,))
        standing = self._watches.standing
        number = self._quiet.ticks(stretch, budget, covered, self._watches.cut, standing)
        lanes = self._watches.lanes
        sides = None
        if len(lanes.stream) > len(self._catalog.streams):
            increments = bulk.split("sides", place, place + len(stretch.ticks))
            sides = Stretched(rings.rings["sides"], stretch.ticks, (increments,))
        rising = Rising(lanes, stretch, budget, covered, sides)
        wanted = stretch.known[lanes.stream] & (lanes.watch >= 0)
        wanted[wanted] = ~standing[lanes.watch[wanted]]
        number = min(number, rising.first(wanted))
        if number:
            rising.settle(number)
            self._count(lag, bulk, stretch.part(0, number), budget, covered, place)
        return number

    def _read(self, counts: PastCounts) -> None:
        self._watches.settle()
        known = {stream.key for stream in self._catalog.streams}
        self._reader = self._bulk = None
        if known.issuperset(counts.keys) and len(set(zip(counts.keys, counts.sides, strict=True))) == len(counts.keys):
            self._reader = PastReader(self._catalog, self._watches.lanes.stream, counts)
            self._bulk = Bulk(self._rings, self._counter.empty, self._reader)
        both = counts.total, counts.bad
        self._sound = all(int(each.min(initial=0)) >= 0 and int(each.max(initial=0)) < MOST_EVENTS for each in both)
        self._sound &= all(ring.unbroken for ring in (*self._rings.rings.values(), self._rings.coverage.ring))

    def _busy(self) -> bool:
        """Whether anything goes on that looks at every tick."""
        desk, watches = self._desk, self._watches
        told = desk.findings or desk.signals or desk.failing_receivers or desk.silences
        alone = any(self._catalog.watches[watch].lane == "service" for watch in watches.firing)
        return bool(told) or alone or bool(self._signals.last_request.any())

    def _stretch(self, reader: PastReader, bulk: Bulk, place: int, end: int, at: Instant) -> Stretch | None:
        """The ticks from ``place`` on that may be looked at together; None where there are none."""
        counts = reader.counts
        ticks = counts.ticks[place : min(end, place + self._length)]
        number = len(ticks)
        if counts.untimed:
            number = next((n for n in range(number) if place + n in counts.untimed), number)
        if not number:
            return None
        ticks = ticks[:number]
        passed = np.diff(ticks, prepend=at)
        groups = counts.covered[place : place + number]
        whole, none = (groups >= passed[:, None]), (groups == 0)
        same = np.logical_and.accumulate(np.where(whole[0], whole, none).all(axis=1))
        number = int(same.sum())
        if not number:
            return None
        measured = np.concatenate([whole[0], [False]])
        known = measured[reader.group]
        wrong = known & (self._unknown.known_until != at)
        lost = ~known & ~self._probed & (self._signals.last_known > 0)
        covered = bulk.covered(place, place + number)
        if covered is None or wrong.any() or lost.any():
            return None
        total, bad = (each[place : place + number] for each in (counts.total, counts.bad))
        by_total, by_bad = reader.by_stream(total), reader.by_stream(bad)
        return Stretch(
            since=at,
            ticks=ticks[:number],
            total=by_total,
            bad=by_bad,
            lane_total=reader.by_lane(total, by_total),
            lane_bad=reader.by_lane(bad, by_bad),
            known=known,
            covered=covered,
        )

    def _count(self, lag: Lag, bulk: Bulk, stretch: Stretch, budget: Stretched, covered: Stretched, place: int) -> None:
        number, last = len(stretch.ticks), int(stretch.ticks[-1])
        desk, settings = self._desk, self._catalog.settings
        turns = np.flatnonzero(np.diff((stretch.ticks - 1) // INTERVAL)) + 1
        for first, until in pairwise([0, *turns.tolist(), number]):
            total, bad = lag.reader.by_side(place + first, place + until)
            self._tab.add_many(desk, bad, total, int(stretch.ticks[until - 1]))
        bulk.count(stretch, budget, covered, place)
        self._watches.skip(lag, stretch, lag.reader.served_at(place, place + number))
        self._signals.last_known = np.where(stretch.known, last, self._signals.last_known)
        self._unknown.known_until = np.where(stretch.known, last, self._unknown.known_until)
        self._uptimes.advance((), self._counter.empty(), last)
        desk.latches.forget(last - max(settings.rollback.cool_down, settings.rollback.blast_window))
        desk.book.forget(last - settings.keep)
