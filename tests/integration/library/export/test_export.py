"""Spans and metrics over OTLP, to collectors that read them with OpenTelemetry's own message classes."""

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from types import MappingProxyType

import pytest
from google.protobuf.duration_pb2 import Duration  # type: ignore[import-untyped]  # its stubs are a package of their own
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]  # as above
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # as above
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE

from figwatch import contract
from figwatch.cells import Definition
from figwatch.gateway import Decision, Edge
from figwatch.otlp import Drain
from figwatch.otlp_lanes import Attempts
from figwatch.otlp_settings import GRPC, HTTP, METRICS, SPANS, Destination, Settings
from figwatch.telemetry import Telemetry
from figwatch.testing import recording
from support.collector import (
    Answer,
    Collector,
    deaf_port,
    grpc_collector,
    http_collector,
    plain,
    refusing_port,
    silent_port,
    wait_until,
)
from support.library import BIRTH, Timer, fresh_telemetry

FAILED = Decision(route_template="/a/{id}", side="service")
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNAVAILABLE, RESOURCE_EXHAUSTED, INVALID_ARGUMENT = 14, 8, 3
LATER = {HTTP: Answer(503), GRPC: Answer(UNAVAILABLE)}
NEVER = {HTTP: Answer(400), GRPC: Answer(INVALID_ARGUMENT)}


@pytest.fixture(params=[HTTP, GRPC])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def collector(protocol: str) -> Iterator[Collector]:
    with (http_collector if protocol == HTTP else grpc_collector)() as running:
        yield running


def destination(signal: str, url: str, protocol: str, *, timeout: float = 5.0, gzip: bool = False) -> Destination:
    path = {SPANS: "/v1/traces", METRICS: "/v1/metrics"}[signal] if protocol == HTTP else ""
    return Destination(signal, protocol, url + path, (("X-Key", "s3cret"),), timeout, gzip)


def settings(url: str, protocol: str, *, span_interval: float = 0.01, gzip: bool = False, **more: float) -> Settings:
    return Settings(
        destinations=tuple(destination(signal, url, protocol, gzip=gzip) for signal in (SPANS, METRICS)),
        span_interval=span_interval,
        metric_interval=more.get("metric_interval", 3600),
    )


@contextmanager
def exporting(
    telemetry: Telemetry, chosen: Settings, resource: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Drain]:
    drain = Drain(telemetry, chosen, resource)
    drain.start()
    try:
        yield drain
    finally:
        drain.stop(10)


def serve_one(telemetry: Telemetry, traceparent: str | None = None) -> None:
    edge = Edge(telemetry=telemetry)
    with edge.observe("GET", "/a/1", FAILED, traceparent=traceparent, tracestate="a=b") as seen:
        seen.upstream_failed()


def test_a_request_arrives_as_a_span_with_everything_it_was(protocol: str, collector: Collector) -> None:
    timer = Timer()
    telemetry = fresh_telemetry(timer)
    with exporting(telemetry, settings(collector.url, protocol), {"service.name": "gateway", "team": "a"}):
        with Edge(telemetry=telemetry).observe(
            "GET", "/a/1", FAILED, traceparent=CALLER, tracestate="vendor=1"
        ) as seen:
            timer.now += 0.25
            seen.upstream_failed()
            trace_id = seen.trace_id
        wait_until(lambda: len(collector.spans()) == 1)
    (span,) = collector.spans()
    assert span.trace_id.hex() == trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert span.parent_span_id.hex() == "b7ad6b7169203331"
    assert len(span.span_id) == 8
    assert span.trace_state == "vendor=1"
    assert (span.name, span.kind) == ("GET /a/{id}", span.SPAN_KIND_SERVER)
    assert span.end_time_unix_nano - span.start_time_unix_nano == 250_000_000
    assert span.end_time_unix_nano == telemetry.wall_clock()
    assert span.status.code == span.status.STATUS_CODE_ERROR
    attributes = plain(span.attributes)
    attributes.pop("url.path", None)  # what it may hold is the business of the request path
    assert attributes == {
        "http.request.method": "GET",
        "http.route": "/a/{id}",
        "http.response.status_code": 502,
        "error.type": "upstream_failure",
        "figwatch.served_by": "service",
        "figwatch.vantage": "edge",
    }
    first = collector.arrived[0]
    assert first.headers["x-key"] == "s3cret"
    assert "figwatch/" in first.headers["user-agent"]
    (resource,) = {tuple(sorted(each.items())) for each in collector.resources("traces")}
    assert len(dict(resource).pop("service.instance.id")) == 36
    assert {
        "service.name": "gateway",
        "team": "a",
        "telemetry.sdk.name": "figwatch",
        "telemetry.sdk.language": "python",
        "telemetry.sdk.version": contract.__version__,
    }.items() <= dict(resource).items()
    assert first.message.resource_spans[0].scope_spans[0].scope.name == "figwatch"


