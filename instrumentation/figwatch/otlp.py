"""Export over OTLP, from a thread of its own: spans off the bounded queue, metrics from the cells. Extra [otlp].

No request ever waits for a collector. What could not be sent is tried again, as the specification says, for a minute at
most; spans are then dropped, and counted. At exit the thread gets two seconds for what is left.
"""

import atexit
import logging
import os
import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from figwatch import contract
from figwatch.otlp_messages import metrics_request, traces_request
from figwatch.otlp_settings import GRPC, SPANS, Destination, Settings, settings_from
from figwatch.otlp_transport import PARTIAL, Delivery, Transport
from figwatch.telemetry import Telemetry
from figwatch.tracing import SpanQueue, SpanRecord

EXIT_PATIENCE: Final = 2.0
"""Seconds a process that ends waits for its last export."""
PATIENCE: Final = 60.0
"""Seconds after its first attempt that a request is tried again."""
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
"""Seconds between attempts: doubled each time, and spread by chance so that a restarted collector is not run over."""

_logger = logging.getLogger("figwatch")


def start(telemetry: Telemetry, resource: Mapping[str, str]) -> "Drain | None":
    """Start draining this process; None, with a warning, where the variables ask for what we do not speak."""
    settings = settings_from(os.environ)
    if not settings.destinations:
        return None
    drain = Drain(telemetry, settings, resource)
    drain.start()
    atexit.register(drain.stop)
    telemetry.stop_export = drain.stop
    telemetry.after_fork.append(drain.restart)
    _stop_at_the_end_of_forked_processes(drain)
    return drain


def _stop_at_the_end_of_forked_processes(drain: "Drain") -> None:
    """multiprocessing ends its forked children without atexit, but with finalizers of its own."""
    from multiprocessing import util

    util.register_after_fork(drain, lambda mine: util.Finalize(None, mine.stop, exitpriority=0))


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


class Drain:
    """The thread that sends."""

    def __init__(
        self,
        telemetry: Telemetry,
        settings: Settings,
        resource: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Sends nothing before `start`. `clock` gives seconds that never go back, `chance` numbers from 0 to 1."""
        self._telemetry = telemetry
        self._settings = settings
        self._given = dict(resource)
        self._clock = clock
        self._chance = chance
        self._stopping = False
        self._patience = EXIT_PATIENCE
        self._begin()

    def start(self) -> None:
        """Take spans from now on, and begin to send."""
        if any(destination.signal == SPANS for destination in self._settings.destinations):
            self._telemetry.span_sink = self._queue.put
        self._thread.start()

    def _close(self) -> None:
        """No room: spans are counted as missed and not even made, which is what a dead collector may cost."""
        if self._telemetry.span_sink == self._queue.put:
            self._telemetry.span_missed = self._queue.miss
            self._telemetry.span_sink = None

    def _reopen(self) -> None:
        if self._telemetry.span_missed == self._queue.miss and self._queue.has_room:
            self._telemetry.span_missed = None
            if self._telemetry.span_sink is None:
                self._telemetry.span_sink = self._queue.put

    def stop(self, patience: float = EXIT_PATIENCE) -> None:
        """Send what is left, within `patience` seconds in all, and end. Later calls do nothing."""
        self._let_go()
        if not self._stopping:
            self._patience = patience
            self._stopping = True
            self._wake.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(patience)
        self._queue.settle()

    def restart(self) -> None:
        """In a forked child: the thread stayed behind, what waits belongs to the parent, and so do its connections."""
        if self._stopping:
            return
        ours = self._let_go()
        self._begin()
        if ours:
            self._telemetry.span_sink = self._queue.put
        self._thread.start()

    def _let_go(self) -> bool:
        """Take no more spans; whether any came here. Another's sink (a test's, a provider's) is left alone."""
        ours = self._telemetry.span_sink == self._queue.put
        if ours:
            self._telemetry.span_sink = None
        if self._telemetry.span_missed == self._queue.miss:
            self._telemetry.span_missed = None
            ours = True
        return ours

    def _begin(self) -> None:
        self._wake = threading.Event()
        self._thread: threading.Thread = threading.Thread(target=self._run, name="figwatch-otlp", daemon=True)
        self._queue: SpanQueue = SpanQueue(
            self._telemetry.health.span_dropped, self._settings.queue, self._settings.batch, self._wake.set, self._close
        )
        resource = resource_of(self._given)
        self._lanes = [self._lane(destination, resource) for destination in self._settings.destinations]

    def _lane(self, destination: Destination, resource: Mapping[str, str]) -> "SpanLane | MetricLane":
        shared = (self._telemetry, self._clock(), self._chance)
        if destination.signal == SPANS:
            interval = self._settings.span_interval
            return SpanLane(self._queue, self._settings.batch, resource, destination, interval, *shared)
        return MetricLane(resource, destination, self._settings.metric_interval, *shared)

    def _run(self) -> None:
        while not self._stopping:
            pause = min(lane.next() for lane in self._lanes) - self._clock()
            self._wake.wait(min(max(pause, 0.0), threading.TIMEOUT_MAX))
            self._wake.clear()
            for lane in self._lanes:
                if not self._stopping:
                    self._step(lane)
        until = self._clock() + self._patience
        for lane in self._lanes:
            self._step(lane, until - self._clock(), last=True)
            lane.close()

    def _step(self, lane: "SpanLane | MetricLane", patience: float = PATIENCE, *, last: bool = False) -> None:
        if patience <= 0:
            return
        try:
            lane.step(self._clock, patience, last=last)
            if not last:
                self._reopen()
        except Exception as error:  # noqa: BLE001 - the thread's edge: it must outlive whatever a collector does
            lane.due = self._clock() + LONGEST_PAUSE
            self._telemetry.health.fault("otlp", error)


def resource_of(given: Mapping[str, str]) -> dict[str, str]:
    """Who sends: each process has an instance id of its own, so that the counts of workers are never mixed up."""
    return {
        "telemetry.sdk.name": "figwatch",
        "telemetry.sdk.language": "python",
        "telemetry.sdk.version": contract.__version__,
        "service.instance.id": str(uuid.uuid4()),
        **given,
    }
