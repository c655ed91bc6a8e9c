"""Spans and metrics over OTLP/HTTP, to a receiver that reads them with OpenTelemetry's own message classes."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from figwatch import contract, launch, otlp
from figwatch.cells import Definition
from figwatch.gateway import Decision, Edge
from figwatch.otlp import Drain, Settings, settings_from
from figwatch.telemetry import Telemetry
from figwatch.testing import recording
from support.library import BIRTH, fresh_telemetry

FAILED = Decision(route_template="/a/{id}", side="service")


class Receiver(ThreadingHTTPServer):
    """Keeps what is posted; answers with `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[tuple[str, bytes, str | None]] = []
        self.status = 200

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def spans(self) -> list[str]:
        names = []
        for path, body, _key in list(self.bodies):
            if path == "/v1/traces":
                message = ExportTraceServiceRequest.FromString(body)
                names += [s.name for r in message.resource_spans for scope in r.scope_spans for s in scope.spans]
        return names


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.status == 200:
            self.server.bodies.append((self.path, body, self.headers["X-Key"]))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited ten seconds in vain"
        threading.Event().wait(0.005)


def serve_one(telemetry: Telemetry) -> None:
    with Edge(telemetry=telemetry).observe("GET", "/a/1", FAILED) as seen:
        seen.upstream_failed()


def settings(receiver: Receiver, **more: float) -> Settings:
    return Settings(
        traces_url=receiver.url("/v1/traces"),
        metrics_url=receiver.url("/v1/metrics"),
        headers={"X-Key": "s3cret"},
        span_interval=more.get("span_interval", 0.01),
        metric_interval=more.get("metric_interval", 3600),
    )


def test_a_finished_request_arrives_as_a_server_span(receiver: Receiver) -> None:
    telemetry = fresh_telemetry()
    drain = Drain(telemetry, settings(receiver), {"service.name": "gateway"})
    drain.start()
    serve_one(telemetry)
    wait_until(lambda: len(receiver.spans()) == 1)
    drain.stop()
    path, body, key = receiver.bodies[0]
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    (span,) = resource.scope_spans[0].spans
    attributes = {pair.key: pair.value.string_value or pair.value.int_value for pair in span.attributes}
    assert (path, key) == ("/v1/traces", "s3cret")
    assert resource.resource.attributes[0].value.string_value == "gateway"
    assert span.name == "GET /a/{id}"
    assert span.kind == 2  # server
    assert span.status.code == 2  # error
    assert attributes["http.response.status_code"] == 502
    assert attributes["error.type"] == "upstream_failure"
    assert attributes["figwatch.served_by"] == "service"


def test_at_the_end_what_waits_is_sent_spans_and_metrics(receiver: Receiver) -> None:
    telemetry = fresh_telemetry()
    definition = Definition(name="things_total", help="Things.", kind="counter", unit="", labels=())
    telemetry.cells.counter(definition, cap=1, folded=telemetry.health.folded).cell(()).add(3)
    drain = Drain(telemetry, settings(receiver, span_interval=3600), {})
    drain.start()
    serve_one(telemetry)
    drain.stop(patience=10)
    assert receiver.spans() == ["GET /a/{id}"]
    (body,) = [body for path, body, _key in receiver.bodies if path == "/v1/metrics"]
    metrics = {
        m.name: m for m in ExportMetricsServiceRequest.FromString(body).resource_metrics[0].scope_metrics[0].metrics
    }
    (point,) = metrics[contract.REQUEST_DURATION].histogram.data_points
    assert metrics[contract.REQUEST_DURATION].unit == "s"
    assert tuple(point.explicit_bounds) == contract.BUCKETS
    assert point.count == sum(point.bucket_counts) == 1
    assert point.start_time_unix_nano == int(BIRTH * 1e9)
    assert metrics["things_total"].sum.data_points[0].as_int == 3
    assert metrics["things_total"].sum.is_monotonic


def test_a_collector_that_refuses_costs_spans_that_are_counted_and_nothing_else(receiver: Receiver) -> None:
    telemetry = fresh_telemetry()
    receiver.status = 503
    drain = Drain(telemetry, settings(receiver), {})
    with recording(telemetry) as recorded:
        drain.start()
        serve_one(telemetry)
        wait_until(lambda: recorded.value(contract.DROPPED_SPANS) == 1)
        receiver.status = 200
        serve_one(telemetry)
        wait_until(lambda: len(receiver.spans()) == 1)
        drain.stop()
        assert recorded.faults() == 0


def test_a_collector_that_comes_back_in_time_gets_the_span(receiver: Receiver) -> None:
    telemetry = fresh_telemetry()
    receiver.status = 503
    drain = Drain(telemetry, settings(receiver, span_interval=3600), {})
    serve = telemetry.span_sink
    assert serve is None
    drain.start()
    serve_one(telemetry)
    receiver.status = 200
    drain.stop(patience=10)
    assert receiver.spans() == ["GET /a/{id}"]


def test_without_an_endpoint_no_thread_starts() -> None:
    telemetry = fresh_telemetry()
    before = threading.active_count()
    launch.start_export(telemetry, "x", {})
    launch.start_export(telemetry, "x", {"OTEL_EXPORTER_OTLP_ENDPOINT": ""})
    launch.start_export(telemetry, "x", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "TRUE"})
    assert threading.active_count() == before
    assert telemetry.span_sink is None


def test_what_we_do_not_speak_is_refused_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in [("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")]:
        monkeypatch.setenv(name, value)
    with caplog.at_level(logging.WARNING):
        assert otlp.start(fresh_telemetry(), {}) is None
    assert "http/protobuf" in caplog.text


def test_settings_come_from_opentelemetrys_variables() -> None:
    found = settings_from(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318/",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://elsewhere/m",
            "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20b, x = y ,nonsense",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "3",
            "OTEL_BSP_SCHEDULE_DELAY": "250",
            "OTEL_METRIC_EXPORT_INTERVAL": "soon",
        }
    )
    assert found == Settings(
        traces_url="http://collector:4318/v1/traces",
        metrics_url="http://elsewhere/m",
        headers={"api-key": "a b", "x": "y"},
        timeout=3.0,
        span_interval=0.25,
        metric_interval=60.0,
    )


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"OTEL_SERVICE_NAME": "chat"}, "chat"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "team=a,service.name=chat"}, "chat"),
        ({"OTEL_SERVICE_NAME": "chat", "OTEL_RESOURCE_ATTRIBUTES": "service.name=other"}, "chat"),
        ({}, "unknown_service"),
    ],
)
def test_the_service_is_named_by_opentelemetrys_variables(environment: dict[str, str], name: str) -> None:
    assert launch.service_name(environment) == name
