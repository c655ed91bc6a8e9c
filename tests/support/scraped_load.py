"""Thousands of SLOs as an agent scrapes them: one page of counters, and the state that thirty days of it leave."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from figwatch_agent.durations import Duration, Instant
from figwatch_agent.engine import Engine
from figwatch_agent.model.batch import Batch, Series, SeriesTable
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.outcome import LedgerEntry, Outcome, RingRow
from figwatch_agent.model.settings import Settings
from figwatch_agent.model.slo import Events, ServiceSlos
from support.tally_load import BEGIN, Load, pauses

TARGET = "http://127.0.0.1:1/metrics"


class Page:
    """Answers with the counters of SLOs that count two series of their own."""

    def __init__(self, engine: Engine) -> None:
        slis = [stream.slo.sli for stream in engine.catalog.streams]
        names = [each.metric for sli in slis if isinstance(sli, Events) for each in (*sli.total, *(sli.bad or ()))]
        self.table = SeriesTable(tuple(Series(name=name, labels=()) for name in names), frozenset(names))
        self._load = Load(engine)
        self._values = np.zeros(len(names), dtype=np.float64)

    def inputs(self, now: Instant, lasts: Duration) -> Inputs:
        """The page as it stands at ``now``, so long after the one before."""
        self._values += np.stack(self._load.counts(lasts), axis=1).reshape(-1)
        created = np.zeros(len(self._values), dtype=np.int64)
        batch = Batch(target=TARGET, at=now, up=True, table=self.table, values=self._values.copy(), created=created)
        return Inputs(batches=(batch,))


@dataclass(slots=True)
class Kept:
    """What is left of many Outcomes: the newest section, row and cell of each name."""

    sections: dict[str, bytes] = field(default_factory=dict)
    rows: dict[tuple[str, int, int], RingRow] = field(default_factory=dict)
    ledger: tuple[LedgerEntry, ...] = ()

    def add(self, outcome: Outcome) -> None:
        """One more."""
        self.sections.update(outcome.sections)
        self.rows.update({(row.ring, row.level, row.slot): row for row in outcome.ring_rows})
        self.ledger = outcome.ledger

    def whole(self, at: Instant) -> Outcome:
        """All of it as the first Outcome of a new state."""
        return Outcome(
            sequence=1,
            at=at,
            sections=tuple(sorted(self.sections.items())),
            ring_rows=tuple(row for _, row in sorted(self.rows.items(), key=lambda item: item[0])),
            ledger=self.ledger,
        )


def thirty_days(services: tuple[ServiceSlos, ...], settings: Settings, interval: Duration) -> tuple[Outcome, Page]:
    """The whole state that thirty days leave, and the page that goes on."""
    engine, now, kept = Engine(services, settings), BEGIN, Kept()
    page = Page(engine)
    for pause in pauses(interval):
        now += pause
        kept.add(engine.advance(page.inputs(now, pause), now))
    return kept.whole(now), page
