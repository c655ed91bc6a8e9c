"""The agent's own counters: what it did, how long that took and whether it is well, for the /metrics page of the agent.

Every name begins with ``figwatch_agent_``. Label values are closed words or names of figwatch.yaml, so their number is
bounded. A figure that is no finite number is left out: no page ever says NaN or Inf.
"""

import math
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from figwatch import contract
from figwatch_agent.durations import SECOND, Instant

TICK_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds. A tick scrapes, so it lasts as long as the slowest scrape target that still answers in time."""


class Telemetry:
    """Counters on a registry of their own, so that two agents in one process never mix."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._ticks = self._counter("ticks", "Ticks that were finished.")
        self._ticks_failed = self._counter("tick_failures", "Ticks that ended in an error of the agent itself.")
        self._tick_seconds = Histogram(
            "figwatch_agent_tick_seconds",
            "Seconds from the start of a tick to its end, scraping included.",
            buckets=TICK_BUCKETS,
            registry=self._registry,
        )
        self._commits_failed = self._counter("commit_failures", "Ticks in which the store took no commit.")
        self._committed_at = self._gauge(
            "last_commit_timestamp_seconds",
            "When the newest committed tick was made, seconds since the epoch; 0: never.",
        )
        self._store_healthy = self._gauge("store_healthy", "1 while the newest commit went through, else 0.")
        self._scrapes_failed = self._counter(
            "scrape_failures", "Scrapes without a usable answer, by the reason.", "reason"
        )
        self._deliveries = self._counter(
            "deliveries", "Attempts to deliver a page, by receiver and what became of them.", "receiver", "result"
        )
        self._member_requests = self._counter(
            "alertmanager_requests",
            "Requests to each member of an Alertmanager, resends included, by what became of them.",
            "receiver",
            "member",
            "result",
        )
        self._left_out = self._counter(
            "alertmanager_truncated", "Alerts that an Alertmanager left out of what it told the agent."
        )
        self._oldest_pending = self._gauge(
            "oldest_pending_page_seconds", "Age of the oldest page that nobody has taken yet; 0: none waits."
        )
        self._open = self._gauge("open_incidents", "Incidents that are not resolved, by severity.", "severity")
        self._wall_step = self._gauge(
            "wall_clock_step_seconds", "How far the wall clock moved away from the agent's clock since the start."
        )
        build = self._gauge("build_info", "Always 1; the label says which version this is.", "version")
        build.labels(contract.__version__).set(1)
        self.open_incidents(0, 0)

    @property
    def content_type(self) -> str:
        """Media type of what ``render`` gives."""
        return CONTENT_TYPE_LATEST

    def tick(self, seconds: float) -> None:
        """A tick was finished after this many seconds."""
        self._ticks.inc()
        if math.isfinite(seconds):
            self._tick_seconds.observe(max(seconds, 0.0))

    def tick_failed(self) -> None:
        """A tick ended in an error of the agent itself."""
        self._ticks_failed.inc()

    def committed(self, at: Instant) -> None:
        """The store took the tick made at this instant."""
        self._store_healthy.set(1)
        self._committed_at.set(at / SECOND)

    def commit_failed(self) -> None:
        """The store took no commit."""
        self._store_healthy.set(0)
        self._commits_failed.inc()

    def scrape_failed(self, target_reason: str) -> None:
        """A scrape target gave no usable answer; ``target_reason`` is a closed word of model.batch."""
        self._scrapes_failed.labels(target_reason).inc()

    def delivered(self, receiver: str, result: str) -> None:
        """One attempt to deliver ended; ``result`` is accepted, retry, refused or unconfirmed."""
        self._deliveries.labels(receiver, result).inc()

    def member_told(self, receiver: str, member: str, result: str) -> None:
        """One request to an Alertmanager ended; ``member`` is its place in the receiver's list, from 1."""
        self._member_requests.labels(receiver, member, result).inc()

    def alerts_left_out(self, number: int) -> None:
        """An Alertmanager told the agent of a group without so many of its alerts."""
        self._left_out.inc(number)

    def oldest_pending(self, seconds: float) -> None:
        """Age of the oldest page that waits; 0 where none does."""
        if math.isfinite(seconds):
            self._oldest_pending.set(max(seconds, 0.0))

    def open_incidents(self, page: int, ticket: int) -> None:
        """How many incidents are open, by severity."""
        self._open.labels("page").set(page)
        self._open.labels("ticket").set(ticket)

    def wall_step(self, ms: int) -> None:
        """How far the wall clock moved away from the agent's, in milliseconds."""
        self._wall_step.set(ms / SECOND)

    def render(self) -> bytes:
        """The page, in the text format of Prometheus."""
        return generate_latest(self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"figwatch_agent_{name}", text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"figwatch_agent_{name}", text, labels, registry=self._registry)
