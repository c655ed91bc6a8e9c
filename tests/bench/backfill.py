"""What reading an hour's outage back costs with a thousand SLOs, compared to the looks that were not made in it.

The answers are those of an engine that scraped a page of two series for each SLO every 15 s, as JSON: unpacked, counted
and decided on by the source and the engine of an agent. Sockets are left out; they cost both sides the same a byte.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from bench.row import Row
from figwatch_agent.clock import AnchoredClock
from figwatch_agent.durations import HOUR, MINUTE, SECOND, Instant
from figwatch_agent.engine import Engine
from figwatch_agent.model.batch import Batch
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.missing import Past
from figwatch_agent.model.settings import PrometheusServer
from figwatch_agent.sources.fault import Fault, FaultReason
from figwatch_agent.sources.prometheus import PrometheusSource
from figwatch_agent.sources.prometheus_answer import Answer
from figwatch_agent.sources.prometheus_api import PrometheusApi
from figwatch_agent.sources.prometheus_asking import RetryBudget
from support.tally_load import conf, own_services
from support.world import START

SLOS: Final = 1_000
INTERVAL: Final = 15 * SECOND
CALM: Final = 3 * MINUTE
_NAME: Final = re.compile(r"own_\d+(?:_bad)?_total")
SERVER: Final = PrometheusServer(url="http://127.0.0.1:1", interval=INTERVAL)


@dataclass(slots=True, kw_only=True)
class Look:
    """One tick, and what it cost: CPU in milliseconds."""

    at: Instant
    spent: float
    told: bool  # of what was missed


def rows() -> Iterable[Row]:
    """The whole of it, and the dearest look."""
    looks = list(asyncio.run(_looks()))
    plain = statistics.median(look.spent for look in looks if not look.told and look.at < START + CALM)
    told = [look.spent for look in looks if look.told]
    missed = HOUR // INTERVAL
    yield Row(
        name="an hour's outage of 1,000 SLOs read back / in time",
        ratio=sum(spent - plain for spent in told) / (missed * plain),
        limit=1.0,
        note=f"{sum(told) / 1000:.2f} s in {len(told)} looks / {missed} x {plain:.0f} ms",
    )
    yield Row(
        name="the dearest look while it is read / the interval",
        ratio=max(told) / INTERVAL,
        limit=0.5,
        note=f"{max(told):.0f} ms of CPU / 15 s",
    )


async def _looks() -> Iterator[Look]:
    services, settings = own_services(SLOS), replace(conf(INTERVAL, "default"), source=SERVER)
    engine, kept = Engine(services, settings), _Kept()
    source = PrometheusSource(SERVER, services, AnchoredClock(floor=0), str, kept, missing=engine.missing)
    found, gone = [], range(START + CALM, START + CALM + HOUR)
    for now in range(START + INTERVAL, gone.stop + CALM, INTERVAL):
        kept.reachable = now not in gone
        if not kept.reachable:
            continue  # an agent that is off costs nothing; what it missed is the same
        begun = time.process_time_ns()
        collected = await source.collect(now)
        past = tuple(each for each in collected if isinstance(each, Past))
        engine.advance(Inputs(batches=tuple(each for each in collected if isinstance(each, Batch)), past=past), now)
        spent = (time.process_time_ns() - begun - kept.spent) / 1e6
        kept.spent = 0
        found.append(Look(at=now, spent=spent, told=bool(past)))
    if engine.missing() or not any(look.told for look in found):
        raise RuntimeError("what was missed was not told")
    return iter(found)


class _Kept(PrometheusApi):
    """Answers as an engine would write them; making them is no cost of ours."""

    def __init__(self) -> None:
        super().__init__(SERVER, str)
        self.reachable = True
        self.spent = 0  # nanoseconds of CPU

    async def instant(self, query: str, at: Instant, retries: RetryBudget | None = None) -> Answer:
        """Raw samples of the window that the query names."""
        if not self.reachable:
            raise Fault(FaultReason.REFUSED, "connection refused")
        begun = time.process_time_ns()
        text = self._written(query, at)
        self.spent += time.process_time_ns() - begun
        return Answer(data=json.loads(text))

    def _written(self, query: str, at: Instant) -> str:
        window = int(re.findall(r"\[(\d+)ms\]$", query)[0])
        first = -(-(at - window) // INTERVAL) * INTERVAL
        scrapes = range(first, at + 1, INTERVAL)
        up = query.startswith("up[")
        names = ["up"] if up else _NAME.findall(query)
        result = []
        for name in names:
            more = 1 if name.endswith("_bad_total") else 900
            values = [
                [scrape / 1000, "1" if up else str((scrape - START) // INTERVAL * more + 10**6)] for scrape in scrapes
            ]
            result.append({"metric": {"__name__": name, "job": "own", "instance": "a:1"}, "values": values})
        return json.dumps({"resultType": "matrix", "result": result})
