"""A total outage, played on the engine: how many requests fail until somebody is paged, and when the page clears."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Final

import numpy as np

from figwatch_agent.durations import HOUR, MINUTE, SECOND, Duration, Instant, format_duration, format_seconds
from figwatch_agent.engine import Engine
from figwatch_agent.model.batch import Counted
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.names import Mode, Severity
from figwatch_agent.model.outcome import Outcome
from simulate.false_pages import OBJECTIVES, RATES, pace
from support.world import CHAT, START, service, settings

BEFORE: Final = 6 * HOUR  # of health, which fills the windows of both page tiers, told every ten minutes
LONG_AGO: Final = 10 * MINUTE
LATELY: Final = 30 * MINUTE  # told as it comes
HOLD: Final = 5 * MINUTE
PATIENCE: Final = 12 * HOUR
HEADS: Final = (
    "requests",
    "objective",
    "failed requests until the page",
    "after",
    "clears after the end",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Requests that come one after the other, all at the same distance."""

    rate: Fraction  # a second
    objective: Fraction

    @property
    def interval(self) -> Duration:
        """Scrapes: every 10 s, every minute where requests are seldom."""
        return 10 * SECOND if self.rate >= 1 else MINUTE

    def come(self, since: Instant, now: Instant) -> int:
        """Requests in (since, now]."""
        return int((now - START) * self.rate / SECOND) - int((since - START) * self.rate / SECOND)


class Played:
    """An engine that watches one stream."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        whole = service(objective=stream.objective)
        self.engine = Engine(
            (replace(whole, slos=whole.slos[:1], criteria=()),),
            settings(mode=Mode.DRY_RUN, interval=stream.interval, hold=HOLD),
        )
        self.now, self.failed, self.paged, self.open = START, 0, 0, 0
        self._keys = (f"{whole.slos[0].name} {CHAT}",)
        self.tick(failing=False)

    def tick(self, *, failing: bool, after: Duration | None = None) -> Outcome:
        """One scrape, or what many of them told at once."""
        lasted = self.stream.interval if after is None else after
        since, self.now = self.now, self.now + lasted
        total = self.stream.come(since, self.now)
        bad = total if failing else 0
        self.failed += bad
        counted = Counted(
            keys=self._keys,
            at=self.now,
            total=np.array([total], dtype=np.int64),
            bad=np.array([bad], dtype=np.int64),
            covered=np.array([lasted], dtype=np.int64),
        )
        outcome = self.engine.advance(Inputs(counted=(counted,)), self.now)
        paging = [alert for each in outcome.incidents for alert in each.alerts if alert.severity is Severity.PAGE]
        if outcome.incidents:
            self.open = sum(alert.resolved_at is None for alert in paging)
            self.paged = max(self.paged, len(paging))
        return outcome

    def healthy(self) -> None:
        """Long enough to fill the windows."""
        for _ in range(BEFORE // self.stream.interval):
            self.tick(failing=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """What came of one."""

    failed: int | None  # requests until a page was made; None where none was within twelve hours
    clears: Duration | None  # from the end of the outage until nothing pages any more


def total_outage(stream: Stream, lasts: Duration = 10 * MINUTE) -> Outage:
    """Every request fails for so long, or until somebody is paged; then none does."""
    played = Played(stream)
    for _ in range(BEFORE // LONG_AGO):
        played.tick(failing=False, after=LONG_AGO)
    for _ in range(LATELY // stream.interval):
        played.tick(failing=False)
    begun, failed = played.now, None
    while played.now - begun < lasts or (failed is None and played.now - begun < PATIENCE):
        played.tick(failing=True)
        failed = played.failed if failed is None and played.paged else failed
    ended = played.now
    while played.open and played.now - ended < PATIENCE:
        played.tick(failing=False)
    return Outage(failed=failed, clears=played.now - ended if failed is not None and not played.open else None)


def rows() -> Iterator[list[str]]:
    """The published table."""
    for objective, rate in product(OBJECTIVES, RATES):
        found = total_outage(Stream(rate=rate, objective=objective))
        failed, clears = found.failed, found.clears
        yield [
            pace(rate),
            f"{float(objective * 100):g} %",
            "-" if failed is None else f"{failed:,}",
            "-" if failed is None else format_seconds(round(failed / rate * SECOND)),
            format_seconds(clears)
            if clears is not None
            else f"more than {format_duration(PATIENCE)}"
            if failed
            else "-",
        ]
