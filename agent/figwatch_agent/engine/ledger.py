"""Where budget went: every counted event in a cell of interval, SLO, route, side and incident."""

from dataclasses import dataclass, field

from figwatch_agent.durations import MINUTE, Duration, Instant
from figwatch_agent.engine.catalog import Catalog
from figwatch_agent.engine.desk import Desk
from figwatch_agent.engine.mapping import SIDES
from figwatch_agent.engine.tally import Tally
from figwatch_agent.model.incident import IncidentKind
from figwatch_agent.model.outcome import LedgerEntry

INTERVAL: Duration = 30 * MINUTE

_Cell = tuple[Instant, str, str, str, str]


@dataclass(slots=True)
class Ledger:
    """Counts of the current interval's cells so far; older cells are in the store and never change."""

    cells: dict[_Cell, tuple[int, int]] = field(default_factory=dict)

    def add(self, catalog: Catalog, desk: Desk, tally: Tally, now: Instant) -> tuple[LedgerEntry, ...]:
        """Count a tick; gives the cells that changed, whole."""
        interval = now - now % INTERVAL
        self.cells = {cell: counts for cell, counts in self.cells.items() if cell[0] == interval}
        changed: list[LedgerEntry] = []
        counted = (tally.total != 0) | (tally.bad != 0)  # a source may count good events where it counts no events
        for place in zip(*counted.nonzero(), strict=True):
            stream, side = catalog.streams[int(place[0])], SIDES[int(place[1])]
            case = desk.open_case(IncidentKind.ROUTE, stream.route or stream.slo.name)
            incident = case.incident.id if case is not None else ""
            cell = (interval, stream.slo.name, stream.route, side, incident)
            bad, total = self.cells.get(cell, (0, 0))
            counts = bad + int(tally.bad[place]), total + int(tally.total[place])
            self.cells[cell] = counts
            changed.append(_entry(cell, counts))
        return tuple(changed)

    def restore(self, entries: tuple[LedgerEntry, ...]) -> None:
        """Go on counting in the cells of the current interval."""
        self.cells = {(e.interval, e.slo, e.route, e.side, e.incident): (e.bad, e.total) for e in entries}


def _entry(cell: _Cell, counts: tuple[int, int]) -> LedgerEntry:
    interval, slo, route, side, incident = cell
    return LedgerEntry(
        interval=interval, slo=slo, route=route, side=side, incident=incident, bad=counts[0], total=counts[1]
    )
