"""The application's own TracerProvider: its sampler decides, and its processors get our spans.

Spans wait as tuples, and become `ReadableSpan`s on a thread of ours that starts with the first one. `force_flush` and
`shutdown` of the provider hand over what waits. Providers that are not OpenTelemetry's SDK have no place to put a
finished span: they are left alone, and so is this process's own export.
"""

import os
import threading
from collections.abc import Callable
from typing import Any, Final, cast

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event as SdkEvent
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState
from opentelemetry.trace.propagation import set_span_in_context

from figwatch import contract
from figwatch.notes import Notes
from figwatch.sampling import Sampler, from_description, never
from figwatch.span_queue import SpanQueue
from figwatch.span_record import Ended, SpanRecord
from figwatch.telemetry import Telemetry
from figwatch.tracing import SAMPLED, LightSpan

INTERVAL: Final = 0.5
"""Seconds a finished span waits at most before the processors get it."""
_BATCH: Final = 512
_SCOPE: Final = InstrumentationScope("figwatch", contract.__version__)
_OWN: Final = ("opentelemetry.sdk.trace", "figwatch.")  # their on_start does nothing
_KINDS: Final = {"server": SpanKind.SERVER, "consumer": SpanKind.CONSUMER}


def adopt(telemetry: Telemetry, provider: object) -> None:
    """Follow the sampler of a provider of OpenTelemetry's SDK from now on, and hand spans to its processors."""
    if not isinstance(provider, TracerProvider):
        return
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        telemetry.sampler = never
        return
    bridge = Bridge(telemetry, provider)
    bridge.join()
    telemetry.sampler = bridge.sample
    telemetry.bridged = True
    telemetry.span_sink, telemetry.span_missed = bridge.put, None
    telemetry.after_fork.append(bridge.restart)


def sampler_of(provider: TracerProvider) -> Sampler:
    """The provider's sampler: OpenTelemetry's plain ones compiled, any other asked for each request."""
    plain = type(provider.sampler).__module__ == "opentelemetry.sdk.trace.sampling"
    compiled = from_description(provider.sampler.get_description()) if plain else None
    return compiled if compiled is not None else _asking(provider)


def _asking(provider: TracerProvider) -> Sampler:
    def sample(span: LightSpan, method: str, path: Callable[[Any], str], carrier: Any) -> None:
        parent = set_span_in_context(_Parent(span), Context()) if span.parent_id else Context()
        attributes = {"http.request.method": method, "url.path": path(carrier)}
        result = provider.sampler.should_sample(parent, int(span.trace_id, 16), method, SpanKind.SERVER, attributes)
        sampled = result.decision is Decision.RECORD_AND_SAMPLE
        span.flags = span.flags | SAMPLED if sampled else span.flags & ~SAMPLED
        if result.trace_state is not None:
            span.tracestate = result.trace_state.to_header()
        added = {key: value for key, value in (result.attributes or {}).items() if key not in attributes}
        if sampled and added:
            span.recording = True
            span.set_attributes(added)

    return sample


class _Parent(LightSpan):
    """The caller's span, as a sampler sees it."""

    def __init__(self, ours: LightSpan) -> None:
        super().__init__(ours.caller, ours.flags, ours.tracestate, int(ours.parent_id, 16))

    def get_span_context(self) -> SpanContext:
        return _context(self.trace_id, self.span_id, self.flags, self.tracestate, is_remote=True)


class Bridge(SpanProcessor):
    """Hands our spans to the other processors of one provider. It is one itself to hear of flush and shutdown."""

    def __init__(self, telemetry: Telemetry, provider: TracerProvider) -> None:
        """Starts no thread before the first span."""
        self._telemetry = telemetry
        self._provider = provider
        self._queue = SpanQueue(telemetry.health.span_dropped)
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._sampler = sampler_of(provider)
        self._seen: tuple[SpanProcessor, ...] = ()
        self._starting: list[SpanProcessor] = []

    def join(self) -> None:
        """Become the first of the provider's processors, so that those who send are shut down after us."""
        multi = self._provider._active_span_processor  # the SDK gives no other way to the processors
        with multi._lock:
            multi._span_processors = (self, *multi._span_processors)

    def sample(self, span: LightSpan, method: str, path: Callable[[Any], str], carrier: Any) -> None:
        """Let the provider's sampler decide, and tell those processors that take part in the beginning of a span."""
        self._sampler(span, method, path, carrier)
        processors = self._provider._active_span_processor._span_processors
        if processors is not self._seen:
            self._seen = processors
            self._starting = [each for each in processors if not type(each).on_start.__module__.startswith(_OWN)]
        if self._starting and span.flags & SAMPLED:
            span.recording = True
            for each in self._starting:
                each.on_start(cast(Span, span), otel_context.get_current())

    def put(self, ended: Ended) -> None:
        """Let a finished span wait for the thread; called on the request's path."""
        if self._thread is None:
            self._start()
        self._queue.put(ended)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """A span of the SDK begins: not ours."""

    def on_end(self, span: ReadableSpan) -> None:
        """A span of the SDK ended: not ours."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Hand over what waits: the processors behind us are flushed after us."""
        self._drain()
        return True

    def shutdown(self) -> None:
        """Hand over what waits, to processors that are shut down after us; what comes later is theirs to refuse."""
        self._stopped.set()
        self._drain()

    def restart(self) -> None:
        """In a forked child: the thread stayed behind, and what waits belongs to the parent."""
        self._queue = SpanQueue(self._telemetry.health.span_dropped)
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = None

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="figwatch-spans", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stopped.wait(INTERVAL):
            self._drain()

    def _drain(self) -> None:
        try:
            with self._lock:
                while records := self._queue.take(_BATCH):
                    self._hand_over(records)
        except Exception as error:  # noqa: BLE001 - the thread's edge: it must outlive whatever a processor does
            self._telemetry.health.fault("provider", error)

    def _hand_over(self, records: list[SpanRecord]) -> None:
        others = self._others()
        for record in records:
            span = readable(record, self._provider.resource)
            for each in others:
                each.on_end(span)

    def _others(self) -> list[SpanProcessor]:
        processors = self._provider._active_span_processor._span_processors
        return [each for each in processors if each is not self]


def readable(record: SpanRecord, resource: Resource) -> ReadableSpan:
    """A finished request as the SDK's exporters read it."""
    notes = record.notes if record.notes is not None else Notes()
    state = record.tracestate
    return ReadableSpan(
        name=record.name,
        context=_context(record.trace_id, record.span_id, SAMPLED, state, is_remote=False),
        parent=_context(record.trace_id, record.parent_id, SAMPLED, state, is_remote=True)
        if record.parent_id
        else None,
        resource=resource,
        attributes=record.attributes(),
        events=[SdkEvent(event.name, event.attributes, event.timestamp) for event in notes.events],
        links=[Link(link.context, link.attributes) for link in notes.links],
        kind=_KINDS[notes.kind],
        status=_status(record, notes),
        start_time=record.start,
        end_time=record.end,
        instrumentation_scope=_SCOPE,
    )


def _status(record: SpanRecord, notes: Notes) -> Status:
    if notes.status is not StatusCode.UNSET:
        return Status(notes.status, notes.description or None)
    return Status(StatusCode.ERROR if record.failed else StatusCode.UNSET)


def _context(trace_id: str, span_id: str, flags: int, tracestate: str, *, is_remote: bool) -> SpanContext:
    state = TraceState.from_header([tracestate]) if tracestate else None
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote, TraceFlags(flags), state)
