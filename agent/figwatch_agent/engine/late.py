"""Events of past ticks that are told late: unknown time becomes known, and what was decided stands."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Instant, format_instant
from figwatch_agent.engine.catalog import Catalog
from figwatch_agent.engine.desk import Desk
from figwatch_agent.engine.keyed import KeyedCounts
from figwatch_agent.engine.ledger import Ledger, interval_of
from figwatch_agent.engine.less import boundary_below
from figwatch_agent.engine.mapping import SIDES
from figwatch_agent.engine.measuring import Rings
from figwatch_agent.engine.tally import Tally
from figwatch_agent.engine.unknown import Unknown
from figwatch_agent.engine.watching import Watches
from figwatch_agent.model.batch import Counted
from figwatch_agent.model.incident import IncidentKind
from figwatch_agent.model.outcome import LedgerEntry

Counts = NDArray[np.int64]


@dataclass(slots=True)
class Told:
    """What came of it."""

    slots: dict[tuple[str, int, int], None] = field(default_factory=dict)  # (ring, level, slot) that changed
    findings: dict[str, str] = field(default_factory=dict)


class Late:
    """Takes what belongs to ticks before the last one, before the next is counted."""

    def __init__(self, catalog: Catalog, rings: Rings, unknown: Unknown, ledger: Ledger) -> None:
        self.catalog = catalog
        self.rings = rings
        self.unknown = unknown
        self.ledger = ledger
        self._keyed = KeyedCounts(catalog)

    def take(self, many: list[Counted], empty: Tally, desk: Desk, watches: Watches, now: Instant) -> Told:
        """Count them at their instants. What is known already is refused, and so is what no ring keeps."""
        told = Told()
        for counted in sorted(many, key=lambda each: each.at):
            tally = empty.cleared()
            self._keyed.add(counted, tally)
            accepted = np.array(
                [self._accepts(stream, counted.at, tally, told) for stream in range(len(self.catalog.streams))],
                dtype=np.bool_,
            )
            if accepted.any():
                self._count(counted.at, tally.of(accepted), told, desk, watches, now)
        return told

    def _accepts(self, stream: int, at: Instant, tally: Tally, told: Told) -> bool:
        covered = int(tally.covered[stream])
        if covered <= 0 or self.catalog.streams[stream].probed:
            return False
        after, why = at - covered, ""
        if after < self.rings.began or boundary_below(self.rings.rings["budget"], after) is None:
            why = "before what is kept"
        elif not self.unknown.fill(stream, after, at):
            why = "known already"
        if why:
            key = self.catalog.streams[stream].key
            told.findings[f"late {key}"] = f"events of {key} up to {format_instant(at)} are not counted: {why}"
        return not why

    def count_many(
        self, many: list[tuple[Instant, Tally]], told: Told, desk: Desk, watches: Watches, now: Instant
    ) -> None:
        """Count what is accepted already, each at its instant, in their order."""
        for name, row in self.rings.amend_many(many) if many else ():
            told.slots[name, row.level, row.slot] = None
        for at, tally in many:
            self._account(at, tally, desk, watches, now)

    def _count(self, at: Instant, tally: Tally, told: Told, desk: Desk, watches: Watches, now: Instant) -> None:
        for name, row in self.rings.amend(tally, at):
            told.slots[name, row.level, row.slot] = None
        self._account(at, tally, desk, watches, now)

    def _account(self, at: Instant, tally: Tally, desk: Desk, watches: Watches, now: Instant) -> None:
        watches.told_late(tally.bad.sum(axis=1), at)
        for place in zip(*((tally.total != 0) | (tally.bad != 0)).nonzero(), strict=True):
            stream, side = self.catalog.streams[int(place[0])], SIDES[int(place[1])]
            entry = LedgerEntry(
                interval=interval_of(at),
                slo=stream.slo.name,
                route=stream.route,
                side=side,
                incident=_incident_at(desk, stream.route or stream.slo.name, at),
                bad=int(tally.bad[place]),
                total=int(tally.total[place]),
                exclusion=self.rings.aside.owner(stream.index, at),
            )
            self.ledger.add_late(entry, now)


def _incident_at(desk: Desk, subject: str, at: Instant) -> str:
    """The incident of a route that was open at an instant; "" where none was."""
    known = [*(case.incident for case in desk.cases.values()), *desk.closed]
    return next(
        (
            each.id
            for each in known
            if each.kind is IncidentKind.ROUTE
            and each.route == subject
            and each.detected_at <= at
            and (each.resolved_at is None or at < each.resolved_at)
        ),
        "",
    )
