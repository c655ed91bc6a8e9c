"""Where budget went: every counted event in a cell of interval, SLO, route, side, incident and exclusion."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from figwatch_agent.durations import MINUTE, Duration, Instant
from figwatch_agent.engine.catalog import Catalog, Stream
from figwatch_agent.engine.desk import Desk
from figwatch_agent.engine.mapping import SIDES
from figwatch_agent.engine.tally import Tally
from figwatch_agent.model.incident import IncidentKind
from figwatch_agent.model.ledger import Key, is_spent, key_of, moved
from figwatch_agent.model.outcome import LedgerAside, LedgerEntry

INTERVAL: Duration = 30 * MINUTE


def interval_of(at: Instant) -> Instant:
    """Where the interval begins in which events of an instant are counted; it holds its end, as slots of rings do."""
    return (at - 1) - (at - 1) % INTERVAL


@dataclass(slots=True)
class Ledger:
    """Counts of the current interval's cells so far; older cells are in the store, and change by increments alone."""

    cells: dict[Key, tuple[int, int]] = field(default_factory=dict)  # (bad, total)
    aside: list[LedgerAside] = field(default_factory=list)  # of earlier intervals, in this tick
    late: list[LedgerEntry] = field(default_factory=list)
    _changed: dict[Key, None] = field(default_factory=dict)  # in this tick, in their order

    def begin(self, now: Instant) -> None:
        """A tick begins: what is older than its interval is in the store."""
        interval = interval_of(now)
        self.cells = {key: counts for key, counts in self.cells.items() if key[0] == interval}
        self.aside, self.late, self._changed = [], [], {}

    def add(self, catalog: Catalog, desk: Desk, tally: Tally, owner: Callable[[int], str], now: Instant) -> None:
        """Count a tick; ``owner`` names the exclusion that sets a stream aside now."""
        interval = interval_of(now)
        counted = (tally.total != 0) | (tally.bad != 0)  # a source may count good events where it counts no events
        streams, sides = counted.nonzero()
        bad, total = tally.bad[streams, sides].tolist(), tally.total[streams, sides].tolist()
        excluded = tally.excluded[streams].tolist()
        for place, (index, side) in enumerate(zip(streams.tolist(), sides.tolist(), strict=True)):
            stream = catalog.streams[index]
            case = desk.open_case(IncidentKind.ROUTE, stream.route or stream.slo.name)
            incident = case.incident.id if case is not None else ""
            exclusion = owner(index) if excluded[place] else ""
            key = (interval, stream.slo.name, stream.route, SIDES[side], incident, exclusion)
            self._put(key, bad[place], total[place])

    def set_aside(self, many: Iterable[LedgerAside], now: Instant) -> None:
        """Set events aside that were counted before; those of earlier intervals are the store's to find."""
        interval = interval_of(now)
        for each in many:
            if each.start != interval:
                self.aside.append(each)
                continue
            for entry in moved([cell for cell in self._entries(self.cells) if is_spent(cell, each)], each):
                self._put(key_of(entry), entry.bad, entry.total)

    def add_late(self, entry: LedgerEntry, now: Instant) -> None:
        """Count events that were told late in the interval in which they happened."""
        if entry.interval == interval_of(now):
            self._put(key_of(entry), entry.bad, entry.total)
        else:
            self.late.append(entry)

    def changed(self) -> tuple[LedgerEntry, ...]:
        """The cells of the current interval that changed in this tick, whole."""
        return tuple(self._entries(self._changed))

    def restore(self, entries: tuple[LedgerEntry, ...]) -> None:
        """Go on counting in the cells of the current interval."""
        self.cells = {key_of(entry): (entry.bad, entry.total) for entry in entries}

    def _put(self, key: Key, bad: int, total: int) -> None:
        before = self.cells.get(key, (0, 0))
        self.cells[key] = before[0] + bad, before[1] + total
        self._changed[key] = None

    def _entries(self, keys: Iterable[Key]) -> Iterable[LedgerEntry]:
        for key in keys:
            interval, slo, route, side, incident, exclusion = key
            bad, total = self.cells[key]
            yield LedgerEntry(
                interval=interval,
                slo=slo,
                route=route,
                side=side,
                incident=incident,
                bad=bad,
                total=total,
                exclusion=exclusion,
            )


def aside_cells(
    stream: Stream, exclusion: str, edges: list[Instant], counts: list[tuple[int, int]]
) -> Iterable[LedgerAside]:
    """What is set aside of a stream between instants, at which (bad, total) had been counted."""
    for place, (after, until) in enumerate(pairwise(edges)):
        bad, total = (counts[place + 1][which] - counts[place][which] for which in range(2))
        if bad or total:
            yield LedgerAside(
                start=after - after % INTERVAL,
                end=-(-until // INTERVAL) * INTERVAL,
                slo=stream.slo.name,
                route=stream.route,
                exclusion=exclusion,
                bad=bad,
                total=total,
            )