def test_requests_business_and_health_arrive_as_cumulative_metrics(protocol: str, collector: Collector) -> None:
    timer = Timer()
    telemetry = fresh_telemetry(timer)
    definition = Definition(name="things_total", help="Things.", kind="counter", unit="", labels=("kind",))
    things = telemetry.cells.counter(definition, cap=9, folded=telemetry.health.folded)
    things.cell(("whole",)).add(3)
    things.cell(("part",)).add(0.5)
    with (
        exporting(telemetry, settings(collector.url, protocol, gzip=True), {"service.name": "gateway"}),
        Edge(telemetry=telemetry).observe("GET", "/a/1", FAILED, traceparent=CALLER) as seen,
    ):
        timer.now += 0.25
        seen.upstream_failed()
    metrics = collector.metrics()
    duration = metrics[contract.REQUEST_DURATION]
    assert (duration.unit, duration.description) == ("s", "Seconds from first byte in to last byte out.")
    assert duration.histogram.aggregation_temporality == AGGREGATION_TEMPORALITY_CUMULATIVE
    (point,) = duration.histogram.data_points
    assert tuple(point.explicit_bounds) == contract.BUCKETS
    assert (point.count, point.sum, list(point.bucket_counts).index(1)) == (1, 0.25, contract.BUCKETS.index(0.25))
    assert sum(point.bucket_counts) == 1
    assert point.start_time_unix_nano == int(BIRTH * 1e9)
    assert point.time_unix_nano == telemetry.wall_clock()
    assert plain(point.attributes) == {
        "http_request_method": "GET",
        "http_route": "/a/{id}",
        "http_response_status_code": "502",
        "error_type": "upstream_failure",
        "served_by": "service",
        "vantage": "edge",
    }
    (exemplar,) = point.exemplars
    assert exemplar.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert exemplar.span_id == collector.spans()[0].span_id
    assert exemplar.as_double == 0.25
    assert exemplar.time_unix_nano == telemetry.wall_clock()
    counted = metrics["things_total"].sum
    assert counted.is_monotonic
    assert counted.aggregation_temporality == AGGREGATION_TEMPORALITY_CUMULATIVE
    values = {plain(point.attributes)["kind"]: point for point in counted.data_points}
    assert (values["whole"].as_int, values["part"].as_double) == (3, 0.5)
    assert metrics[contract.DROPPED_SPANS].sum.data_points[0].as_int == 0
    assert collector.resources("metrics")[-1]["service.name"] == "gateway"


def test_a_process_that_counted_nothing_says_nothing(protocol: str, collector: Collector) -> None:
    with exporting(fresh_telemetry(), settings(collector.url, protocol, metric_interval=0.01)):
        threading.Event().wait(0.1)
    assert collector.arrived == []


def test_metrics_are_sent_again_and_again(collector: Collector, protocol: str) -> None:
    telemetry = fresh_telemetry()
    with exporting(telemetry, settings(collector.url, protocol, metric_interval=0.02)):
        serve_one(telemetry)
        wait_until(lambda: len(collector.resources("metrics")) > 2)
    assert len({each["service.instance.id"] for each in collector.resources("metrics")}) == 1


def test_a_full_batch_does_not_wait_for_the_interval(collector: Collector, protocol: str) -> None:
    telemetry = fresh_telemetry()
    chosen = settings(collector.url, protocol, span_interval=3600)._replace(batch=10)
    with exporting(telemetry, chosen):
        for _ in range(9):
            serve_one(telemetry)
        assert collector.arrived == []
        serve_one(telemetry)
        wait_until(lambda: len(collector.spans()) == 10)


def test_at_the_end_all_that_waits_is_sent(collector: Collector, protocol: str) -> None:
    telemetry = fresh_telemetry()
    with exporting(telemetry, settings(collector.url, protocol, span_interval=3600)._replace(batch=500)):
        for _ in range(1_300):
            serve_one(telemetry)
    assert len(collector.spans()) == 1_300
    assert telemetry.span_sink is None
    assert collector.metrics()[contract.REQUEST_DURATION].histogram.data_points[0].count == 1_300


