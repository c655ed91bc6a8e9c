"""Export over OTLP, from a thread of its own: spans off the bounded queue, metrics from the cells. Extra [otlp].

No request ever waits for a collector. What could not be sent is tried again, as the specification says, for a minute at
most; spans are then dropped, and counted. At exit the thread gets two seconds for what is left.
"""

import atexit
import os
import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Final

from figwatch import contract
from figwatch.otlp_lanes import LONGEST_PAUSE, PATIENCE, MetricLane, SpanLane
from figwatch.otlp_settings import SPANS, Destination, Settings, settings_from
from figwatch.span_queue import SpanQueue
from figwatch.telemetry import Telemetry

EXIT_PATIENCE: Final = 2.0
"""Seconds a process that ends waits for its last export."""


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
        wanted = any(destination.signal == SPANS for destination in self._settings.destinations)
        if wanted and not self._telemetry.bridged:
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
