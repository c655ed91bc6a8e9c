"""A request through Flask: beside OpenTelemetry's instrumentation with everything on, and a metrics exporter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from flask import Flask
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from prometheus_client import CollectorRegistry
from prometheus_flask_exporter import PrometheusMetrics  # type: ignore[import-untyped]  # ships no types

import figwatch
from bench import apart, traffic
from bench.asgi_request import comparison
from bench.peers import sdk
from bench.row import Row
from bench.turns import Serve, spent
from figwatch.span_queue import QUEUE_LENGTH, SpanQueue
from figwatch.telemetry import process

TRACED_LIMIT: Final = 1 / 15
METRICS_LIMIT: Final = 1 / 2.5


def rows() -> Iterator[Row]:
    """Measured in a process of its own."""
    yield from apart.rows_of("flask_request")


def application() -> Flask:
    """A new one with one route."""
    app = Flask(__name__)

    @app.get("/api/v1/chat/<int:number>")
    def chat(number: int) -> dict[str, int]:
        return {"answer": number}

    return app


def measured() -> Iterator[Row]:
    """Two rows."""
    peer = sdk()
    telemetry = process()
    queue = SpanQueue(telemetry.health.span_dropped)
    ours = figwatch.instrument(application(), "chat")
    contrib = application()
    instrument_app: Any = FlaskInstrumentor().instrument_app
    instrument_app(contrib, tracer_provider=peer.tracers, meter_provider=peer.meters)
    exporter = application()
    PrometheusMetrics(exporter, registry=CollectorRegistry())

    def rest() -> None:
        queue.take(QUEUE_LENGTH)
        peer.empty()

    def serving(app: Flask, *, traced: bool = False) -> Serve:
        def serve(number: int) -> None:
            telemetry.span_sink = queue.put if traced else None
            for _ in range(number):
                answer = app(traffic.environ(), start_response)
                b"".join(answer)
                close = getattr(answer, "close", None)
                if close is not None:
                    close()

        return serve

    found = spent(
        {
            "bare": serving(application()),
            "ours": serving(ours, traced=True),
            "metrics only": serving(ours),
            "contrib": serving(contrib),
            "exporter": serving(exporter),
        },
        rest,
    )
    yield comparison("Flask, everything on / OpenTelemetry's", found, TRACED_LIMIT, peer="contrib")
    yield comparison("Flask, metrics / prometheus-flask-exporter", found, METRICS_LIMIT, "metrics only", "exporter")
    peer.tracers.shutdown()


def start_response(_status: str, _headers: list[tuple[str, str]], _exc_info: Any = None, /) -> Any:
    """The server's end."""
    return _written


def _written(_data: bytes) -> None:
    """A chunk that an application writes."""