def test_what_a_busy_collector_refuses_is_sent_again_and_nothing_is_lost(collector: Collector, protocol: str) -> None:
    telemetry = fresh_telemetry()
    collector.answers.append(LATER[protocol])
    with recording(telemetry) as recorded:
        drain = Drain(telemetry, settings(collector.url, protocol), {}, chance=lambda: -0.45)
        drain.start()
        serve_one(telemetry)
        wait_until(lambda: len(collector.spans()) == 1)
        drain.stop()
        assert recorded.value(contract.DROPPED_SPANS) == 0
        assert recorded.value(contract.EXPORT_FAILURES, signal="spans") == 1
        assert recorded.faults() == 0
    assert len(collector.refused) == 1


def test_what_a_collector_will_never_take_is_dropped_counted_and_not_sent_again(
    collector: Collector, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    telemetry = fresh_telemetry()
    collector.usual = NEVER[protocol]
    with recording(telemetry) as recorded:
        drain = Drain(telemetry, settings(collector.url, protocol), {})
        drain.start()
        for _ in range(2):
            serve_one(telemetry)
        wait_until(lambda: recorded.value(contract.DROPPED_SPANS) == 2)
        drain.stop()
        assert recorded.value(contract.EXPORT_FAILURES, reason="refused") >= 2
    assert len([each for each in collector.refused if each.signal == "traces"]) <= 2
    ours = [line for line in caplog.text.splitlines() if collector.url in line or collector.url.split("//")[-1] in line]
    assert (
        sum("export of spans" in line for line in ours) == 1
    )  # a drain of another test may still be at its last words


def test_what_is_taken_in_part_is_counted_in_part(collector: Collector, protocol: str) -> None:
    telemetry = fresh_telemetry()
    collector.answers.append(Answer(rejected=1))
    with recording(telemetry) as recorded:
        drain = Drain(telemetry, settings(collector.url, protocol, span_interval=3600), {})
        drain.start()
        for _ in range(3):
            serve_one(telemetry)
        drain.stop(10)
        assert recorded.value(contract.DROPPED_SPANS) == 1
        assert recorded.value(contract.EXPORT_FAILURES, signal="spans", reason="partial") == 1


def resource_exhausted(seconds: int) -> bytes:
    status = Status(code=RESOURCE_EXHAUSTED)
    status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=seconds)))
    return bytes(status.SerializeToString())


@pytest.mark.parametrize(
    ("protocol", "answer"),
    [
        (HTTP, Answer(429, (("Retry-After", "1"),))),
        (HTTP, Answer(503, (("Retry-After", formatdate(time.time() + 86_400 * 365, usegmt=True)),))),
        (GRPC, Answer(RESOURCE_EXHAUSTED, details=resource_exhausted(1))),
    ],
    indirect=["protocol"],
)
def test_a_collector_that_says_when_is_not_asked_before(collector: Collector, answer: Answer) -> None:
    telemetry = fresh_telemetry()
    collector.answers.append(answer)
    protocol = GRPC if answer.details else HTTP
    spans_only = settings(collector.url, protocol)
    drain = Drain(telemetry, spans_only._replace(destinations=spans_only.destinations[:1]), {}, chance=lambda: -0.5)
    with recording(telemetry) as recorded:
        drain.start()
        serve_one(telemetry)
        if "GMT" in str(answer.headers):  # in a year: longer than a span is kept
            wait_until(lambda: recorded.value(contract.DROPPED_SPANS) == 1)
            assert collector.arrived == []
        else:
            wait_until(lambda: len(collector.spans()) == 1)
            assert collector.arrived[0].when - collector.refused[0].when > 0.9
    drain.stop()


@pytest.mark.parametrize("protocol", [GRPC], indirect=True)
def test_an_exhausted_collector_that_does_not_say_when_is_not_asked_again(collector: Collector) -> None:
    telemetry = fresh_telemetry()
    collector.answers.append(Answer(RESOURCE_EXHAUSTED))
    with recording(telemetry) as recorded:
        drain = Drain(telemetry, settings(collector.url, GRPC), {})
        drain.start()
        serve_one(telemetry)
        wait_until(lambda: recorded.value(contract.DROPPED_SPANS) == 1)
        drain.stop()


