"""A Prometheus-compatible engine as the source: raw counters of short windows, read in few queries at one instant.

Long windows are never asked of the engine: its samples are counted here, by the same rules as pages that are scraped.
After an outage of the engine the time between is unknown until its samples are read too, a chunk a look.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from figwatch_agent.clock import Clock
from figwatch_agent.durations import MINUTE, SECOND, Duration, Instant
from figwatch_agent.model.batch import Batch, Counted, down
from figwatch_agent.model.missing import Missing, Past
from figwatch_agent.model.secret import ReadSecret
from figwatch_agent.model.settings import PrometheusServer
from figwatch_agent.model.slo import ServiceSlos
from figwatch_agent.sources.estimates import Estimates
from figwatch_agent.sources.estimates_backfill import EstimatesBackfill
from figwatch_agent.sources.fault import Fault, FaultReason, first_fault
from figwatch_agent.sources.prometheus_answer import Answer
from figwatch_agent.sources.prometheus_api import PrometheusApi
from figwatch_agent.sources.prometheus_asking import RetryBudget
from figwatch_agent.sources.prometheus_backfill import Backfill
from figwatch_agent.sources.prometheus_queries import UP, over, queries, selectors_of
from figwatch_agent.sources.raw_samples import RawSamples

OVERLAP: Final[Duration] = MINUTE
"""How far a look reaches back before the one before it: what was scraped then may have been stored late."""

RETRIES: Final = 3
"""Questions of one look that may be asked a second time."""

NO_GAP: Final = 3
"""Intervals; two answers that are two and a half apart still count as one after the other."""

AT_ONCE: Final = 4


class PrometheusSource:
    """Looks at the engine once a tick. Nothing that the engine does makes ``collect`` raise."""

    def __init__(
        self,
        server: PrometheusServer,
        services: Sequence[ServiceSlos],
        clock: Clock,
        read_secret: ReadSecret,
        api: PrometheusApi | None = None,
        *,
        counted_to: Mapping[str, Instant] | None = None,
        missing: Callable[[], tuple[Missing, ...]] = tuple,
        late: Duration = OVERLAP,
    ) -> None:
        """``counted_to``: by scrape target the last answer that is counted already, by a process before this one.

        ``missing`` says what was not read in time; ``late`` how long after its scrape a sample may be stored.
        """
        self._server = server
        self._clock = clock
        self._api = api or PrometheusApi(server, read_secret)
        self._queries = queries(selectors_of(services))
        self._samples = RawSamples(counted_to)
        self._backfill = Backfill(missing, late)
        self._late = late
        self._estimates = Estimates(services)
        self._estimates_backfill = EstimatesBackfill(self._estimates, server.interval, late)
        self._read_to: Instant | None = None  # the last look that was answered
        self._faults: dict[str, str] = {}

    @property
    def faults(self) -> Mapping[str, str]:
        """For people: why the engine, or what it scrapes, has no usable answer now."""
        return dict(self._faults)

    @property
    def left_out(self) -> Mapping[str, int]:
        """Nothing: what is no count never leaves the engine as a sample here."""
        return {}

    async def collect(self, now: Instant) -> tuple[Batch | Counted | Past, ...]:
        """Scrapes that were not read before, oldest first; the engine's fault as one failed Batch for each target.

        Where all was answered, some of what is missing too.
        """
        found: list[Batch] = []
        deadline = asyncio.get_running_loop().time() + self._server.timeout / SECOND
        try:
            async with asyncio.timeout_at(deadline):
                await self._look(now, found)
                counted = await self._estimate(now)
        except Exception as error:  # noqa: BLE001  # whatever an answer provokes costs this look only
            return self._failed(first_fault(error), found)
        self._faults = {batch.target: "the engine could not scrape it" for batch in found if not batch.up}
        past, computed = await self._told(now, deadline), await self._told_estimates(now, deadline)
        self._estimates.done(self._clock.now())
        return (*found, *counted, *past, *computed)

    async def _told_estimates(self, now: Instant, deadline: float) -> tuple[Counted, ...]:
        """The same of SLOs written in PromQL."""

        async def ask(query: str, start: Instant, end: Instant, step: Duration) -> Any:
            async with asyncio.timeout_at(deadline):
                return _complete(await self._api.range(query, start, end, step, RetryBudget(RETRIES))).data

        counted = await self._estimates_backfill.read(now, ask)
        if self._estimates_backfill.fault:
            said = (self._faults.get(self._server.url, ""), self._estimates_backfill.fault)
            self._faults[self._server.url] = "; ".join(filter(None, said))
        return counted

    async def _told(self, now: Instant, deadline: float) -> tuple[Past, ...]:
        """What was missed, as much of it as one look reads, in the time that is left of it."""

        async def raw(at: Instant, window: Duration) -> tuple[list[Any], list[Any]]:
            async with asyncio.timeout_at(deadline):
                return await self._raw(at, window, RetryBudget(RETRIES))

        past = await self._backfill.read(now, raw, self._samples)
        if self._backfill.fault:
            self._faults[self._server.url] = self._backfill.fault
        return past

    async def close(self) -> None:
        """Let go of connections."""
        await self._api.close()

    async def _look(self, now: Instant, found: list[Batch]) -> None:
        """All questions at one instant. What is found is added at once."""
        if not self._queries:
            return
        counters, ups = await self._raw(now, now - self._since(now), RetryBudget(RETRIES))
        found += self._samples.batches(counters, ups)
        self._read_to = now

    def _since(self, now: Instant) -> Instant:
        """Where a look begins: a minute before the one before it.

        After an outage or a restart it begins a look and a minute ago. What was not read before that is missing where
        the time between is a gap to whoever counts; where it is none, nothing would be missed, and it is read now.
        """
        farthest = now - self._late - self._server.interval
        oldest = farthest - NO_GAP * self._server.interval
        if self._read_to is not None:
            return self._read_to - self._late if self._read_to >= oldest else farthest
        return min((at for at in self._samples.read_to.values() if oldest <= at <= farthest), default=farthest)

    async def _raw(self, at: Instant, window: Duration, budget: RetryBudget) -> tuple[list[Any], list[Any]]:
        gate = asyncio.Semaphore(AT_ONCE)

        async def ask(query: str) -> list[Any]:
            async with gate:
                return _matrix(await self._api.instant(over(query, window), at, budget))

        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(ask(query)) for query in (*self._queries, UP)]
        *counters, ups = [task.result() for task in asked]
        return [series for result in counters for series in result], ups

    async def _estimate(self, now: Instant) -> tuple[Counted, ...]:
        """Events of SLOs written in PromQL, which the engine computes."""
        if not self._estimates.queries:
            return ()
        budget = RetryBudget(RETRIES)
        texts = self._estimates.texts(now)
        answers = [_complete(await self._api.instant(text, now, budget)).data for text in texts]
        return (self._estimates.counted(answers, now),)

    def _failed(self, fault: Fault, found: Sequence[Batch]) -> tuple[Batch, ...]:
        """What was read before the fault was read once and for all; every target is unknown from there on."""
        self._faults = {self._server.url: fault.detail}
        self._estimates.skip()
        targets = self._samples.targets or (self._server.url,)
        return (*found, *(down(target, self._clock.now(), fault.reason) for target in targets))


def _complete(answer: Answer) -> Answer:
    """The answer, unless the engine says that it could not see everything: what it lacks must not read as zero."""
    if answer.warnings:
        raise Fault(FaultReason.PARTIAL, f"the engine could not see everything: {'; '.join(answer.warnings)[:300]}")
    return answer


def _matrix(answer: Answer) -> list[Any]:
    data = _complete(answer).data
    if not isinstance(data, dict) or data.get("resultType") != "matrix" or not isinstance(data.get("result"), list):
        raise Fault(FaultReason.MALFORMED, "the answer holds no raw samples: is this a Prometheus API?")
    found: list[Any] = data["result"]
    return found
