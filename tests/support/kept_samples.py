"""An engine that keeps raw samples and cannot always be asked, and an agent that reads from it, without a network."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from figwatch_agent.clock import AnchoredClock
from figwatch_agent.durations import DAY, SECOND, Instant
from figwatch_agent.engine import Engine
from figwatch_agent.model.batch import Batch, Counted
from figwatch_agent.model.command import Command
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.missing import Past
from figwatch_agent.model.outcome import Outcome
from figwatch_agent.model.secret import Secret
from figwatch_agent.model.selector import Matcher, Selector
from figwatch_agent.model.settings import PrometheusServer
from figwatch_agent.model.slo import Events, ServiceSlos, Slo
from figwatch_agent.sources.fault import Fault, FaultReason
from figwatch_agent.sources.prometheus import PrometheusSource
from figwatch_agent.sources.prometheus_answer import Answer
from figwatch_agent.sources.prometheus_api import PrometheusApi
from figwatch_agent.sources.prometheus_asking import RetryBudget
from support.engine import Memory
from support.world import START
from support.world import settings as configured

METRIC = "orders_total"
INTERVAL = 10 * SECOND
SERVER = PrometheusServer(url="http://127.0.0.1:1", interval=INTERVAL)
SETTINGS = replace(configured(), source=SERVER)


def orders(code: str | None = None) -> Selector:
    """The counter, or what it counts of one code."""
    matchers = () if code is None else (Matcher(label="code", operator="=", value=code),)
    return Selector(metric=METRIC, matchers=matchers)


ORDERS = ServiceSlos(
    path="slo/orders.yaml",
    migration="shop",
    service="orders",
    window=30 * DAY,
    routes=(),
    slos=(
        Slo(
            name="orders",
            sli=Events(total=(orders(),), bad=(orders("500"),)),
            objective=Fraction(999, 1000),
            tiers=(),
        ),
    ),
    criteria=(),
)


def _no_secret(secret: Secret) -> str:
    raise AssertionError(f"nobody asked for {secret}")


class KeptSamples(PrometheusApi):
    """Hands out what it was given, while it can be asked."""

    def __init__(self) -> None:
        super().__init__(SERVER, _no_secret)
        self.samples: dict[tuple[str, str, str], list[tuple[Instant, int]]] = {}  # by name, target, code
        self.state = "well"  # refused | partial
        self.unseen = range(0)  # instants of which it has only a part, and says so
        self.asked = 0

    def scrape(self, target: str, at: Instant, counts: dict[str, int] | None) -> None:
        """Keep one scrape; None: the target did not answer."""
        self.samples.setdefault(("up", target, ""), []).append((at, int(counts is not None)))
        for code, count in (counts or {}).items():
            self.samples.setdefault((METRIC, target, code), []).append((at, count))

    async def instant(self, query: str, at: Instant, retries: RetryBudget | None = None) -> Answer:
        """Raw samples of the window that the query names."""
        self.asked += 1
        if self.state == "refused":
            raise Fault(FaultReason.REFUSED, "connection refused")
        window = int(re.findall(r"\[(\d+)ms\]$", query)[0])
        wanted = "up" if query.startswith("up[") else METRIC
        result: list[Any] = []
        for (name, target, code), samples in self.samples.items():
            found = [[stamp / 1000, str(value)] for stamp, value in samples if at - window <= stamp <= at]
            if name == wanted and found:
                labels = {"__name__": name, "job": "shop", "instance": target} | ({"code": code} if code else {})
                result.append({"metric": labels, "values": found})
        unseen = bool(self.unseen) and at - window < self.unseen.stop and self.unseen.start <= at
        warnings = ("a store did not answer",) if unseen or self.state == "partial" else ()
        return Answer(data={"resultType": "matrix", "result": result}, warnings=warnings)


@dataclass(slots=True)
class Reader:
    """The engine with its source; ``memory`` holds what was committed."""

    kept: KeptSamples
    loop: asyncio.AbstractEventLoop
    now: Instant = START
    memory: Memory = field(default_factory=Memory)
    engine: Engine = field(init=False)
    source: PrometheusSource = field(init=False)
    pasts: list[Past] = field(default_factory=list)  # that were handed out

    def __post_init__(self) -> None:
        self.engine = Engine((ORDERS,), SETTINGS)
        self._attach()

    def _attach(self) -> None:
        self.source = PrometheusSource(
            SERVER,
            (ORDERS,),
            AnchoredClock(floor=0),
            _no_secret,
            self.kept,
            counted_to=self.engine.counted_to(),
            missing=self.engine.missing,
            late=INTERVAL,
        )

    def killed(self) -> None:
        """Come back with what was committed."""
        saved = self.memory.saved()
        self.engine = Engine((ORDERS,), SETTINGS, saved if saved.sequence else None)
        self._attach()

    def tick(self, now: Instant, *, commit: bool = True, commands: tuple[Command, ...] = ()) -> Outcome:
        """Look once."""
        self.now = now
        collected = self.loop.run_until_complete(self.source.collect(now))
        pasts = tuple(each for each in collected if isinstance(each, Past))
        self.pasts += pasts
        inputs = Inputs(
            batches=tuple(each for each in collected if isinstance(each, Batch)),
            counted=tuple(each for each in collected if isinstance(each, Counted)),
            past=pasts,
            commands=commands,
        )
        outcome = self.engine.advance(inputs, now)
        if commit:
            self.memory.commit(outcome)
        return outcome

    def counts(self) -> tuple[int, int, int, int]:
        """Total and bad in windows, and in none."""
        parts = self.engine._parts
        total, bad = parts.rings.counted()
        return int(total.sum()), int(bad.sum()), int(parts.untimed_total.sum()), int(parts.untimed_bad.sum())

    def unknown(self) -> int:
        """Milliseconds that nobody measured."""
        return self.engine._unknown.time(0, self.now)