@pytest.mark.parametrize("protocol", [HTTP], indirect=True)
@pytest.mark.parametrize("answer", [Answer(307, (("Location", "http://127.0.0.1:1/v1/traces"),)), Answer(404)])
def test_an_answer_that_is_neither_yes_nor_later_is_a_no(collector: Collector, answer: Answer) -> None:
    telemetry = fresh_telemetry()
    collector.usual = answer
    with recording(telemetry) as recorded:
        drain = Drain(telemetry, settings(collector.url, HTTP), {})
        drain.start()
        serve_one(telemetry)
        wait_until(lambda: recorded.value(contract.DROPPED_SPANS) == 1)
        drain.stop()
        assert recorded.faults() == 0


@pytest.mark.parametrize("protocol", [HTTP], indirect=True)
def test_an_answer_in_another_language_is_taken_for_a_yes(collector: Collector) -> None:
    telemetry = fresh_telemetry()
    collector.usual = Answer(body=b"<html>thank you</html>")
    with recording(telemetry) as recorded:
        drain = Drain(telemetry, settings(collector.url, HTTP, span_interval=3600), {})
        drain.start()
        serve_one(telemetry)
        drain.stop(10)
        assert recorded.value(contract.EXPORT_FAILURES) == recorded.faults() == 0
    assert len(collector.spans()) == 1


def test_attempts_come_further_and_further_apart_and_end_after_a_minute() -> None:
    attempts = Attempts(chance=lambda: 0.5)
    now, moments = 1_000.0, []
    while attempts.failed(now, None):
        now = attempts.not_before
        moments.append(now - 1_000)
    assert moments == [1, 3, 7, 15, 31]
    attempts.succeeded()
    assert attempts.failed(5_000.0, None)
    assert attempts.not_before == 5_001.0


@contextmanager
def nobody(kind: str) -> Iterator[str]:
    """A collector that is none."""
    if kind == "refuses":
        yield f"http://127.0.0.1:{refusing_port()}"
    else:
        with (silent_port if kind == "is silent" else deaf_port)() as port:
            yield f"http://127.0.0.1:{port}"


def test_spans_that_find_no_room_are_counted_and_not_made_until_there_is_room_again(
    collector: Collector, protocol: str
) -> None:
    telemetry = fresh_telemetry()
    collector.answers.append(LATER[protocol])
    drain = Drain(
        telemetry, settings(collector.url, protocol, span_interval=0.05)._replace(queue=10, batch=10), {},
        chance=lambda: 0.0,
    )  # fmt: skip
    with recording(telemetry) as recorded:
        drain.start()
        serve_one(telemetry)
        wait_until(lambda: bool(collector.refused))
        for _ in range(30):  # the first waits for its second attempt, half a second from now
            serve_one(telemetry)
        assert telemetry.span_sink is None
        wait_until(lambda: len(collector.spans()) == 11)
        wait_until(lambda: telemetry.span_sink is not None)
        assert recorded.value(contract.DROPPED_SPANS) == 20
        serve_one(telemetry)
        wait_until(lambda: len(collector.spans()) == 12)
        drain.stop()


@pytest.mark.parametrize("kind", ["refuses", "is silent", "is deaf"])
def test_a_collector_that_is_none_costs_spans_that_are_counted_and_two_seconds_at_the_end(
    kind: str, protocol: str
) -> None:
    telemetry = fresh_telemetry()
    with nobody(kind) as url, recording(telemetry) as recorded:
        drain = Drain(telemetry, settings(url, protocol)._replace(queue=100, batch=50), {})
        drain.start()
        for _ in range(400):
            serve_one(telemetry)
        began = time.monotonic()
        drain.stop()
        assert time.monotonic() - began < 2.5
        assert recorded.value(contract.DROPPED_SPANS) >= 400 - 2 * 100
        assert recorded.requests() == 400
        assert recorded.faults() == 0


def test_logs_say_once_where_nothing_arrives(protocol: str, caplog: pytest.LogCaptureFixture) -> None:
    telemetry = fresh_telemetry()
    with nobody("refuses") as url, caplog.at_level(logging.WARNING), recording(telemetry) as recorded:
        drain = Drain(telemetry, settings(url, protocol), {}, chance=lambda: -0.49)
        drain.start()
        serve_one(telemetry)
        wait_until(lambda: recorded.value(contract.EXPORT_FAILURES, reason="unreachable") >= 2)
        drain.stop()
    told = [line for line in caplog.messages if url in line]  # a drain that was told to stop before may say its own
    assert [line.partition(" to ")[0] for line in sorted(told)] == ["export of metrics", "export of spans"]
