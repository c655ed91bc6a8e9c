"""The whole CPU of one exported server span: made, queued, drained and encoded, beside OpenTelemetry's SDK."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from statistics import median
from typing import Final

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bench import apart, traffic
from bench.row import Row
from figwatch.migration import SideRule
from figwatch.observation import Observer
from figwatch.otlp_messages import traces_request
from figwatch.routes import Routes
from figwatch.server import asgi
from figwatch.span_queue import SpanQueue
from figwatch.telemetry import Telemetry

LIMIT: Final = 1 / 4
SPANS: Final = 500
"""In one batch: it fits both queues."""
ROUNDS: Final = 41
SERVICE: Final = {"service.name": "chat"}
CALLER: Final = {name: value for name, value in traffic.HEADERS if name == "traceparent"}
ATTRIBUTES: Final[Mapping[str, str | int]] = {
    "http.request.method": "GET",
    "http.route": traffic.TEMPLATE,
    "url.path": traffic.TEMPLATE,
    "http.response.status_code": 200,
    "figwatch.served_by": "service",
    "figwatch.vantage": "application",
}
"""What ours carries: theirs carries as much."""


def rows() -> Iterator[Row]:
    """Measured in a process of its own."""
    yield from apart.rows_of("exported_span")


class Encoding(SpanExporter):
    """Encodes, and sends nothing."""

    def export(self, spans: object) -> SpanExportResult:
        """Encode one batch."""
        encode_spans(_of_the_sdk(spans)).SerializeToString()
        return SpanExportResult.SUCCESS


def _of_the_sdk(spans: object) -> list[ReadableSpan]:
    return list(spans) if isinstance(spans, (list, tuple)) else []


def sdks() -> Callable[[], None]:
    """A batch by OpenTelemetry's SDK: a span with a remote parent, attributes, end; then flush."""
    provider = TracerProvider(resource=Resource(SERVICE))
    provider.add_span_processor(BatchSpanProcessor(Encoding(), max_queue_size=SPANS * 2, max_export_batch_size=SPANS))
    tracer = provider.get_tracer("bench")
    propagator = TraceContextTextMapPropagator()

    def batch() -> None:
        for _ in range(SPANS):
            context = propagator.extract(CALLER)
            tracer.start_span(
                f"GET {traffic.TEMPLATE}", context=context, kind=SpanKind.SERVER, attributes=ATTRIBUTES
            ).end()
        provider.force_flush()

    return batch


def ours() -> Callable[[], None]:
    """A batch of ours: the whole observation of a request, with its counts; then drain."""
    telemetry = Telemetry()
    queue = SpanQueue(telemetry.health.span_dropped)
    telemetry.span_sink = queue.put
    observer: Observer[asgi.Scope] = Observer(
        telemetry,
        service="chat",
        vantage="application",
        rule=SideRule("service", None, telemetry.health),
        routes=Routes((traffic.TEMPLATE,), telemetry.health.folded),
        reader=asgi,
    )
    scope, parent = traffic.scope(), CALLER["traceparent"]

    def batch() -> None:
        for _ in range(SPANS):
            seen = observer.begin(scope, "GET", parent)
            assert seen is not None
            seen.status = 200
            seen.finish()
        traces_request(queue.take(SPANS), SERVICE)

    return batch


def measured() -> Iterator[Row]:
    """One row, of the whole process's CPU: their export runs on a thread of its own."""
    contenders = {"ours": ours(), "sdk": sdks()}
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, batch in contenders.items():
            started = time.process_time_ns()
            batch()
            found[name].append((time.process_time_ns() - started) / SPANS / 1000)
    own, other = median(found["ours"][2:]), median(found["sdk"][2:])
    yield Row(
        name="a span from request to bytes / OpenTelemetry's SDK",
        ratio=own / other,
        limit=LIMIT,
        note=f"{own:.1f} us / {other:.1f} us: 1/{other / own:.1f}",
    )
