"""One signal on its way to its collector: when it is due, what is sent, and what becomes of it."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from figwatch import contract
from figwatch.otlp_messages import metrics_request, traces_request
from figwatch.otlp_settings import GRPC, Destination
from figwatch.otlp_transport import PARTIAL, Delivery, Transport
from figwatch.span_queue import SpanQueue
from figwatch.span_record import SpanRecord
from figwatch.telemetry import Telemetry

PATIENCE: Final = 60.0
"""Seconds after its first attempt that a request is tried again."""
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
"""Seconds between attempts: doubled each time, and spread by chance so that a restarted collector is not run over."""

_logger = logging.getLogger("figwatch")


def transport_to(destination: Destination) -> Transport:
    """The transport that speaks the destination's protocol; grpcio is loaded only for those who use it."""
    if destination.protocol == GRPC:
        from figwatch.otlp_grpc import GrpcTransport

        return GrpcTransport(destination)
    from figwatch.otlp_http import HttpTransport

    return HttpTransport(destination)


class Attempts:
    """When one signal may be sent again, after requests that failed."""

    def __init__(self, chance: Callable[[], float]) -> None:
        """`chance` gives numbers from 0 to 1."""
        self._chance = chance
        self._pause = FIRST_PAUSE
        self._first: float | None = None
        self.not_before = 0.0

    def succeeded(self) -> None:
        """The next failure is a first one."""
        self._pause, self._first = FIRST_PAUSE, None

    def failed(self, now: float, wait: float | None) -> bool:
        """Note a failure; False if its request has been tried for long enough."""
        pause = wait if wait is not None else self._pause * (0.5 + self._chance())
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        self._first = self._first if self._first is not None else now
        self.not_before = now + pause
        if self.not_before <= self._first + PATIENCE:
            return True
        self._first = None  # the next request begins a count of its own, but not before the collector wants it
        return False


class Lane:
    """One signal on its way out: when it is due, and what becomes of it."""

    def __init__(
        self, destination: Destination, interval: float, telemetry: Telemetry, now: float, chance: Callable[[], float]
    ) -> None:
        """`interval` is seconds; `now` a reading of the drain's clock."""
        self._destination = destination
        self._interval = interval
        self._telemetry = telemetry
        self._transport: Transport | None = None
        self._told: set[str] = set()
        self.attempts = Attempts(chance)
        self.due = now + interval

    def close(self) -> None:
        """Let connections go."""
        if self._transport is not None:
            self._transport.close()

    def next(self) -> float:
        """When this lane wants to be looked at."""
        return max(self.due, self.attempts.not_before)

    def send(self, body: bytes, patience: float) -> Delivery:
        """One request, at most as long as the destination's timeout and `patience` allow."""
        if self._transport is None:
            self._transport = transport_to(self._destination)
        delivery = self._transport.send(body, min(self._destination.timeout, patience))
        if delivery.reason:
            self._note(delivery)
        return delivery

    def _note(self, delivery: Delivery) -> None:
        signal, reason = self._destination.signal, delivery.reason
        self._telemetry.health.export_failed(signal, reason)
        if reason not in self._told:
            self._told.add(reason)
            _logger.warning(
                "export of %s to %s failed (%s): %s; later ones are only counted in %s",
                signal, self._destination.url, reason, delivery.message, contract.EXPORT_FAILURES,
            )  # fmt: skip


class SpanLane(Lane):
    """Spans: in batches, each tried again until it is taken, refused or too old."""

    def __init__(self, queue: SpanQueue, batch: int, resource: Mapping[str, str], *lane: Any) -> None:
        """`lane` is what every lane takes."""
        super().__init__(*lane)
        self._queue = queue
        self._batch = batch
        self._resource = resource
        self._pending: list[SpanRecord] = []

    def step(self, now: Callable[[], float], patience: float = PATIENCE, *, last: bool = False) -> None:
        """Send what is due; with `last` everything that waits."""
        self._queue.settle()
        began = now()
        if not last and (began < self.attempts.not_before or (began < self.due and len(self._queue) < self._batch)):
            return
        self.due = began + self._interval
        while (self._pending or len(self._queue)) and (left := began + patience - now()) > 0:
            if not last and now() < self.attempts.not_before:
                return
            self._pending = self._pending or self._queue.take(self._batch)
            delivery = self.send(traces_request(self._pending, self._resource), left)
            if not delivery.again:
                self.attempts.succeeded()
            elif self.attempts.failed(now(), delivery.wait):
                self.due = self.attempts.not_before
                return
            self._finish(delivery)

    def _finish(self, delivery: Delivery) -> None:
        lost = {"": 0, PARTIAL: delivery.rejected}.get(delivery.reason, len(self._pending))
        if lost:
            self._telemetry.health.span_dropped(min(lost, len(self._pending)))
        self._pending = []


class MetricLane(Lane):
    """Metrics: they are cumulative, so that a later export makes good what an earlier one could not say."""

    def __init__(self, resource: Mapping[str, str], *lane: Any) -> None:
        """`lane` is what every lane takes."""
        super().__init__(*lane)
        self._resource = resource

    def step(self, now: Callable[[], float], patience: float = PATIENCE, *, last: bool = False) -> None:
        """Send what is due. A process that has counted nothing says nothing."""
        began = now()
        if not last and began < self.next():
            return
        self.due = began + self._interval
        body = metrics_request(self._telemetry, self._resource)
        if body is None:
            return
        delivery = self.send(body, patience)
        if not delivery.again:
            self.attempts.succeeded()
        elif self.attempts.failed(now(), delivery.wait):
            self.due = self.attempts.not_before
